import type { IncomingHttpHeaders } from 'node:http'
import {
  CLIENT_CAPABILITIES_META_KEY,
  classifyInboundRequest,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { isObject } from './params.ts'
import { type Era, LEGACY_REVISIONS, MODERN_REVISION } from './transports.ts'

/** A message that may go on: a request to be answered, or something that is only accepted. */
export type Routed =
  | { readonly kind: 'request'; readonly era: Era; readonly message: JSONRPCRequest }
  | { readonly kind: 'accepted' }
  | Rejected

/** A message that is refused before the protocol layer sees it. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly status: number
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Headers and body disagree (2026-07-28, basic/transports/streamable-http). */
const HEADER_MISMATCH = -32020

/**
 * Decides the era of a POST body and applies the header rules of its revision. A request of the ordinary shape is
 * recognised at once; everything else goes through the SDK's classifier, which knows every odd case.
 */
export function classify(headers: IncomingHttpHeaders, body: unknown): Routed {
  const version = header(headers['mcp-protocol-version'])
  if (isPlainModernRequest(body, version)) return modernRequest(headers, body)
  if (isPlainLegacyRequest(body, version)) return { kind: 'request', era: 'legacy', message: body }
  const method = header(headers['mcp-method'])
  const name = header(headers['mcp-name'])
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
  })
  if (route.kind === 'reject') {
    if (route.code === HEADER_MISMATCH) return mismatch('the protocol version or the method differs')
    return rejected(route.httpStatus, route.code, route.message, route.data)
  }
  if (route.kind === 'modern') {
    const { revision } = route.classification
    if (revision !== MODERN_REVISION) {
      return rejected(400, ProtocolErrorCode.UnsupportedProtocolVersion, 'Unsupported protocol version', {
        supported: [MODERN_REVISION],
        requested: revision ?? null,
      })
    }
    return route.messageKind === 'request' ? modernRequest(headers, route.message) : { kind: 'accepted' }
  }
  // Batches left the protocol in 2025-06-18, and no client of the revision that had them has been seen to send one.
  if (route.reason === 'batch') {
    return rejected(400, ProtocolErrorCode.InvalidRequest, 'Bad Request: send one message per request')
  }
  // 2025-06-18 and later: an unknown version in the header is 400; a missing header is accepted.
  if (version !== undefined && route.reason !== 'initialize' && !isLegacyRevision(version)) {
    const supported = [...LEGACY_REVISIONS, MODERN_REVISION].join(', ')
    return rejected(400, -32000, `Bad Request: Unsupported protocol version (supported versions: ${supported})`)
  }
  if (route.reason === 'no-claim' || route.reason === 'initialize') {
    return { kind: 'request', era: 'legacy', message: body as JSONRPCRequest }
  }
  return { kind: 'accepted' }
}

/** A refusal in the shape of JSON-RPC. */
export function rejected(status: number, code: number, message: string, data?: unknown): Rejected {
  return { kind: 'rejected', status, error: { code, message, ...(data === undefined ? {} : { data }) } }
}

function mismatch(what: string): Rejected {
  return rejected(400, HEADER_MISMATCH, `Bad Request: the request headers and the body disagree: ${what}`)
}

function isLegacyRevision(version: string): boolean {
  return LEGACY_REVISIONS.some((revision) => revision === version)
}

function isPlainModernRequest(body: unknown, version: string | undefined): body is JSONRPCRequest {
  if (version !== MODERN_REVISION || !isPlainRequest(body)) return false
  const { params } = body
  if (params === undefined || !isObject(params._meta)) return false
  const meta: Readonly<Record<string, unknown>> = params._meta
  return (
    meta[PROTOCOL_VERSION_META_KEY] === MODERN_REVISION &&
    isObject(meta[CLIENT_CAPABILITIES_META_KEY]) &&
    isProgressToken(meta.progressToken)
  )
}

// Without an envelope, and not the handshake itself: `_meta` holds a progress token or nothing.
function isPlainLegacyRequest(body: unknown, version: string | undefined): body is JSONRPCRequest {
  if (version !== undefined && !isLegacyRevision(version)) return false
  if (!isPlainRequest(body) || body.method === 'initialize') return false
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

function modernRequest(headers: IncomingHttpHeaders, message: JSONRPCRequest): Routed {
  if (headers['mcp-protocol-version'] === undefined) return mismatch('the MCP-Protocol-Version header is missing')
  const method = header(headers['mcp-method'])
  if (method === undefined) return mismatch('the Mcp-Method header is missing')
  if (method !== message.method) return mismatch('the Mcp-Method header names another method')
  const source = Object.hasOwn(NAME_SOURCES, message.method) ? NAME_SOURCES[message.method] : undefined
  if (source !== undefined) {
    const expected = message.params?.[source]
    const given = header(headers['mcp-name'])
    if (given === undefined && typeof expected === 'string') return mismatch('the Mcp-Name header is missing')
    if (given !== undefined) {
      const decoded = decodeName(given)
      if (decoded === undefined || (typeof expected === 'string' && decoded !== expected)) {
        return mismatch('the Mcp-Name header names something else')
      }
    }
  }
  return { kind: 'request', era: 'modern', message }
}

// Names that do not fit a header travel as =?base64?...?= in UTF-8; undefined where that form is broken.
function decodeName(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value
  const encoded = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/.exec(value)?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}

function header(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value.trim() : undefined
}
