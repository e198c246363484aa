// Stands in for the REST API, in a process of its own: constant answers of the API's shapes straight from a
// socket, with no HTTP framework, so that it is several times faster than anything measured against it.
// Prints `listening <port>`.
import { createServer, type Socket } from 'node:net'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import type { TokenDescription } from '@vertexsms/contract/rest'

const token: TokenDescription = {
  account: '019a0000-0000-7000-8000-000000000001',
  kind: 'oauth_access',
  permissions: [...PERMISSIONS],
  limits: null,
  expires_at: '2099-01-01T00:00:00.000Z',
}

/** First match wins; the order puts the routes under load first. */
const ROUTES: readonly (readonly [prefix: string, type: string, body: string, headers?: string])[] = [
  ['GET /operators/', 'json', '{"name":"BITE","country":"LT","mcc":"246","mnc":["020","028"]}'],
  ['GET /token', 'json', JSON.stringify(token)],
  [
    'POST /sms/cost',
    'json',
    '[{"parts":1,"countryISO":"LT","mccmnc":"24602","pricePerPart":0.035,"totalPrice":0.035,"currency":"EUR"}]',
  ],
  ['POST /sms', 'json', '["1281532560"]', 'X-VertexSMS-Amount-Sent: 1\r\n'],
  [
    'GET /rates',
    'json',
    '[{"CountryName":"Lithuania","CountryCode":"LT","Operator":"BITE","Network":"BITE","MCC":"246","MNC":"02","Rate":"0.035"}]',
  ],
  ['POST /hlr', 'json', '[1203877133]'],
  [
    'GET /hlr/',
    'json',
    '{"id":"1203877133","status":"done","msisdn":"37069912345","result":{"id":"1203877133","error":"0","imsi":"246020000000001","country":"LT","operatorId":20,"operator":"BITE","mcc":"246","mnc":"02","ported":[]}}',
  ],
  ['POST /senderId/confirm/', 'plain', ''],
  ['POST /senderId', 'plain', '123'],
  ['GET /mccmnc/', 'json', '[{"country":"LT","mcc":"246","mnc":"02","operatorId":20}]'],
  ['GET /prefixes/', 'json', '[{"country":"LT","prefix":"370699","operatorId":20}]'],
  [
    'POST /numbers/correct',
    'json',
    '[{"input_number":"069912345","country":"LT","number_type":"mobile","mobile":true,"number_e164":"+37069912345","error":null}]',
  ],
]

const answers = ROUTES.map(([prefix, type, body, headers = '']) => {
  const contentType = type === 'json' ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8'
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n`
  return { prefix, bytes: Buffer.from(`${head}\r\n${body}`) }
})
const notFoundBody = '{"message":"There is nothing under this address.","code":"NOT_FOUND","error_code":null}'
const notFound = Buffer.from(
  `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${notFoundBody.length}\r\n\r\n${notFoundBody}`,
)

/** Bytes of one complete request at the start of `text`, or 0 while it is incomplete. */
function requestLength(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return 0
  const end = headEnd + 4
  if (text.startsWith('GET ')) return end
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))
  if (length) return text.length >= end + Number(length[1]) ? end + Number(length[1]) : 0
  if (!/\r\ntransfer-encoding: *chunked/i.test(text.slice(0, end))) return end
  const last = text.indexOf('0\r\n\r\n', end)
  return last === -1 ? 0 : last + 5
}

function serve(socket: Socket): void {
  socket.setNoDelay(true)
  // Latin-1 keeps one character per byte, so lengths in characters are lengths on the wire.
  let pending = ''
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1')
    for (let length = requestLength(pending); length > 0; length = requestLength(pending)) {
      const request = pending
      pending = pending.slice(length)
      socket.write(answers.find(({ prefix }) => request.startsWith(prefix))?.bytes ?? notFound)
    }
  })
  socket.on('error', () => socket.destroy())
}

const server = createServer(serve)
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(`listening ${address.port}`)
})
