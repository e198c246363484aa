import type { IncomingHttpHeaders } from 'node:http'
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  classifyInboundRequest,
  isJSONRPCRequest,
  type JSONRPCRequest,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { LRUCache } from 'lru-cache'

/** The two generations of the protocol, which one URL serves: stateless with envelopes, and with a handshake. */
export type Era = 'modern' | 'legacy'

/** The revision of the modern era; it stands in every request's envelope. */
export const MODERN_REVISION = '2026-07-28'

/** The revisions of the handshake era, newest first: the first one is offered to a client that asks for another. */
export const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

/** The most messages of one batch. */
const BATCH_MAX = 20

/** What a POST body is. */
export type Classified =
  | { readonly kind: 'request'; readonly era: Era; readonly message: JSONRPCRequest }
  /** The requests of a batch, one at least; its notifications and answers are only accepted. */
  | { readonly kind: 'batch'; readonly requests: readonly JSONRPCRequest[] }
  /** Notifications and answers of a client, which nobody waits for. */
  | { readonly kind: 'accepted' }
  | Rejected

/** A body that is refused before any method is looked up. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly status: number
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Tells what a body is. The body is bounded in depth, because envelopes are judged by a recursive schema. */
export type Classify = (headers: IncomingHttpHeaders, body: unknown) => Classified

/** Headers and body disagree (2026-07-28, basic/transports/streamable-http). */
const HEADER_MISMATCH = -32020

// The one revision that has batches, which is also the one of a request that names none (2025-06-18, transports).
const BATCH_REVISION = '2025-03-26'

const ENVELOPES_MAX = 500
const ENVELOPE_MAX_CHARS = 4096

/**
 * Makes the judge of bodies: it decides the era and applies the header rules of its revision. A request of the ordinary
 * shape is recognised by its members; everything else goes through the SDK's classifier, which knows every odd case.
 */
export function createClassifier(): Classify {
  // A client sends the same envelope with each request, and the SDK's schema of it is recursive and dear. So the
  // verdict on one that was found sound is remembered, by its text alone.
  const soundEnvelopes = new LRUCache<string, true>({ max: ENVELOPES_MAX })

  return (headers, body) => {
    const version = unrepeated(headers['mcp-protocol-version'])
    if (isPlainLegacyRequest(body, version)) return { kind: 'request', era: 'legacy', message: body }
    if (!isPlainModernRequest(body, version)) return judge(headers, version, body)
    const envelope = envelopeText(body)
    if (soundEnvelopes.get(envelope)) return modernRequest(headers, body)
    const verdict = judge(headers, version, body)
    if (verdict.kind === 'request' && envelope.length <= ENVELOPE_MAX_CHARS) soundEnvelopes.set(envelope, true)
    return verdict
  }
}

function judge(headers: IncomingHttpHeaders, version: string | undefined, body: unknown): Classified {
  const method = unrepeated(headers['mcp-method'])
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
  })
  if (route.kind === 'reject') {
    if (route.code === HEADER_MISMATCH) return mismatch('the protocol version or the method differs')
    // The SDK asks for an envelope in the name of whatever the header holds; it matters to a revision that is served alone.
    if (route.code === ProtocolErrorCode.InvalidParams && !isServedRevision(version)) return unsupported(version)
    return rejected(route.httpStatus, route.code, route.message, route.data)
  }
  if (route.kind === 'modern') {
    const { revision } = route.classification
    if (revision !== MODERN_REVISION) return unsupported(revision)
    return route.messageKind === 'request' ? modernRequest(headers, route.message) : { kind: 'accepted' }
  }
  // 2025-06-18 and later: an unknown version in the header is 400; a missing header is accepted.
  if (version !== undefined && route.reason !== 'initialize' && !isLegacyRevision(version)) {
    const supported = [...LEGACY_REVISIONS, MODERN_REVISION].join(', ')
    return rejected(400, -32000, `Bad Request: Unsupported protocol version (supported versions: ${supported})`)
  }
  if (route.reason === 'batch') return batch(body as readonly unknown[], version)
  if (route.reason === 'no-claim' || route.reason === 'initialize') {
    return { kind: 'request', era: 'legacy', message: body as JSONRPCRequest }
  }
  return { kind: 'accepted' }
}

// The classifier has found every entry to be a message of the handshake era.
function batch(entries: readonly unknown[], version = BATCH_REVISION): Classified {
  const refuse = (what: string) => rejected(400, ProtocolErrorCode.InvalidRequest, `Bad Request: ${what}`)
  if (version !== BATCH_REVISION) return refuse('send one message per request')
  if (entries.length > BATCH_MAX) return refuse(`a batch may hold ${BATCH_MAX} messages`)
  const requests = entries.filter((entry) => isJSONRPCRequest(entry))
  return requests.length === 0 ? { kind: 'accepted' } : { kind: 'batch', requests }
}

