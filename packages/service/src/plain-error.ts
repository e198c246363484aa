import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { closeLingering, isLingering } from './lingering-close.ts'

/** The body of an error that no zone has a shape for: the standard phrase of its status, and nothing that came from outside. */
export function plainError(status: number): { readonly error: string } {
  return { error: STATUS_CODES[status] ?? 'Error' }
}

/** What Node calls that for which there is a status of its own. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }

/** How far the exchanges on a connection are. */
export interface Exchanges {
  /** The answers that have not ended, in the order of their requests. */
  readonly owed: readonly ServerResponse[]
  /** The last request, where its answer ended before all of its body had come. */
  readonly unread: IncomingMessage | undefined
}

/** Connections that end with the answers that are owed on them. */
const ending = new WeakSet<Socket>()

/**
 * Answers what Node could not read as a request, which no hook sees: a {@link plainError} with the headers of all others,
 * and the end of the connection, for where the next request begins is not known (RFC 9112 §2.2). While answers to requests
 * before it are owed, it would be taken for one of them (§9.3.2): they go out, and the connection ends behind them without a
 * word. So it does where the request that it belongs to has its answer already.
 */
export function refuseUnread(
  { code = '' }: { readonly code?: string },
  socket: Socket,
  { owed, unread }: Exchanges = { owed: [], unread: undefined },
): void {
  if (ending.has(socket) || isLingering(socket)) return
  const isOpen = code !== 'ECONNRESET' && socket.writable
  // What cannot be read may be the body of the last request: then this is its answer.
  const last = owed.findLast((answer) => answer.headersSent || answer.req.complete)
  if (isOpen && last !== undefined) {
    ending.add(socket)
    last.shouldKeepAlive = false
    last.once('close', () => socket.destroySoon())
    return
  }
  if (isOpen && unread?.complete !== false) {
    const status = STATUS_OF_CODE[code] ?? 400
    const body = JSON.stringify(plainError(status))
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${body.length}`,
      'cache-control: no-store',
      'x-content-type-options: nosniff',
      'connection: close',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    closeLingering(socket)
    return
  }
  socket.destroy()
}
