import { type AccessTokens, createAccessTokens } from '@vertexsms/access-token/remember'
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'

const REMEMBERED_TOKENS_MAX = 20_000
const JWKS_TIMEOUT_MS = 3_000
// A key not in the set may be one that was published just now; the pause only stops a flood of lookups.
const JWKS_COOLDOWN_MS = 3_000
const JWKS_MAX_AGE_MS = 600_000

/** Where tokens come from, whom they must name, and where their keys are published. */
export interface PublishedIssuer {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
}

/** Judges access tokens under the keys that the authorization server publishes; they are read over HTTP when needed. */
export function createPublishedTokens({ issuer, audience, jwksUrl }: PublishedIssuer): AccessTokens {
  const published = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
  })
  let latestMs = 0
  // The library pauses by the time of day: where that was set back, a key that is not known would stay so until it is as late
  // again, and every token under it would be refused.
  const keys: JWTVerifyGetKey = async (header, token) => {
    const nowMs = Date.now()
    const wasSetBack = nowMs < latestMs
    if (!wasSetBack) latestMs = nowMs
    try {
      return await published(header, token)
    } catch (error) {
      if (!wasSetBack || !(error instanceof errors.JWKSNoMatchingKey)) throw error
      await published.reload()
      latestMs = nowMs
      return published(header, token)
    }
  }
  return createAccessTokens({ issuer, audience, keys }, REMEMBERED_TOKENS_MAX)
}
