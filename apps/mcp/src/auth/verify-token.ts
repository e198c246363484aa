import { hash } from 'node:crypto'
import { ACCESS_TOKEN_ALG, ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS, ACCESS_TOKEN_TYP } from '@vertexsms/contract/api-token'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'

/** The claims that matter after verification (RFC 9068 §2.2). */
export interface VerifiedToken {
  /** The account. */
  readonly sub: string
  readonly clientId: string
  /** Space-separated, as granted. */
  readonly scope: string
  /** Seconds since the epoch. */
  readonly exp: number
}

/** Where tokens come from and whom they must name. */
export interface VerifierOptions {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
}

/** The signing keys could not be read: nothing can be said about the token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

const CACHED_TOKENS_MAX = 20_000
const JWKS_TIMEOUT_MS = 3_000
// A key not in the set may be one that was published just now; the pause only stops a flood of lookups.
const JWKS_COOLDOWN_MS = 3_000
const JWKS_MAX_AGE_MS = 600_000

/** The hash under which a token may be kept in memory; never the token itself. */
export function tokenKey(token: string): string {
  return hash('sha256', token, 'base64')
}

/** Verifies access tokens. */
export interface TokenVerifier {
  /** What an earlier verification of this very token found, by its {@link tokenKey}; undefined once it has expired. */
  recall(key: string): VerifiedToken | undefined
  /** Resolves to null for a token that must be refused; throws {@link KeysUnavailable}. */
  verify(token: string, key: string): Promise<VerifiedToken | null>
}

/**
 * A verifier of JWT access tokens (RFC 9068 §4): signature under a published ES256 key, `typ`, `iss`, our resource
 * in `aud`, `exp` and `nbf`. A verified token is remembered by its hash until it expires, in a bounded cache;
 * whether it still stands on the account is for the API to say on each request.
 */
export function createTokenVerifier({ issuer, audience, jwksUrl }: VerifierOptions): TokenVerifier {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
  })
  const verified = new LRUCache<string, VerifiedToken>({ max: CACHED_TOKENS_MAX })

  async function verify(token: string, key: string): Promise<VerifiedToken | null> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        typ: ACCESS_TOKEN_TYP,
        algorithms: [ACCESS_TOKEN_ALG],
        clockTolerance: ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub', 'client_id', 'jti'],
        currentDate: new Date(),
      })
      const claims = readClaims(payload)
      if (claims) verified.set(key, claims)
      return claims
    } catch (error) {
      if (isRefusal(error)) return null
      throw new KeysUnavailable('The signing keys cannot be read', { cause: error })
    }
  }

  function recall(key: string): VerifiedToken | undefined {
    const cached = verified.get(key)
    if (cached === undefined || Date.now() < (cached.exp + ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS) * 1000) return cached
    verified.delete(key)
    return undefined
  }

  return { recall, verify }
}

function readClaims({ sub, client_id, scope, exp }: JWTPayload): VerifiedToken | null {
  if (typeof sub !== 'string' || typeof client_id !== 'string' || exp === undefined) return null
  return { sub, clientId: client_id, scope: typeof scope === 'string' ? scope : '', exp }
}

// Everything jose says about the token itself is a refusal; a failed or odd answer of the key endpoint is not.
function isRefusal(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return false
  return error.code !== 'ERR_JOSE_GENERIC'
}
