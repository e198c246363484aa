import { IncomingMessage } from 'node:http'

/**
 * A request like `raw` whose body is `body`. The library reads its bodies from the stream itself; this lets us limit,
 * judge and rewrite a body first and still hand over a stream.
 */
export function requestWithBody(raw: IncomingMessage, body: Buffer): IncomingMessage {
  const request = new IncomingMessage(raw.socket)
  const { 'transfer-encoding': _, ...headers } = raw.headers
  request.headers = { ...headers, 'content-length': String(body.length) }
  request.method = raw.method
  request.url = raw.url
  request.httpVersion = raw.httpVersion
  request.complete = true
  request.push(body)
  request.push(null)
  return request
}
