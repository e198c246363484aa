import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ACCESS_TOKEN_ALG, ACCESS_TOKEN_TYP } from '@vertexsms/contract/api-token'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** What a test may change in a token; everything else is as the authorization server makes it. */
export interface TokenShape {
  payload?: JWTPayload
  header?: Record<string, unknown>
  without?: string[]
  foreignKey?: boolean
}

/** Signing keys and their public endpoint on loopback. */
export interface Issuer {
  readonly url: string
  readonly jwksUrl: string
  /** How often the keys were read. */
  readonly reads: () => number
  token(audience: string[], shape?: TokenShape): Promise<string>
  publicJwk(): Promise<Record<string, unknown>>
  /** Publishes another key beside those of before; it signs from now on. */
  rotate(): Promise<void>
  stop(): Promise<void>
}

let counter = 0

export async function startIssuer(): Promise<Issuer> {
  const foreign = await generateKeyPair(ACCESS_TOKEN_ALG)
  const newKey = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair(ACCESS_TOKEN_ALG)
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: ACCESS_TOKEN_ALG, use: 'sig' } }
  }
  let signing = await newKey('key-1')
  const jwks = [signing.jwk]
  let reads = 0
  const server = createServer((_request, response) => {
    reads += 1
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: jwks }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    jwksUrl: `${url}/oauth/jwks`,
    reads: () => reads,
    publicJwk: async () => signing.jwk,
    async rotate() {
      signing = await newKey(`key-${jwks.length + 1}`)
      jwks.push(signing.jwk)
    },
    async token(audience, { payload = {}, header = {}, without = [], foreignKey = false } = {}) {
      counter += 1
      const now = Math.floor(Date.now() / 1000)
      const claims: JWTPayload = {
        iss: url,
        sub: 'account-1',
        aud: audience,
        client_id: 'client-1',
        scope: SCOPE_NAMES.join(' '),
        jti: `jti-${counter}`,
        iat: now,
        exp: now + 600,
        ...payload,
      }
      for (const name of without) delete claims[name]
      return new SignJWT(claims)
        .setProtectedHeader({ alg: ACCESS_TOKEN_ALG, typ: ACCESS_TOKEN_TYP, kid: signing.kid, ...header })
        .sign(foreignKey ? foreign.privateKey : signing.privateKey)
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
