// A REST API in place of ours: each route with an answer that a test may replace, hold back or lose.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { API_ERRORS, type ApiErrorCode } from '@vertexsms/contract/api-errors'
import {
  AMOUNT_SENT_HEADER,
  CLIENT_ADDRESS_HEADER,
  EDGE_SECRET_HEADER,
  IDEMPOTENCY_KEY_HEADER,
  IDEMPOTENCY_REPLAYED_HEADER,
  TOKEN_HEADER,
} from '@vertexsms/contract/headers'
import { type DetailedCode, ERROR_DETAILS } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import * as rest from '@vertexsms/contract/rest'
import * as sending from '@vertexsms/contract/sending'
import type * as z from 'zod'

/** A token as the upstream knows it. */
export interface UpstreamToken {
  account: string
  permissions: readonly Permission[]
  /** What `GET /token` says beside them. */
  description?: Partial<rest.TokenDescription>
}

/** One request the upstream has seen. */
export interface SeenRequest {
  method: string
  path: string
  token: string
  edgeSecret: string | undefined
  address: string | undefined
  idempotencyKey: string | undefined
  body: unknown
}

/** What `halting` lets pass before its head, and again before its body, which comes in one piece. */
export const HALT_MS = 250

type Answer = { status: number; body: unknown; headers?: Record<string, string> } | 'hang' | 'cut' | 'drip' | 'halting'

/** A REST API of the contract's shape on loopback, whose every request and answer is checked with the contract. */
export interface Upstream {
  readonly url: string
  readonly tokens: Map<string, UpstreamToken>
  readonly seen: SeenRequest[]
  /** Answers the next matching requests instead; returns undefined to answer as usual. */
  override: ((request: SeenRequest) => Answer | undefined | Promise<Answer | undefined>) | undefined
  /** EUR, as `POST /sms/cost` answers. */
  pricePerPart: number
  /** What `GET /sms/status/{id}` says; `sent` for a message that is not named here, 404 for one that was never sent. */
  readonly states: Map<string, Partial<sending.SmsStatus>>
  /** What `GET /hlr/{id}` finds; unset while the lookup runs. */
  readonly hlrResults: Map<string, rest.HlrResult>
  stop(): Promise<void>
  start(): Promise<void>
}

export const RATES: rest.Rate[] = [
  {
    CountryName: 'Lithuania',
    CountryCode: 'LT',
    Operator: 'BITE',
    Network: 'Bite',
    MCC: '246',
    MNC: '02',
    Rate: '0.039',
  },
  {
    CountryName: 'Lithuania',
    CountryCode: 'LT',
    Operator: 'All other carriers',
    Network: 'All',
    MCC: '246',
    MNC: null,
    Rate: '0.045',
  },
  { CountryName: 'Latvia', CountryCode: 'LV', Operator: 'All', Network: 'All', MCC: '247', MNC: null, Rate: '0.05' },
]

export function errorAnswer(
  code: ApiErrorCode,
  errorCode: number | null = null,
  details?: Record<string, unknown>,
): Exclude<Answer, string> {
  return { status: API_ERRORS[code].status, body: errorBody(code, errorCode, details) }
}

/** The body of an error, its details checked with the contract where it has a form for them. */
export function errorBody(
  code: ApiErrorCode,
  errorCode: number | null = null,
  details?: Record<string, unknown>,
): rest.ApiErrorBody {
  if (details !== undefined && Object.hasOwn(ERROR_DETAILS, code)) ERROR_DETAILS[code as DetailedCode].parse(details)
  const { message } = API_ERRORS[code]
  return rest.apiErrorBodySchema.parse({
    message,
    code,
    error_code: errorCode,
    ...(details === undefined ? {} : { details }),
  })
}

function checked<Schema extends z.ZodType>(schema: Schema, body: z.input<Schema>): Exclude<Answer, string> {
  return { status: 200, body: schema.parse(body) }
}

const FIRST_ID = 1_281_532_560

const partsOf = (message: string) => Math.ceil(message.length / 160)

// The last two digits of these numbers say why a message to them is refused.
function refusalOf(to: string): rest.ApiErrorBody[] | undefined {
  const code = /^4477009000(\d\d)$/.exec(to)?.[1]
  return code === undefined ? undefined : [errorBody('SEND_REFUSED', Number(code))]
}

export const ALL_PERMISSIONS: readonly Permission[] = PERMISSIONS

