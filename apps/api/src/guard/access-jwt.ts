import { ACCESS_TOKEN_ALG, ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS, ACCESS_TOKEN_TYP } from '@vertexsms/contract/api-token'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { ApiError } from '../api-error.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What a verified access token says of itself; whether it still lives, only its row can tell. */
export interface AccessJwt {
  readonly jtiHash: Uint8Array<ArrayBuffer>
  readonly accountId: string
  /** Unix seconds. */
  readonly exp: number
}

export interface AccessJwtOptions {
  readonly issuer: string
  /** This API's identifier, which must stand in `aud` (RFC 8707). */
  readonly audience: string
  readonly keys: SigningKeys
}

/** Verified tokens that are remembered, by hash. */
const CACHE_ENTRIES = 10_000

/**
 * Verifies access tokens (RFC 9068 §4): ES256, `typ` at+jwt, issuer, audience, and that `exp` is not long over by this
 * node's clock. Throws TOKEN_EXPIRED for one that was valid, TOKEN_INVALID for every other failure. The result of a
 * signature check is kept; it says nothing of liveness, nor whether `exp` has come.
 */
export function createAccessJwtVerifier({
  issuer,
  audience,
  keys,
}: AccessJwtOptions): (token: string) => Promise<AccessJwt> {
  const verified = new LRUCache<string, AccessJwt>({ max: CACHE_ENTRIES })

  return async (token) => {
    const key = Buffer.from(hashToken(token)).toString('base64')
    const cached = verified.get(key)
    if (cached) {
      if ((cached.exp + ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS) * 1000 > Date.now()) return cached
      verified.delete(key)
      throw new ApiError('TOKEN_EXPIRED')
    }
    const jwt = await verify(token)
    verified.set(key, jwt)
    return jwt
  }

  async function verify(token: string): Promise<AccessJwt> {
    const publicKey = await keys.find(kidOf(token))
    if (!publicKey) throw new ApiError('TOKEN_INVALID')
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        issuer,
        audience,
        algorithms: [ACCESS_TOKEN_ALG],
        typ: ACCESS_TOKEN_TYP,
        requiredClaims: ['exp', 'sub', 'jti'],
        clockTolerance: ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(),
      })
      if (typeof payload.jti !== 'string' || !payload.sub || payload.exp === undefined)
        throw new ApiError('TOKEN_INVALID')
      return { jtiHash: hashToken(payload.jti), accountId: payload.sub, exp: payload.exp }
    } catch (error) {
      throw new ApiError(error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID')
    }
  }
}

/** The key id a token names. The header is not trusted: it only chooses among our own keys. */
function kidOf(token: string): string {
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    if (alg === ACCESS_TOKEN_ALG && typeof kid === 'string') return kid
  } catch {
    // Falls through: not a JWT after all.
  }
  throw new ApiError('TOKEN_INVALID')
}
