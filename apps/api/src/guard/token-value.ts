import { readBearer } from '@vertexsms/contract/api-token'
import { TOKEN_HEADER } from '@vertexsms/contract/headers'
import { ApiError } from '../http/api-error.ts'
import { challenge } from '../http/challenge.ts'

/** Any use of the scheme, well-formed or not; other schemes belong to whoever stands before us. */
const BEARER_SCHEME = /^bearer(?: |$)/i

/**
 * The token of a request: `X-VertexSMS-Token` or `Authorization: Bearer`, or both when they say the same. Reads the
 * headers as they came, because Node keeps the first of two `Authorization` headers and joins two of any other name.
 * Never the query. Throws TOKEN_MISSING (401), and INVALID_INPUT (400) for a header that stands twice, a bearer value
 * that is none, and two values that differ (RFC 6750 §3.1 invalid_request).
 */
export function readTokenValue(rawHeaders: readonly string[]): string {
  const own: string[] = []
  const authorization: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (name === TOKEN_HEADER) own.push((rawHeaders[at + 1] ?? '').trim())
    else if (name === 'authorization') authorization.push((rawHeaders[at + 1] ?? '').trim())
  }
  if (own.length > 1) throw malformed('The X-VertexSMS-Token header stands twice.')
  if (authorization.length > 1) throw malformed('The Authorization header stands twice.')
  const [named = ''] = own
  const bearer = bearerOf(authorization[0] ?? '')
  if (named !== '' && bearer !== undefined && named !== bearer) {
    throw malformed('X-VertexSMS-Token and Authorization carry different tokens: send one of them.')
  }
  const value = named === '' ? bearer : named
  if (value === undefined) throw new ApiError('TOKEN_MISSING')
  return value
}

function bearerOf(authorization: string): string | undefined {
  if (!BEARER_SCHEME.test(authorization)) return undefined
  const value = readBearer(authorization)
  if (value === undefined) throw malformed('The Authorization header must be "Bearer" and one token.')
  return value
}

function malformed(message: string): ApiError {
  return new ApiError('INVALID_INPUT', { message, headers: challenge('invalid_request') })
}