function rejected(status: number, code: number, message: string, data?: unknown): Rejected {
  return { kind: 'rejected', status, error: { code, message, ...(data === undefined ? {} : { data }) } }
}

// 2026-07-28, basic/versioning.
function unsupported(requested: string | undefined): Rejected {
  return rejected(400, ProtocolErrorCode.UnsupportedProtocolVersion, 'Unsupported protocol version', {
    supported: [MODERN_REVISION],
    requested: requested ?? null,
  })
}

function mismatch(what: string): Rejected {
  return rejected(400, HEADER_MISMATCH, `Bad Request: the request headers and the body disagree: ${what}`)
}

function isLegacyRevision(version: string): boolean {
  return LEGACY_REVISIONS.some((revision) => revision === version)
}

// None is the revision that the body names.
function isServedRevision(version: string | undefined): boolean {
  return version === undefined || version === MODERN_REVISION || isLegacyRevision(version)
}

function isPlainModernRequest(body: unknown, version: string | undefined): body is JSONRPCRequest {
  if (version !== MODERN_REVISION || !isPlainRequest(body)) return false
  const { params } = body
  if (params === undefined || !isObject(params._meta)) return false
  const meta: Readonly<Record<string, unknown>> = params._meta
  return meta[PROTOCOL_VERSION_META_KEY] === MODERN_REVISION && isProgressToken(meta.progressToken)
}

function envelopeText({ params }: JSONRPCRequest): string {
  const meta = params?._meta as Readonly<Record<string, unknown>>
  return JSON.stringify({
    info: meta[CLIENT_INFO_META_KEY],
    capabilities: meta[CLIENT_CAPABILITIES_META_KEY],
    logLevel: meta[LOG_LEVEL_META_KEY],
  })
}

// Without an envelope: `_meta` holds a progress token or nothing.
function isPlainLegacyRequest(body: unknown, version: string | undefined): body is JSONRPCRequest {
  if (version !== undefined && !isLegacyRevision(version)) return false
  if (!isPlainRequest(body)) return false
  const meta: unknown = body.params?._meta
  if (meta === undefined) return true
  return (
    isObject(meta) && Object.keys(meta).every((key) => key === 'progressToken') && isProgressToken(meta.progressToken)
  )
}

// The members of a JSON-RPC request and no others.
function isPlainRequest(body: unknown): body is JSONRPCRequest {
  if (!isObject(body) || body.jsonrpc !== '2.0') return false
  const { id, method, params } = body
  if (typeof method !== 'string' || (typeof id !== 'string' && !Number.isSafeInteger(id))) return false
  if (params !== undefined && !isObject(params)) return false
  return Object.keys(body).length === (params === undefined ? 3 : 4)
}

function isProgressToken(value: unknown): boolean {
  return value === undefined || typeof value === 'string' || Number.isSafeInteger(value)
}

// The method that carries a name, and where its body has it (2026-07-28, standard request headers).
const NAME_SOURCES: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

function modernRequest(headers: IncomingHttpHeaders, message: JSONRPCRequest): Classified {
  if (headers['mcp-protocol-version'] === undefined) return mismatch('the MCP-Protocol-Version header is missing')
  const method = unrepeated(headers['mcp-method'])
  if (method === undefined) return mismatch('the Mcp-Method header is missing')
  if (method !== message.method) return mismatch('the Mcp-Method header names another method')
  const source = Object.hasOwn(NAME_SOURCES, message.method) ? NAME_SOURCES[message.method] : undefined
  const expected = source === undefined ? undefined : message.params?.[source]
  const given = headers['mcp-name']
  if (source === undefined || (given === undefined && typeof expected !== 'string')) {
    return { kind: 'request', era: 'modern', message }
  }
  if (typeof given !== 'string') return mismatch('the Mcp-Name header is missing')
  // A name may hold a comma itself, so it is taken as it stands before it is taken for one that was sent twice.
  const names = [decodeName(given.trim()), decodeName(unrepeated(given) ?? '')].filter((name) => name !== undefined)
  if (names.length === 0 || (typeof expected === 'string' && !names.includes(expected))) {
    return mismatch('the Mcp-Name header names something else')
  }
  return { kind: 'request', era: 'modern', message }
}

// Names that do not fit a header travel as =?base64?...?= in UTF-8; undefined where that form is broken.
function decodeName(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value
  const encoded = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/.exec(value)?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}

// Node joins a header that was sent several times with commas; several times the same is once (RFC 9110 §5.3).
function unrepeated(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  if (!value.includes(',')) return value.trim()
  const values = new Set(value.split(',').map((part) => part.trim()))
  const [only] = values
  return values.size === 1 ? only : value.trim()
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
