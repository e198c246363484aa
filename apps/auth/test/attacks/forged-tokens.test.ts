// A true access token and a true client assertion, each with its forgeries, a member at a time.
import { createPublicKey } from 'node:crypto'
import {
  type CryptoKey,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOperatorClient } from '../../src/authorization/clients/registered-clients.ts'
import { approve, connect, discover, post, register, start, type TestClient, type Tokens } from '../support/client.ts'
import { type Stack, startStack } from '../support/stack.ts'

let stack: Stack
let client: TestClient
let tokens: Tokens
let accountId: string
let operator: { clientId: string; clientSecret: string }
let published: JWK
let attacker: { privateKey: CryptoKey; publicKey: CryptoKey }
beforeAll(async () => {
  stack = await startStack()
  client = await register(stack)
  accountId = (await stack.account()).id
  tokens = await connect(client, await stack.person(accountId))
  operator = await createOperatorClient({ db: stack.db, operatorKey: stack.env.OPERATOR_KEY }, 'edge', new Date())
  const { jwks_uri } = await discover(stack)
  published = ((await (await fetch(String(jwks_uri))).json()) as { keys: JWK[] }).keys[0] as JWK
  attacker = await generateKeyPair('ES256', { extractable: true })
})
afterAll(() => stack?.close())

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function introspect(token: string): Promise<Record<string, unknown>> {
  const basic = Buffer.from(`${operator.clientId}:${operator.clientSecret}`).toString('base64')
  return (await post(`${stack.issuer}/oauth/introspect`, { token }, { authorization: `Basic ${basic}` })).body
}

const claims = () => decodeJwt(tokens.access)

async function signed(
  header: Partial<JWTHeaderParameters>,
  changes: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = attacker.privateKey,
) {
  return new SignJWT({ ...claims(), ...changes })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
    .sign(key)
}

describe('an access token', () => {
  it('is known to an operator as long as its row stands (RFC 7662 §2.2)', async () => {
    expect(await introspect(tokens.access)).toMatchObject({
      active: true,
      sub: accountId,
      client_id: client.client.client_id,
    })
  })

  it('without a signature is not active: alg none in every spelling (RFC 8725 §3.1)', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
      const header = encode({ alg, typ: 'at+jwt' })
      for (const signature of ['', 'AAAA']) {
        expect(await introspect(`${header}.${encode(claims())}.${signature}`)).not.toMatchObject({ active: true })
      }
    }
  })

  it('signed by HMAC with our public key as the secret is not active (RFC 8725 §3.1)', async () => {
    const pem = createPublicKey({ key: published as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    for (const secret of [
      Buffer.from(pem),
      Buffer.from(JSON.stringify(published)),
      Buffer.from(String(published.x), 'base64url'),
    ]) {
      expect(await introspect(await signed({ alg: 'HS256', kid: String(published.kid) }, {}, secret))).toEqual({
        active: false,
      })
    }
  })

  it('signed by another key is not active, whatever kid it names (RFC 8725 §3.3)', async () => {
    for (const kid of [String(published.kid), 'unknown', '../../../../dev/null', "' OR '1'='1", '']) {
      expect(await introspect(await signed({ kid }))).toEqual({ active: false })
    }
  })

  it('that brings its own key is not active: jwk, jku, x5u and x5c are not looked at (RFC 8725 §3.10)', async () => {
    const jwk = await exportJWK(attacker.publicKey)
    const jku = `${stack.issuer}/oauth/jwks#https://evil.example`
    for (const header of [
      { jwk },
      { jku: 'https://evil.example/jwks' },
      { jku },
      { x5u: 'https://evil.example/c' },
      { x5c: ['AAAA'] },
    ]) {
      expect(await introspect(await signed(header as Partial<JWTHeaderParameters>))).toEqual({ active: false })
    }
  })

  it('that was changed after signing is not active (RFC 7515 §5.2)', async () => {
    const [header, , signature] = tokens.access.split('.')
    expect(
      await introspect(`${header}.${encode({ ...claims(), scope: 'sms:send', sub: 'other' })}.${signature}`),
    ).toEqual({ active: false })
    expect(await introspect(`${tokens.access}x`)).toEqual({ active: false })
  })

  it('of another type, issuer or audience is not active, our own signature notwithstanding (RFC 9068 §4, RFC 8725 §3.11)', async () => {
    const { privateJwk } = (
      await import('../../src/authorization/keys.ts').then(({ loadSigningKeys }) =>
        loadSigningKeys({ db: stack.db, operatorKey: stack.env.OPERATOR_KEY }, new Date()),
      )
    )[0] as { privateJwk: JWK }
    const { importJWK } = await import('jose')
    const ours = (await importJWK(privateJwk, 'ES256')) as CryptoKey
    const kid = String(published.kid)
    expect(await introspect(await signed({ kid }, {}, ours))).toMatchObject({ active: true })
    for (const [header, changes] of [
      [{ typ: 'JWT' }, {}],
      [{ typ: 'dpop+jwt' }, {}],
      [{}, { iss: 'https://evil.example' }],
      [{}, { aud: 'https://evil.example' }],
      [{}, { aud: [stack.env.API_RESOURCE_URL] }],
      [{}, { exp: Math.floor(Date.now() / 1000) - 1 }],
      [{}, { nbf: Math.floor(Date.now() / 1000) + 3600 }],
      [{}, { jti: 'never-issued' }],
    ] as const) {
      expect([header, changes, await introspect(await signed({ kid, ...header }, changes, ours))]).toEqual([
        header,
        changes,
        { active: false },
      ])
    }
  })

  it('that is forged revokes nothing, though it names the row of a real one (RFC 7009 §2.1)', async () => {
    const before = await stack.db.apiToken.count({ where: { accountId } })
    await post(`${stack.issuer}/oauth/revoke`, {
      token: await signed({ kid: String(published.kid) }),
      client_id: client.client.client_id,
    })
    expect(await stack.db.apiToken.count({ where: { accountId } })).toBe(before)
  })
})

