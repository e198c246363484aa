import type { Outbound } from '@vertexsms/service/outbound'

const MAX_KEY_SET_BYTES = 64 * 1024
const FETCH_TIMEOUT_MS = 4000

/**
 * Fetches a client's key set behind the SSRF guard, in the form the library wants. Rejects with OutboundError for an
 * address, size, redirect or time the guard refuses.
 */
export async function fetchKeySet(outbound: Pick<Outbound, 'fetch'>, url: string): Promise<Response> {
  const { status, headers, body } = await outbound.fetch(
    url,
    { headers: { accept: 'application/json' } },
    { maxBytes: MAX_KEY_SET_BYTES, timeoutMs: FETCH_TIMEOUT_MS },
  )
  const cacheControl = headers['cache-control']
  return new Response(Buffer.from(body), {
    status,
    headers: cacheControl === undefined ? {} : { 'cache-control': String(cacheControl) },
  })
}