export async function startUpstream(): Promise<Upstream> {
  const tokens = new Map<string, UpstreamToken>()
  const seen: SeenRequest[] = []
  const hlrResults = new Map<string, rest.HlrResult>()
  const states = new Map<string, Partial<sending.SmsStatus>>()
  const answered = new Map<string, { request: string; response: sending.BatchResponse }>()
  let nextId = FIRST_ID
  let port = 0

  const priceText = (parts: number) => toEurText(BigInt(Math.round(upstream.pricePerPart * 1e6)) * BigInt(parts))

  // Refused as a whole only where there is one number.
  function sendBatch({
    to,
    message,
    scheduled,
  }: sending.BatchRequest): sending.BatchResponse | Exclude<Answer, string> {
    const [refusal] = new Set(to).size === 1 ? (refusalOf(to[0] ?? '') ?? []) : []
    if (refusal !== undefined) return { status: 400, body: refusal }
    const parts = partsOf(message)
    const messages = to.map((number, index): sending.BatchMessage => {
      const first = to.indexOf(number)
      const error = refusalOf(number)?.[0]
      const refused = { id: null, status: 'failed' as const, parts: null, price: null }
      const sent = { status: scheduled === undefined ? ('sent' as const) : ('scheduled' as const), parts }
      const outcome = error === undefined ? { id: null, price: priceText(parts), ...sent } : refused
      return {
        to: number,
        error: error ?? null,
        duplicateOf: first === index ? null : first,
        replayed: false,
        ...outcome,
      }
    })
    for (const entry of messages) if (entry.duplicateOf === null && entry.error === null) entry.id = String(++nextId)
    for (const entry of messages) if (entry.duplicateOf !== null) entry.id = messages[entry.duplicateOf]?.id ?? null
    const count = messages.filter(({ duplicateOf, error }) => duplicateOf === null && error === null).length
    return { sendId: 'send-1', messages, price: priceText(parts * count), currency: 'EUR' }
  }

  const routes: [
    RegExp,
    Permission | null,
    (request: SeenRequest, match: RegExpExecArray) => Answer | Promise<Answer>,
  ][] = [
    [
      /^GET \/token$/,
      null,
      ({ token }) => {
        const row = tokens.get(token)
        return checked(rest.tokenResponseSchema, {
          account: row?.account ?? '',
          kind: 'manual',
          permissions: [...(row?.permissions ?? [])],
          limits: null,
          expires_at: null,
          ...row?.description,
        })
      },
    ],
    [
      /^POST \/sms$/,
      'POST /sms',
      ({ body }) => {
        const { to, message } = rest.sendSmsRequestSchema.parse(body)
        const [refusal] = refusalOf(to) ?? []
        if (refusal !== undefined) return { status: 400, body: refusal }
        nextId += 1
        const parts = partsOf(message)
        return {
          status: 200,
          body: rest.sendSmsResponseSchema.parse([String(nextId)]),
          headers: { [AMOUNT_SENT_HEADER]: String(parts) },
        }
      },
    ],
    [
      /^POST \/sms\/batch$/,
      'POST /sms',
      ({ body, idempotencyKey, token }) => {
        const request = sending.batchRequestSchema.parse(body)
        const name = idempotencyKey === undefined ? undefined : `${token} ${idempotencyKey}`
        const before = name === undefined ? undefined : answered.get(name)
        if (before !== undefined) {
          if (before.request !== JSON.stringify(request)) return errorAnswer('IDEMPOTENCY_KEY_REUSED')
          const messages = before.response.messages.map((message) => ({ ...message, replayed: true }))
          return {
            ...checked(sending.batchResponseSchema, { ...before.response, messages }),
            headers: { [IDEMPOTENCY_REPLAYED_HEADER]: 'true' },
          }
        }
        const response = sendBatch(request)
        if ('status' in response) return response
        if (name !== undefined) answered.set(name, { request: JSON.stringify(request), response })
        return checked(sending.batchResponseSchema, response)
      },
    ],
    [
      /^POST \/sms\/quote$/,
      'POST /sms',
      ({ body }) => {
        const { to, message } = sending.quoteRequestSchema.parse(body)
        const parts = partsOf(message)
        const allowed = new Set(to.filter((number) => refusalOf(number) === undefined))
        return checked(sending.quoteResponseSchema, {
          coding: 0,
          parts,
          messages: to.map((number) => ({
            to: number,
            country: 'LT',
            operator: 'BITE',
            mccmnc: '24602',
            ...(allowed.has(number) ? { parts, price: priceText(parts) } : { parts: null, price: null }),
            refusals: refusalOf(number) ?? [],
          })),
          price: priceText(parts * allowed.size),
          currency: 'EUR',
          left: { day: '4.5', recipients: 20 },
          refusals: [],
          quoteId: 'quote-1',
          expiresAt: '2026-12-24T07:10:00.000Z',
        })
      },
    ],
    [
      /^GET \/sms\/status\/(\d+)$/,
      'POST /sms',
      (_request, match) => {
        const id = match[1] ?? ''
        if (Number(id) <= FIRST_ID || Number(id) > nextId) return errorAnswer('NOT_FOUND')
        const status = { id, status: null, error: null, state: 'sent', ...states.get(id) } as const
        return checked(sending.smsStatusResponseSchema, status)
      },
    ],
    [
      /^POST \/sms\/cost$/,
      'POST /sms/cost',
      ({ body }) => {
        rest.smsCostRequestSchema.parse(body)
        return checked(rest.smsCostResponseSchema, [
          {
            parts: 1,
            countryISO: 'LT',
            mccmnc: '24602',
            pricePerPart: upstream.pricePerPart,
            totalPrice: upstream.pricePerPart,
            currency: 'EUR',
          },
        ])
      },
    ],
    [/^GET \/rates\/\?format=json$/, 'GET /rates', () => checked(rest.ratesResponseSchema, RATES)],
    [
      /^POST \/senderId$/,
      'POST /senderId',
      ({ body }) => {
        const { name } = rest.senderIdRequestSchema.parse(body)
        if (name === 'Taken') return errorAnswer('CONFLICT')
        return { status: 200, body: '123' }
      },
    ],
    [
      /^POST \/senderId\/confirm\/(\d+)$/,
      'POST /senderId/confirm',
      ({ body }, match) => {
        const { code } = rest.senderConfirmRequestSchema.parse(body)
        if (match[1] !== '123') return errorAnswer('NOT_FOUND')
        return code === '12345' ? { status: 200, body: 'OK' } : errorAnswer('CODE_WRONG')
      },
    ],
    [
      /^POST \/hlr$/,
      'POST /hlr',
      ({ body }) => {
        rest.hlrRequestSchema.parse(body)
        nextId += 1
        return checked(rest.hlrSubmitResponseSchema, [nextId])
      },
    ],
    [
      /^GET \/hlr\/(\d+)\?wait=(\d+)$/,
      'GET /hlr',
      async (_request, match) => {
        const id = match[1] ?? ''
        const until = Date.now() + Number(match[2]) * 1000
        while (!hlrResults.has(id) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
        const result = hlrResults.get(id) ?? null
        return checked(rest.hlrStatusResponseSchema, {
          id,
          status: result === null ? 'pending' : 'done',
          msisdn: '37069555555',
          result,
        })
      },
    ],
    [
      /^GET \/operators\/(\d+)$/,
      'GET /operators',
      (_request, match) =>
        match[1] === '404'
          ? errorAnswer('NOT_FOUND')
          : checked(rest.operatorResponseSchema, { name: 'BITE', country: 'LT', mcc: '246', mnc: ['02', '028'] }),
    ],
    [
      /^GET \/mccmnc\/([A-Z]{2})\?Page=(\d+)$/,
      'GET /mccmnc',
      (_request, match) =>
        checked(rest.mccMncResponseSchema, [{ country: match[1] ?? '', mcc: '246', mnc: '02', operatorId: 7 }]),
    ],
    [
      /^GET \/prefixes\/([A-Z]{2})\?Page=(\d+)$/,
      'GET /prefixes',
      (_request, match) =>
        checked(
          rest.prefixesResponseSchema,
          Array.from({ length: match[2] === '1' ? rest.PAGE_SIZE : 1 }, (_, index) => ({
            country: match[1] ?? '',
            prefix: `3706${index}`,
            operatorId: 7,
          })),
        ),
    ],
    [
      /^POST \/numbers\/correct$/,
      'POST /numbers/correct',
      ({ body }) =>
        checked(
          rest.correctNumbersResponseSchema,
          rest.correctNumbersRequestSchema.parse(body).map(({ number, country }) => ({
            input_number: number,
            country,
            number_type: 'mobile' as const,
            mobile: true,
            number_e164: '+37069555555',
            error: null,
          })),
        ),
    ],
  ]

  async function answer(request: SeenRequest): Promise<Answer> {
    const overridden = await upstream.override?.(request)
    if (overridden !== undefined) return overridden
    const row = tokens.get(request.token)
    if (row === undefined) return errorAnswer('TOKEN_INVALID')
    for (const [pattern, permission, handle] of routes) {
      const match = pattern.exec(`${request.method} ${request.path}`)
      if (match === null) continue
      if (permission !== null && !row.permissions.includes(permission)) return errorAnswer('PERMISSION_MISSING')
      return handle(request, match)
    }
    return errorAnswer('NOT_FOUND')
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/readyz') {
      response.end('{}')
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const given: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      token: String(request.headers[TOKEN_HEADER]),
      edgeSecret: request.headers[EDGE_SECRET_HEADER] as string | undefined,
      address: request.headers[CLIENT_ADDRESS_HEADER] as string | undefined,
      idempotencyKey: request.headers[IDEMPOTENCY_KEY_HEADER] as string | undefined,
      body: text === '' ? undefined : JSON.parse(text),
    }
    seen.push(given)
    const result = await answer(given)
    if (result === 'hang') return
    if (result === 'cut') {
      response.socket?.destroy()
      return
    }
    if (result === 'drip') {
      const dripping = setInterval(() => response.write(' '), 50)
      response.once('close', () => clearInterval(dripping))
      return
    }
    if (result === 'halting') {
      setTimeout(() => response.flushHeaders(), HALT_MS)
      setTimeout(() => response.end('{}'), 2 * HALT_MS)
      return
    }
    const isText = typeof result.body === 'string'
    response.writeHead(result.status, {
      'content-type': isText ? 'text/plain' : 'application/json',
      ...result.headers,
    })
    response.end(isText ? (result.body as string) : JSON.stringify(result.body))
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  const listen = () =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', () => {
        port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  await listen()

  const upstream: Upstream = {
    url: `http://127.0.0.1:${port}`,
    tokens,
    seen,
    override: undefined,
    pricePerPart: 0.04,
    states,
    hlrResults,
    start: listen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return upstream
}
