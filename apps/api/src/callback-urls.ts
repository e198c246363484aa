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
    const isUrl = outbound.checkUrl(url) === null
    const spelled = isUrl ? new URL(url).href : url
    // As it will be called: a letter outside of ASCII becomes six characters or more, and what is too long is never called.
    const reason = outbound.checkUrl(spelled)
    if (reason !== null) {
      const why = isUrl ? `with its letters written out, as in %C4%85, it ${reason}` : 'it must be a public https URL'
      throw new ApiError('URL_NOT_ALLOWED', { message: `Invalid value for field '${field}': ${why}.` })
    }
    return spelled
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
