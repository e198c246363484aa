import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** The body of an error that no zone has a shape for: the standard phrase of its status, and nothing that came from outside. */
export function plainError(status: number): { readonly error: string } {
  return { error: STATUS_CODES[status] ?? 'Error' }
}

/** What Node calls that for which there is a status of its own. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }

/**
 * Answers what Node could not read as a request, which no hook sees: a {@link plainError} with the headers of all others,
 * and the end of the connection, for where the next request begins is not known (RFC 9112 §2.2). Where the answer to a
 * request before it is still `owed`, the connection ends without a word, which would be taken for that (§9.3.2).
 */
export function refuseUnread({ code = '' }: { readonly code?: string }, socket: Socket, owed?: ServerResponse): void {
  // What cannot be read may be the body of the request that waits for its answer: then this is it.
  const isOwedBefore = owed !== undefined && (owed.headersSent || owed.req.complete)
  if (code !== 'ECONNRESET' && socket.writable && !isOwedBefore) {
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
