import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** The body of an error that no zone has a shape for: the standard phrase of its status, and nothing that came from outside. */
export function plainError(status: number): { readonly error: string } {
  return { error: STATUS_CODES[status] ?? 'Error' }
}

/** What Node calls that for which there is a status of its own. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }

/** Connections that end with the answers that are owed on them. */
const ending = new WeakSet<Socket>()

/**
 * Answers what Node could not read as a request, which no hook sees: a {@link plainError} with the headers of all others,
 * and the end of the connection, for where the next request begins is not known (RFC 9112 §2.2). While answers to requests
 * before it are `owed`, in their order, it would be taken for one of them (§9.3.2): they go out, and the connection ends
 * behind them without a word.
 */
export function refuseUnread(
  { code = '' }: { readonly code?: string },
  socket: Socket,
  owed: readonly ServerResponse[],
): void {
  if (ending.has(socket)) return
  const isOpen = code !== 'ECONNRESET' && socket.writable
  // What cannot be read may be the body of the last request: then this is its answer.
  const last = owed.findLast((answer) => answer.headersSent || answer.req.complete)
  if (isOpen && last !== undefined) {
    ending.add(socket)
    last.shouldKeepAlive = false
    last.once('close', () => socket.destroySoon())
    return
  }
  if (isOpen) {
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
  }
  socket.destroy()
}
