import type { IncomingHttpHeaders } from 'node:http'
import { JsonRefused, readJson } from '@vertexsms/service/json'
import { type NormalizedMetadata, normalizeMetadata, RegistrationRefused } from './registration.ts'

/** Authentication methods that rest on a secret both sides know; a public document cannot hold one. */
const SHARED_SECRET_METHODS: ReadonlySet<unknown> = new Set([
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
])

/** A client ID metadata document that may not be used, and why, in words safe to show. */
export class DocumentRefused extends Error {
  override readonly name = 'DocumentRefused'
}

/**
 * True when a client id has the shape of a metadata document's URL (draft-ietf-oauth-client-id-metadata-document §3):
 * https with a path, no fragment, no credentials, no dot segments. `allowLocalhost` also takes http://localhost, for
 * development.
 */
export function isDocumentUrl(clientId: string, options: { readonly allowLocalhost: boolean }): boolean {
  if (clientId.length > 2048 || !/^[\x21-\x7e]+$/.test(clientId) || /[\\#@]/.test(clientId)) return false
  const parts = /^(https?):\/\/([^/?]+)(\/[^?]*)(?:\?.*)?$/.exec(clientId)
  if (!parts || !URL.canParse(clientId)) return false
  const [, scheme, authority = '', path = ''] = parts
  const url = new URL(clientId)
  if (url.host !== authority.replace(/:443$/, '') && url.host !== authority) return false
  if (path === '/' || path.split('/').some(isDotSegment)) return false
  return scheme === 'https' || (options.allowLocalhost && url.hostname === 'localhost')
}

function isDotSegment(segment: string): boolean {
  const plain = segment.replace(/%2e/gi, '.')
  return plain === '.' || plain === '..'
}

/**
 * The client a document describes. Throws {@link DocumentRefused} unless the document is about the URL it came from,
 * names the client and its redirects, and relies on no shared secret (draft §4).
 */
export function readDocument(clientId: string, body: Uint8Array): NormalizedMetadata {
  const document = parse(body)
  if (document.client_id !== clientId) throw new DocumentRefused('the document names another client_id')
  if (typeof document.client_name !== 'string' || document.client_name.trim() === '') {
    throw new DocumentRefused('the document has no client_name')
  }
  if (SHARED_SECRET_METHODS.has(document.token_endpoint_auth_method) || 'client_secret' in document) {
    throw new DocumentRefused('the document relies on a shared secret')
  }
  // RFC 7591 would make a document without a method confidential; a document has no secret, so it is public.
  const method = document.token_endpoint_auth_method || 'none'
  try {
    return normalizeMetadata({ ...document, token_endpoint_auth_method: method })
  } catch (error) {
    if (error instanceof RegistrationRefused) throw new DocumentRefused(error.message)
    throw error
  }
}

function parse(body: Uint8Array): Record<string, unknown> {
  let document: unknown
  try {
    document = readJson(body)
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    throw new DocumentRefused('the document is not JSON')
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new DocumentRefused('the document is not a JSON object')
  }
  return document as Record<string, unknown>
}

/**
 * How long a document may be used, in seconds: what its headers allow a cache that serves many (RFC 9111 §4.2.1, §5.2.2),
 * less the time it has been on its way (§5.1), within the floor and ceiling. One that may not be kept is used for the floor.
 */
export function cacheSeconds(
  { 'cache-control': cacheControl, age }: IncomingHttpHeaders,
  { floor, ceiling }: { readonly floor: number; readonly ceiling: number },
): number {
  const directives = new Map(
    String(cacheControl ?? '')
      .toLowerCase()
      .split(',')
      .map((directive) => {
        const [name = '', value = ''] = directive.split('=')
        return [name.trim(), value.trim().replaceAll('"', '')] as const
      }),
  )
  if (NOT_KEPT.some((name) => directives.has(name))) return floor
  const allowed = directives.get('s-maxage') ?? directives.get('max-age') ?? ''
  const seconds = wholeSeconds(allowed) - wholeSeconds(String(age ?? '').trim())
  return Math.min(ceiling, Math.max(floor, seconds))
}

/** Directives by which an answer is not kept for others, or not used again unasked. */
const NOT_KEPT = ['no-store', 'no-cache', 'private']

function wholeSeconds(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : 0
}
