import { type AccessTokens, createAccessTokens } from '@vertexsms/access-token/remember'
import { createRemoteJWKSet } from 'jose'

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
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
  })
  return createAccessTokens({ issuer, audience, keys }, REMEMBERED_TOKENS_MAX)
}
