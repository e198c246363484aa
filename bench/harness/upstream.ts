// Stands in for the REST API, in a process of its own: constant answers of the API's shapes straight from a
// socket, with no HTTP framework, so that it is several times faster than anything measured against it.
// Prints `listening <port>`. With ONLY_TOKEN set it refuses every other token, as the API does.
import { createServer, type Socket } from 'node:net'
import { API_ERRORS } from '@vertexsms/contract/api-errors'
import { TOKEN_HEADER } from '@vertexsms/contract/headers'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import type { TokenDescription } from '@vertexsms/contract/rest'

const token: TokenDescription = {
  account: '019a0000-0000-7000-8000-000000000001',
  kind: 'oauth_access',
  permissions: [...PERMISSIONS],
  limits: null,
  spent: null,
  left: {},
  paused: false,
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
  [
    'POST /sms/batch',
    'json',
    '{"sendId":"019a0000-0000-7000-8000-000000000002","messages":[{"to":"37069912345","id":"128153256012815325","status":"sent","parts":1,"price":"0.035","error":null,"duplicateOf":null,"replayed":false}],"price":"0.035","currency":"EUR"}',
  ],
  [
    'POST /sms/quote',
    'json',
    '{"coding":0,"parts":1,"messages":[{"to":"37069912345","country":"LT","operator":"BITE","mccmnc":"24602","parts":1,"price":"0.035","refusals":[]}],"price":"0.035","currency":"EUR","left":{},"refusals":[],"quoteId":"quote","expiresAt":"2099-01-01T00:00:00.000Z"}',
  ],
  ['GET /sms/status/', 'json', '{"id":"128153256012815325","status":1,"error":0,"state":"delivered"}'],
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
  ['POST /senderId/confirm/', 'plain', 'OK'],
  ['POST /senderId', 'plain', '123'],
  ['GET /mccmnc/', 'json', '[{"country":"LT","mcc":"246","mnc":"02","operatorId":20}]'],
  ['GET /prefixes/', 'json', '[{"country":"LT","prefix":"370699","operatorId":20}]'],
]

const CORRECT = 'POST /numbers/correct'
const CORRECTED =
  '{"input_number":"069912345","country":"LT","number_type":"mobile","mobile":true,"number_e164":"+37069912345","error":null}'

const answers = ROUTES.map(([prefix, ...answer]) => ({ prefix, bytes: answerOf(...answer) }))

function answerOf(type: string, body: string, headers = ''): Buffer {
  const contentType = type === 'json' ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8'
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(`${head}\r\n${body}`)
}

/** As many entries as there were numbers: fewer would be no answer. */
function correctedOf(request: string): Buffer {
  const numbers: unknown[] = JSON.parse(request.slice(request.indexOf('\r\n\r\n')))
  return answerOf('json', `[${numbers.map(() => CORRECTED).join(',')}]`)
}

/** A JSON error answer of the API. */
function errorAnswer(status: string, code: string, message: string): Buffer {
  const body = JSON.stringify({ message, code, error_code: null })
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

const notFound = errorAnswer('404 Not Found', 'NOT_FOUND', API_ERRORS.NOT_FOUND.message)
const unknownToken = errorAnswer('401 Unauthorized', 'TOKEN_INVALID', API_ERRORS.TOKEN_INVALID.message)
const onlyToken = process.env.ONLY_TOKEN

function answerTo(request: string): Buffer {
  if (onlyToken !== undefined && !request.includes(`${TOKEN_HEADER}: ${onlyToken}\r\n`)) return unknownToken
  if (request.startsWith(CORRECT)) return correctedOf(request)
  return answers.find(({ prefix }) => request.startsWith(prefix))?.bytes ?? notFound
}

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
      socket.write(answerTo(request.slice(0, length)))
    }
  })
  socket.on('error', () => socket.destroy())
}

const server = createServer(serve)
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(`listening ${address.port}`)
})
