import { type Implementation, type RequestId, type Result, SERVER_INFO_META_KEY } from '@modelcontextprotocol/server'
import type { Era } from './classify.ts'
import type { Exchange } from './exchange.ts'

/** The error of a JSON-RPC answer. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** The text of an answer, and its length in UTF-8 where that is known without counting. */
export interface Encoded {
  readonly text: string
  readonly lengthBytes?: number
}

/** Makes an answer of a result. */
export type EncodeResult = (exchange: Exchange, result: Result) => Encoded

// The results that say for how long they may be kept (2026-07-28, server/utilities/caching): the same for everyone, or
// one caller's own at this moment.
const PUBLIC: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'server/discover',
])
const PRIVATE = 'resources/read'
const NOT_KEPT = { ttlMs: 0, cacheScope: 'private' } as const

/**
 * Turns results into text. The modern era adds to each its type, the name and version of the server, and to what may be
 * kept for how long (2026-07-28, basic). A frozen result, as the list of tools, is the same in every answer and is
 * turned into text once, and counted once: it is by far the largest, and clients ask for it often.
 */
export function createEncoder({ name, version }: Implementation, cacheSeconds: number): EncodeResult {
  // Title, links and icons stand in the answer to discovery alone.
  const identity = { [SERVER_INFO_META_KEY]: { name, version } }
  const hints = { ttlMs: cacheSeconds * 1000, cacheScope: 'public' }
  const frozen: Readonly<Record<Era, WeakMap<Result, Required<Encoded>>>> = {
    modern: new WeakMap(),
    legacy: new WeakMap(),
  }

  function stamped(method: string, result: Result): Result {
    const { resultType = 'complete', _meta } = result as { resultType?: string; _meta?: object }
    return {
      ...(resultType === 'complete' && PUBLIC.has(method) ? hints : {}),
      ...(resultType === 'complete' && method === PRIVATE ? NOT_KEPT : {}),
      ...result,
      resultType,
      _meta: _meta === undefined ? identity : { ...identity, ..._meta },
    }
  }

  function textOf({ era, message }: Exchange, result: Result): string {
    return JSON.stringify(era === 'modern' ? stamped(message.method, result) : result)
  }

  function whole(exchange: Exchange, result: Result): Encoded {
    const text = textOf(exchange, result)
    if (!Object.isFrozen(result)) return { text }
    const kept = { text, lengthBytes: Buffer.byteLength(text) }
    frozen[exchange.era].set(result, kept)
    return kept
  }

  return (exchange, result) => {
    const { text, lengthBytes } = frozen[exchange.era].get(result) ?? whole(exchange, result)
    const head = `{"jsonrpc":"2.0","id":${JSON.stringify(exchange.message.id)},"result":`
    const all = `${head}${text}}`
    return lengthBytes === undefined
      ? { text: all }
      : { text: all, lengthBytes: Buffer.byteLength(head) + lengthBytes + 1 }
  }
}

/**
 * The text of an answer with an error. It has no id where the request has none that could be read: in MCP null is no id
 * (2026-07-28, basic).
 */
export function encodeError({ code, message, data }: RpcError, id?: RequestId): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } })
}
