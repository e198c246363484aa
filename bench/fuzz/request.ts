import { MCP_RESOURCE_URL } from '../harness/issuer.ts'
import type { Era, Message } from './messages.ts'
import type { Random } from './random.ts'
import type { Piece } from './wire.ts'

/** One fuzzed exchange. */
export interface FuzzCase {
  readonly kind: string
  readonly pieces: readonly Piece[]
  /** Answers to wait for; 0 drops the connection instead. */
  readonly answers: number
  readonly toHead?: boolean
  /** True when the connection is not to be used again, whatever the answer. */
  readonly closes?: boolean
  /** The only statuses that are right, where that is known; otherwise any below 500. */
  readonly statuses?: readonly number[]
  /** True when the server may end the connection without an answer, as RFC 9112 lets it where framing is broken. */
  readonly mayClose?: boolean
}

/** What every case may use. */
export interface CaseContext {
  readonly random: Random
  readonly token: string
  readonly era: Era
}

/** The headers of a right request, in lower case, so that a case may replace one. */
export type Headers = Map<string, string>

const { host, pathname } = new URL(MCP_RESOURCE_URL)

/** The headers with which a client sends `message`. */
export function headersOf({ token, era }: CaseContext, message: Message | undefined): Headers {
  const headers: Headers = new Map([
    ['host', host],
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
    ['authorization', `Bearer ${token}`],
    ['mcp-protocol-version', era],
  ])
  if (era === '2026-07-28' && message) {
    headers.set('mcp-method', message.method)
    if (typeof message.params?.name === 'string') headers.set('mcp-name', message.params.name)
  }
  return headers
}

/** The head of a request; `content-length` stands in it unless the headers already frame the body. */
export function headBytes(headers: Headers, bodyLength: number, line = `POST ${pathname} HTTP/1.1`): Buffer {
  const framed = headers.has('transfer-encoding') || headers.has('content-length')
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
  const length = framed ? [] : [`content-length: ${bodyLength}`]
  return Buffer.from(`${[line, ...lines, ...length].join('\r\n')}\r\n\r\n`, 'latin1')
}

/** A whole request in one piece. */
export function whole(headers: Headers, body: Buffer | string, line?: string): Piece[] {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return [{ bytes: Buffer.concat([headBytes(headers, bytes.length, line), bytes]) }]
}
