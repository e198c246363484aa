import { createAccessTokens, tokenKey } from '@vertexsms/access-token/remember'
import { type AccessToken, verifyAccessToken } from '@vertexsms/access-token/verify'
import { createRemoteJWKSet } from 'jose'

/** What every contestant is told by the harness. */
export const settings = {
  apiUrl: new URL(process.env.API_URL ?? ''),
  jwksUrl: new URL(process.env.JWKS_URL ?? ''),
  issuerUrl: process.env.ISSUER_URL ?? '',
  resourceUrl: process.env.MCP_RESOURCE_URL ?? '',
}

/** A verified caller. */
export interface Caller {
  readonly token: string
  readonly clientId: string
  readonly scopes: string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

const expected = {
  issuer: settings.issuerUrl,
  audience: settings.resourceUrl,
  keys: createRemoteJWKSet(settings.jwksUrl),
}
const remembered = createAccessTokens(expected, 20_000)

/** Verifies an access token against the cached key set, with the product's own rules; throws when any check fails. This is the work per request of a documented verifier. */
export async function verify(token: string): Promise<Caller> {
  const judged = await verifyAccessToken(token, expected)
  if (typeof judged === 'string') throw new Error(`the token is ${judged}`)
  return callerOf(token, judged.token)
}

/** {@link verify}, remembered by the product's own memory for as long as the token is valid. For the limits, which must not be held back by a signature. */
export async function verifyOnce(token: string): Promise<Caller> {
  const key = tokenKey(token)
  const judged = remembered.recall(key) ?? (await remembered.verify(token, key))
  if (typeof judged === 'string') throw new Error(`the token is ${judged}`)
  return callerOf(token, judged)
}

function callerOf(token: string, { clientId, scope, exp }: AccessToken): Caller {
  return { token, clientId, scopes: scope.split(' '), expiresAt: exp }
}

/** The value of a bearer credential (RFC 6750 §2.1), empty when there is none. */
export function bearerOf(authorization: string | undefined): string {
  return authorization?.startsWith('Bearer ') ? authorization.slice(7) : ''
}

/** Tells the harness the port. */
export function announce(address: string | { port: number } | null): void {
  if (address && typeof address === 'object') console.log(`listening ${address.port}`)
}

// A plain end, so that a profile or a report that Node writes at exit is written.
process.once('SIGTERM', () => process.exit(0))
