// What ends, refreshes or asks about one connection leaves every other as it was.

import { hashToken } from '@vertexsms/secrets/hash-token'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOperatorClient } from '../src/authorization/clients/registered-clients.ts'
import { endConnectionsOfAccount } from '../src/connections/end.ts'
import { approve, connect, exchange, post, refresh, register, start, type TestClient } from './support/client.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const DAY_MS = 86_400_000

async function connected() {
  const client = await register(stack)
  const { id: accountId } = await stack.account()
  return { client, accountId, tokens: await connect(client, await stack.person(accountId)) }
}

const revoke = ({ client: { client_id } }: TestClient, token: string) =>
  post(`${stack.issuer}/oauth/revoke`, { token, client_id })

const reasonsOf = async (accountId: string) =>
  (await stack.db.connection.findMany({ where: { accountId } })).map(({ endedReason }) => endedReason)

describe('the end of a connection', () => {
  it.each<[string, (one: Awaited<ReturnType<typeof connected>>) => Promise<unknown>]>([
    ['that its client revokes', ({ client, tokens }) => revoke(client, tokens.refresh)],
    [
      'with all that its account has',
      ({ accountId }) => stack.db.$transaction((tx) => endConnectionsOfAccount(tx, accountId)),
    ],
  ])('%s leaves the tokens, the code and what another one used', async (_which, end) => {
    const one = await connected()
    const other = await connected()
    const second = await register(stack)
    const flow = await start(second)
    const callback = await approve(await stack.person(other.accountId), flow)
    const next = await refresh(other.client, other.tokens.refresh)
    await end(one)
    await expect(refresh(one.client, one.tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    // What was used a moment ago is answered as before, which its own row says.
    const again = await refresh(other.client, other.tokens.refresh)
    expect(again).toEqual({ ...next, expiresIn: expect.any(Number) })
    expect((await refresh(other.client, next.refresh)).scope).toBe(next.scope)
    expect((await exchange(second, flow, callback)).scope).not.toBe('')
    expect(await reasonsOf(other.accountId)).toEqual([null, null])
  })

  it('is told as it came, whatever ends afterwards', async () => {
    const { client, accountId, tokens } = await connected()
    await revoke(client, tokens.refresh)
    const [reason] = await reasonsOf(accountId)
    expect(reason).toEqual(expect.any(String))
    await stack.db.$transaction((tx) => endConnectionsOfAccount(tx, accountId))
    expect(await reasonsOf(accountId)).toEqual([reason])
  })
})

it('a refresh notes the use of its own client and of its own row, and of no other', async () => {
  const [one, other] = [await connected(), await connected()]
  const lastUsedAt = new Date(Date.now() - 2 * DAY_MS)
  const ids = [one, other].map(({ client }) => client.client.client_id)
  await stack.db.oidcClient.updateMany({ where: { id: { in: ids } }, data: { lastUsedAt } })
  const next = await refresh(one.client, one.tokens.refresh)
  const used = await Promise.all(ids.map((id) => stack.db.oidcClient.findUniqueOrThrow({ where: { id } })))
  expect(used.map((row) => row.lastUsedAt?.getTime() === lastUsedAt.getTime())).toEqual([false, true])
  const rowOf = (accountId: string) =>
    stack.db.apiToken.findFirstOrThrow({ where: { accountId, kind: 'oauth_refresh' } })
  expect(Buffer.from((await rowOf(one.accountId)).tokenHash)).toEqual(Buffer.from(hashToken(next.refresh)))
  expect((await rowOf(one.accountId)).lastUsedAt).not.toBeNull()
  expect((await rowOf(other.accountId)).lastUsedAt).toBeNull()
})

it('an access token whose row is gone is not active, though its connection has others, and one that is superseded is for its last minute', async () => {
  const operator = await createOperatorClient({ db: stack.db, operatorKey: stack.env.OPERATOR_KEY }, 'edge', new Date())
  const basic = Buffer.from(`${operator.clientId}:${operator.clientSecret}`).toString('base64')
  const introspect = async (token: string) =>
    (await post(`${stack.issuer}/oauth/introspect`, { token }, { authorization: `Basic ${basic}` })).body
  const { client, tokens } = await connected()
  const next = await refresh(client, tokens.refresh)
  const superseded = await introspect(tokens.access)
  expect(superseded).toMatchObject({ active: true })
  expect(Number(superseded.exp) - Date.now() / 1000).toBeLessThanOrEqual(60)
  expect(Number(superseded.exp) - Date.now() / 1000).toBeGreaterThan(30)
  expect(Number((await introspect(next.access)).exp) - Date.now() / 1000).toBeGreaterThan(500)
  await revoke(client, tokens.access)
  expect(await introspect(tokens.access)).toEqual({ active: false })
  expect(await introspect(next.access)).toMatchObject({ active: true })
})
