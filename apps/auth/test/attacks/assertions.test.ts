import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PATHS } from '../../src/authorization/request/paths.ts'
import { post, register } from '../support/client.ts'
import { type Stack, startStack } from '../support/stack.ts'

let stack: Stack
let key: CryptoKey
let clientId: string
beforeAll(async () => {
  stack = await startStack()
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  key = privateKey
  const { client } = await register(stack, {
    redirect_uris: ['https://app.example/cb'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] },
  })
  clientId = client.client_id
})
afterAll(() => stack?.close())
beforeEach(() => stack.db.oidcArtifact.deleteMany({ where: { kind: 'ReplayDetection' } }))

const rows = () => stack.db.oidcArtifact.findMany({ where: { kind: 'ReplayDetection' } })
const nowSeconds = () => Math.floor(Date.now() / 1000)

/** An assertion with this text as its `exp`, which need not be a number that JSON can hold. */
async function assertion(exp: string): Promise<string> {
  const about = JSON.stringify({ iss: clientId, sub: clientId, aud: stack.issuer, jti: crypto.randomUUID() })
  const payload = Buffer.from(`${about.slice(0, -1)},"exp":${exp}}`)
  return new CompactSign(payload).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(key)
}

const present = async (path: string, value: string) =>
  post(stack.issuer + path, {
    grant_type: 'refresh_token',
    refresh_token: 'x',
    token: 'x',
    client_assertion: value,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  })

describe('a client assertion (RFC 7523 §3)', () => {
  it.each([
    ['in ten years', () => String(nowSeconds() + 10 * 365 * 86_400)],
    ['in two hours', () => String(nowSeconds() + 7200)],
    ['beyond every calendar', () => '9000000000000000'],
    ['beyond every number', () => '1e400'],
    ['never, in words', () => '"never"'],
  ])('that expires %s proves nothing and leaves no row', async (_when, exp) => {
    for (const path of [PATHS.token, PATHS.introspection, PATHS.revocation, PATHS.pushedRequest]) {
      const { status, body } = await present(path, await assertion(exp()))
      expect([path, status, body.error]).toEqual([path, 401, 'invalid_client'])
    }
    expect(await rows()).toEqual([])
  })

  it('that expires within the hour is good once, and its row goes with it', async () => {
    for (const exp of [nowSeconds() + 60, nowSeconds() + 3500, nowSeconds() + 60.5]) {
      const value = await assertion(String(exp))
      expect((await present(PATHS.revocation, value)).status).toBe(200)
      expect((await present(PATHS.revocation, value)).body.error).toBe('invalid_client')
    }
    const latest = Math.max(...(await rows()).map(({ expiresAt }) => expiresAt?.getTime() ?? Number.NaN))
    expect(latest).toBeLessThan(Date.now() + 3_700_000)
  })
})
