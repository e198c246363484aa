import type { Outbound } from '@vertexsms/service/outbound'
import { ApiError } from './http/api-error.ts'
import type { Post } from './jobs/callbacks.ts'

/** What a customer's server may take for its answer, and say. */
const POST_LIMITS = { timeoutMs: 10_000, maxBytes: 1_024 } as const

/** What a customer's server must answer, white space around it aside. */
const EXPECTED_BODY = 'OK'

/**
 * A check that throws URL_NOT_ALLOWED for a callback URL that must not be called, and gives every other one back in the
 * one spelling that its host has; no URL is fine.
 */
export function createCallbackUrlCheck(
  outbound: Outbound,
): (url: string | undefined, field: string) => string | undefined {
  return (url, field) => {
    if (url === undefined) return undefined
    if (outbound.checkUrl(url) !== null) {
      throw new ApiError('URL_NOT_ALLOWED', {
        message: `Invalid value for field '${field}': it must be a public https URL.`,
      })
    }
    return new URL(url).href
  }
}

/** Posts a JSON body through the guard against internal addresses; true for `200` with the body `OK`. Never throws. */
export function createCallbackPost(outbound: Outbound): Post {
  return async (url, body) => {
    try {
      const init = { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body }
      const answer = await outbound.fetch(url, init, POST_LIMITS)
      return answer.status === 200 && Buffer.from(answer.body).toString().trim() === EXPECTED_BODY
    } catch {
      // Unreachable, too slow, too long or not allowed any more: the same to us, try again later.
      return false
    }
  }
}
