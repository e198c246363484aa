import { isUnreachable } from '@vertexsms/db/unreachable'

/** Seconds after which a caller may try again when the database is away or too much is asked at once. */
export const RETRY_AFTER_SECONDS = 1

/**
 * The headers that say when to come again (RFC 9110 §10.2.3), which a script of another origin may read as well (Fetch, CORS
 * protocol): clients run in browsers, too.
 */
export function comeAgain(seconds: number = RETRY_AFTER_SECONDS): Readonly<Record<string, string>> {
  return { 'retry-after': String(seconds), 'access-control-expose-headers': 'retry-after' }
}

/** The OAuth body of a 503: never one that makes a client drop its tokens and sign in again (RFC 6749 §4.1.2.1). */
export const OAUTH_UNAVAILABLE = {
  error: 'temporarily_unavailable',
  error_description: 'try again shortly with the same request',
} as const

/**
 * What to answer a failure with: what the error says of itself where that is about the caller, as of a body whose connection
 * broke off; else 503 while the database is away; else what the error says, or 500.
 */
export function statusOfFailure(error: { readonly statusCode?: number }): number {
  const { statusCode = 500 } = error
  return statusCode >= 500 && isUnreachable(error) ? 503 : statusCode
}
