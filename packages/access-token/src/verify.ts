import { ACCESS_TOKEN_ALG, ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS, ACCESS_TOKEN_TYP } from '@vertexsms/contract/api-token'
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'

/** Where access tokens come from, whom they must name, and the keys they are signed with. */
export interface Expected {
  readonly issuer: string
  /** What must stand in `aud`: the resource that judges (RFC 8707). */
  readonly audience: string
  /**
   * Finds the public key that a header names among our own. Rejects with jose's JWKSNoMatchingKey where there is none;
   * what else it rejects with means that the keys cannot be read.
   */
  readonly keys: JWTVerifyGetKey
}

/** What a verified access token says of itself (RFC 9068 §2.2); whether it still lives, only its row can tell. */
export interface AccessToken {
  /** The account: `sub`. */
  readonly accountId: string
  readonly clientId: string
  /** Space-separated, as granted. */
  readonly scope: string
  readonly jti: string
  /** Seconds since the epoch. */
  readonly exp: number
}

/** Why a token is refused: it was good until its `exp`, which is surely over, or never. */
export type TokenRefusal = 'expired' | 'invalid'

/** A verified token with all its claims. */
export interface VerifiedToken {
  readonly token: AccessToken
  readonly claims: JWTPayload
}

/**
 * The one judgement of access tokens (RFC 9068 §4): the signature under the named key, ES256 alone, `typ` at+jwt,
 * `iss`, our audience in `aud`, `exp` and `nbf` as far as this machine's clock can tell
 * ({@link ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS}), and `sub`, `client_id` and `jti` there. Rejects, with what the keys
 * rejected with, only where the keys cannot be read: then nothing can be said about the token.
 */
export async function verifyAccessToken(
  value: string,
  { issuer, audience, keys }: Expected,
): Promise<VerifiedToken | TokenRefusal> {
  try {
    const { payload } = await jwtVerify(value, named(keys), {
      issuer,
      audience,
      typ: ACCESS_TOKEN_TYP,
      algorithms: [ACCESS_TOKEN_ALG],
      clockTolerance: ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub', 'client_id', 'jti'],
      currentDate: new Date(),
    })
    return read(payload) ?? 'invalid'
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'expired'
    if (isRefusal(error)) return 'invalid'
    throw error
  }
}

/** Every token of ours names its key; one that does not must not be tried under whatever key there is. */
function named(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return (header, token) => {
    if (typeof header.kid !== 'string') throw new errors.JWKSNoMatchingKey()
    return keys(header, token)
  }
}

function read(claims: JWTPayload): VerifiedToken | null {
  const { sub, client_id, scope, jti, exp } = claims
  const isWhole = typeof sub === 'string' && sub !== '' && typeof jti === 'string' && exp !== undefined
  if (!isWhole || typeof client_id !== 'string') return null
  const token = { accountId: sub, clientId: client_id, scope: typeof scope === 'string' ? scope : '', jti, exp }
  return { token, claims }
}

// Everything jose says about the token itself is a refusal; a failed or odd answer of a key endpoint is not.
function isRefusal(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return false
  return error.code !== 'ERR_JOSE_GENERIC'
}
