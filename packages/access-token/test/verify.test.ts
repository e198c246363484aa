import { ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS } from '@vertexsms/contract/api-token'
import {
  createLocalJWKSet,
  errors,
  exportJWK,
  generateKeyPair,
  type JWTPayload,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createAccessTokens, tokenKey } from '../src/remember.ts'
import { verifyAccessToken } from '../src/verify.ts'

const ISSUER = 'https://auth.example'
const AUDIENCE = 'https://api.example'
/** A claim that is undefined is left out. */
type Claims = { [Name in keyof JWTPayload]: JWTPayload[Name] | undefined }
const now = () => Math.floor(Date.now() / 1000)

let keys: JWTVerifyGetKey
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']
let foreignKey: typeof privateKey
beforeAll(async () => {
  const pair = await generateKeyPair('ES256')
  privateKey = pair.privateKey
  foreignKey = (await generateKeyPair('ES256')).privateKey
  keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }] })
})

function sign(changes: Claims = {}, header: Record<string, unknown> = {}, key = privateKey): Promise<string> {
  const claims = {
    iss: ISSUER,
    aud: ['https://mcp.example', AUDIENCE],
    sub: 'account-1',
    client_id: 'client-1',
    scope: 'sms:send',
    jti: 'jti-1',
    exp: now() + 600,
    ...changes,
  }
  return new SignJWT(claims as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
    .sign(key)
}
const judge = (value: string) => verifyAccessToken(value, { issuer: ISSUER, audience: AUDIENCE, keys })

describe('an access token', () => {
  it('is what its claims say when everything about it is right (RFC 9068 §4)', async () => {
    const exp = now() + 60
    expect(await judge(await sign({ exp }))).toMatchObject({
      token: { accountId: 'account-1', clientId: 'client-1', scope: 'sms:send', jti: 'jti-1', exp },
    })
  })

  it('without a scope has none', async () => {
    expect(await judge(await sign({ scope: undefined }))).toMatchObject({ token: { scope: '' } })
  })

  it('has expired once its end is over by every clock, and not before', async () => {
    expect(await judge(await sign({ exp: now() - ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS }))).toBe('expired')
    const tolerated = now() - ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS + 30
    expect(await judge(await sign({ exp: tolerated }))).toMatchObject({ token: { exp: tolerated } })
  })

  it.each<[string, Claims, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }, {}],
    ['for others', { aud: ['https://mcp.example'] }, {}],
    ['without an expiry', { exp: undefined }, {}],
    ['that is not valid yet', { nbf: now() + ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS + 60 }, {}],
    ['without a subject', { sub: undefined }, {}],
    ['with an empty subject', { sub: '' }, {}],
    ['whose subject is no text', { sub: 7 as never }, {}],
    ['without a client', { client_id: undefined }, {}],
    ['whose client is no text', { client_id: 7 }, {}],
    ['without an id', { jti: undefined }, {}],
    ['whose id is no text', { jti: 7 as never }, {}],
    ['of another type', {}, { typ: 'JWT' }],
    ['that names no key, though there is but one', {}, { kid: undefined }],
    ['that names another key', {}, { kid: 'k2' }],
  ])('%s is refused', async (_name, changes, header) => {
    expect(await judge(await sign(changes, header))).toBe('invalid')
  })

  it('under a foreign key is refused, expired or not', async () => {
    expect(await judge(await sign({}, {}, foreignKey))).toBe('invalid')
    expect(await judge(await sign({ exp: now() - 9_000 }, {}, foreignKey))).toBe('invalid')
  })

  it.each(['', 'x', 'a.b.c', '....', 'e30.e30.e30'])('%j is none', async (value) => {
    expect(await judge(value)).toBe('invalid')
  })

  it.each([
    new Error('the database is away'),
    new errors.JWKSTimeout(),
    new errors.JWKSInvalid(),
    new errors.JOSEError('Expected 200 OK from the JSON Web Key Set HTTP response'),
  ])('is not judged where the keys cannot be read: %s', async (failure) => {
    const broken = { issuer: ISSUER, audience: AUDIENCE, keys: () => Promise.reject(failure) }
    await expect(verifyAccessToken(await sign(), broken)).rejects.toBe(failure)
  })
})

describe('the memory of good tokens', () => {
  it('holds a good token until it expires, a refused one never, and the latest alone when it is full', async () => {
    const tokens = createAccessTokens({ issuer: ISSUER, audience: AUDIENCE, keys }, 1)
    const [first, second, bad] = [await sign({ jti: 'one' }), await sign({ jti: 'two' }), await sign({ sub: '' })]
    expect(tokens.recall(tokenKey(first))).toBeUndefined()
    await tokens.verify(first, tokenKey(first))
    expect(tokens.recall(tokenKey(first))).toMatchObject({ jti: 'one' })
    expect(await tokens.verify(bad, tokenKey(bad))).toBe('invalid')
    expect(tokens.recall(tokenKey(bad))).toBeUndefined()
    await tokens.verify(second, tokenKey(second))
    expect([tokens.recall(tokenKey(first)), tokens.recall(tokenKey(second))?.jti]).toEqual([undefined, 'two'])
  })

  it('forgets a token when its end is over by every clock, and not before', async () => {
    const tokens = createAccessTokens({ issuer: ISSUER, audience: AUDIENCE, keys }, 9)
    const exp = now() + 60
    const value = await sign({ exp })
    await tokens.verify(value, tokenKey(value))
    const endMs = (exp + ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS) * 1000
    vi.useFakeTimers({ toFake: ['Date'], now: endMs - 1 })
    expect(tokens.recall(tokenKey(value))).toMatchObject({ exp })
    vi.setSystemTime(endMs)
    expect(tokens.recall(tokenKey(value))).toBeUndefined()
    expect(await tokens.verify(value, tokenKey(value))).toBe('expired')
    vi.useRealTimers()
  })
})
