// What seals or derives by the operator key asks the signing keys first whether it is that of the deployment, and what is left
// of a key that was lost stops nobody from beginning anew.
import { randomBytes } from 'node:crypto'
import { keyIdOf } from '@vertexsms/secrets/seal'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
import { operator } from './support/operator.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(async () => {
  await stack?.close()
})

it.each([
  ['rotate-keys'],
  ['api-keys'],
  ['introspection-client', 'Billing'],
  ['upstream-token', 'EMAIL', '--check', 'off'],
])(
  'is that of the deployment, or %s is refused by the ids of both, and does its work under the right one',
  async (...line) => {
    const { email } = await stack.account()
    const args = line.map((word) => (word === 'EMAIL' ? email : word))
    const stored = () =>
      Promise.all([stack.db.signingKey.findMany(), stack.db.oidcClient.count(), stack.db.upstreamAccount.count()])
    const before = await stored()
    const other = randomBytes(32)
    const refused = await operator(stack, args, {
      input: 'a-token-of-the-operator',
      env: { OPERATOR_KEY: other.toString('base64url') },
    })
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: `cannot open sealed value: it is sealed under key ${keyIdOf(stack.env.OPERATOR_KEY)}, and this is key ${keyIdOf(other)}`,
    })
    expect(await stored()).toEqual(before)
    expect(await operator(stack, args, { input: 'a-token-of-the-operator' })).toMatchObject({ code: 0, err: '' })
  },
)

it.each([
  ['that was lost', randomBytes(32), 401, { error: 'invalid_client', error_description: expect.any(String) }],
  ['of now', null, 200, { active: false }],
] as const)(
  'a client whose secret is sealed under the key %s gets its answer, as one that is not known or as itself (RFC 6749 §5.2)',
  async (_when, key, status, body) => {
    const deps = { db: stack.db, operatorKey: key ?? stack.env.OPERATOR_KEY }
    const { clientId, clientSecret } = await createOperatorClient(deps, 'Billing', new Date())
    const answer = await fetch(`${stack.issuer}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ token: 'unknown' }),
    })
    expect([answer.status, await answer.json()]).toEqual([status, body])
  },
)
