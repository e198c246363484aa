import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { API_ERRORS, type ApiErrorCode } from '@vertexsms/contract/api-errors'
import {
  AMOUNT_SENT_HEADER,
  CLIENT_ADDRESS_HEADER,
  EDGE_SECRET_HEADER,
  TOKEN_HEADER,
} from '@vertexsms/contract/headers'
import { PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import * as rest from '@vertexsms/contract/rest'
import type { z } from 'zod'

/** A token as the upstream knows it. */
export interface UpstreamToken {
  account: string
  permissions: readonly Permission[]
}

/** One request the upstream has seen. */
export interface SeenRequest {
  method: string
  path: string
  token: string
  edgeSecret: string | undefined
  address: string | undefined
  body: unknown
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> } | 'hang' | 'cut'

/** A REST API of the contract's shape on loopback, whose every request and answer is checked with the contract. */
export interface Upstream {
  readonly url: string
  readonly tokens: Map<string, UpstreamToken>
  readonly seen: SeenRequest[]
  /** Answers the next matching requests instead; returns undefined to answer as usual. */
  override: ((request: SeenRequest) => Answer | undefined | Promise<Answer | undefined>) | undefined
  /** EUR, as `POST /sms/cost` answers. */
  pricePerPart: number
  /** What `GET /hlr/{id}` finds; unset while the lookup runs. */
  readonly hlrResults: Map<string, rest.HlrResult>
  stop(): Promise<void>
  start(): Promise<void>
}

const RATES: rest.Rate[] = [
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

export function errorAnswer(code: ApiErrorCode, errorCode: number | null = null): Answer {
  const { status, message } = API_ERRORS[code]
  return { status, body: rest.apiErrorBodySchema.parse({ message, code, error_code: errorCode }) }
}

function checked<Schema extends z.ZodType>(schema: Schema, body: z.input<Schema>): Answer {
  return { status: 200, body: schema.parse(body) }
}

export const ALL_PERMISSIONS: readonly Permission[] = PERMISSIONS

export async function startUpstream(): Promise<Upstream> {
  const tokens = new Map<string, UpstreamToken>()
  const seen: SeenRequest[] = []
  const hlrResults = new Map<string, rest.HlrResult>()
  let nextId = 1_281_532_560
  let port = 0

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
        })
      },
    ],
    [
      /^POST \/sms$/,
      'POST /sms',
      ({ body }) => {
        const { to, message } = rest.sendSmsRequestSchema.parse(body)
        if (/^4477009000(\d\d)$/.test(to)) return errorAnswer('SEND_REFUSED', Number(to.slice(-2)))
        nextId += 1
        const parts = Math.ceil(message.length / 160)
        return {
          status: 200,
          body: rest.sendSmsResponseSchema.parse([String(nextId)]),
          headers: { [AMOUNT_SENT_HEADER]: String(parts) },
        }
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
        return code === '12345' ? { status: 200, body: '' } : errorAnswer('CODE_WRONG')
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
      body: text === '' ? undefined : JSON.parse(text),
    }
    seen.push(given)
    const result = await answer(given)
    if (result === 'hang') return
    if (result === 'cut') {
      response.socket?.destroy()
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
