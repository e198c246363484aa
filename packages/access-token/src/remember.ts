import { hash } from 'node:crypto'
import { ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS } from '@vertexsms/contract/api-token'
import { createMemory } from '@vertexsms/service/memory'
import { type AccessToken, type Expected, type TokenRefusal, verifyAccessToken } from './verify.ts'

/** The hash under which a token may be kept in memory; never the token itself. */
export function tokenKey(value: string): string {
  return hash('sha256', value, 'base64')
}

/** Judges access tokens and remembers those that were good. */
export interface AccessTokens {
  /** What an earlier judgement of this very token found, by its {@link tokenKey}; undefined once it has surely expired. */
  recall(key: string): AccessToken | undefined
  /** As {@link verifyAccessToken}; a good token is remembered under `key`. */
  verify(value: string, key: string): Promise<AccessToken | TokenRefusal>
}

/**
 * {@link verifyAccessToken} with a memory of `maxRemembered` tokens, each until it expires. It saves the signature and
 * says nothing of liveness: whether a token still stands on its account is asked on each request.
 */
export function createAccessTokens(expected: Expected, maxRemembered: number): AccessTokens {
  const verified = createMemory<AccessToken>(maxRemembered)
  return {
    recall(key) {
      const known = verified.get(key)
      if (known === undefined || Date.now() < (known.exp + ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS) * 1000) return known
      verified.delete(key)
      return undefined
    },
    async verify(value, key) {
      const judged = await verifyAccessToken(value, expected)
      if (typeof judged === 'string') return judged
      verified.set(key, judged.token)
      return judged.token
    },
  }
}