describe('a client assertion', () => {
  async function assertionClient() {
    const pair = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'c1', alg: 'ES256', use: 'sig' }
    const registered = await register(stack, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    })
    const flow = await start(registered)
    const { id } = await stack.account()
    const callback = await approve(await stack.person(id), flow)
    return {
      ...pair,
      jwk,
      clientId: registered.client.client_id,
      flow,
      code: String(callback.searchParams.get('code')),
    }
  }

  it.each([
    [
      'alg none',
      async ({ clientId }: { clientId: string }) => `${encode({ alg: 'none' })}.${encode(assertionClaims(clientId))}.`,
    ],
    [
      'HMAC with the public key',
      async ({ clientId, jwk }: { clientId: string; jwk: JWK }) =>
        new SignJWT(assertionClaims(clientId))
          .setProtectedHeader({ alg: 'HS256', kid: 'c1' })
          .sign(Buffer.from(JSON.stringify(jwk))),
    ],
    ['another key', async ({ clientId }: { clientId: string }) => sign(clientId, attacker.privateKey)],
    [
      'another audience',
      async ({ clientId, privateKey }: { clientId: string; privateKey: CryptoKey }) =>
        sign(clientId, privateKey, { aud: 'https://evil.example' }),
    ],
    [
      'another issuer',
      async ({ clientId, privateKey }: { clientId: string; privateKey: CryptoKey }) =>
        sign(clientId, privateKey, { iss: 'someone' }),
    ],
    [
      'no jti',
      async ({ clientId, privateKey }: { clientId: string; privateKey: CryptoKey }) =>
        sign(clientId, privateKey, { jti: undefined }),
    ],
    [
      'no expiry',
      async ({ clientId, privateKey }: { clientId: string; privateKey: CryptoKey }) =>
        sign(clientId, privateKey, { exp: undefined }),
    ],
    [
      'an expiry long past',
      async ({ clientId, privateKey }: { clientId: string; privateKey: CryptoKey }) =>
        sign(clientId, privateKey, { exp: 1_000_000_000 }),
    ],
  ])('with %s is refused, and a good one works once (RFC 7523 §3, RFC 8725 §3)', async (_name, forge) => {
    const asking = await assertionClient()
    const fields = (assertion: string) => ({
      grant_type: 'authorization_code',
      code: asking.code,
      redirect_uri: 'https://app.example/cb',
      code_verifier: asking.flow.verifier,
      client_id: asking.clientId,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    const forged = await post(`${stack.issuer}/oauth/token`, fields(await forge(asking)))
    expect(forged.body.error).toMatch(/invalid_client|invalid_request/)
    const good = fields(await sign(asking.clientId, asking.privateKey))
    expect((await post(`${stack.issuer}/oauth/token`, good)).status).toBe(200)
    expect((await post(`${stack.issuer}/oauth/token`, good)).body.error).toBe('invalid_client')
  })

  it('sent many times at once authenticates once (RFC 7523 §3)', async () => {
    const asking = await assertionClient()
    const assertion = await sign(asking.clientId, asking.privateKey)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        post(`${stack.issuer}/oauth/revoke`, {
          token: 'x',
          client_id: asking.clientId,
          client_assertion: assertion,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  function assertionClaims(clientId: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000)
    const all = {
      iss: clientId,
      sub: clientId,
      aud: stack.issuer,
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 60,
      ...changes,
    }
    return JSON.parse(JSON.stringify(all))
  }

  async function sign(clientId: string, key: CryptoKey, changes: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT(assertionClaims(clientId, changes)).setProtectedHeader({ alg: 'ES256', kid: 'c1' }).sign(key)
  }
})
