import { ACCESS_TOKEN_ALG, ACCESS_TOKEN_TYP } from '@vertexsms/contract/api-token'
import { createRemoteJWKSet, jwtVerify } from 'jose'

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

const keys = createRemoteJWKSet(settings.jwksUrl)

/** Verifies an access token against the cached key set; throws when any check fails. This is the work per request of a documented verifier. */
export async function verify(token: string): Promise<Caller> {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: [ACCESS_TOKEN_ALG],
    typ: ACCESS_TOKEN_TYP,
    issuer: settings.issuerUrl,
    audience: settings.resourceUrl,
    requiredClaims: ['exp', 'sub'],
  })
  return {
    token,
    clientId: String(payload.client_id),
    scopes: String(payload.scope).split(' '),
    expiresAt: payload.exp ?? 0,
  }
}

const verified = new Map<string, Caller>()

/** {@link verify}, remembered for as long as the token is valid. For the limits, which must not be held back by a signature. */
export async function verifyOnce(token: string): Promise<Caller> {
  const known = verified.get(token)
  if (known && known.expiresAt * 1000 > Date.now()) return known
  const caller = await verify(token)
  verified.set(token, caller)
  return caller
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
