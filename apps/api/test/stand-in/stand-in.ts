// The real REST API as far as it is known, as a program of its own: its recorded shapes, its quirks, and faults on demand.
// It shares no code with the product, counts what it accepted, and reports to whatever address it was given.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { correct, networksOf, operatorById, partsOf, prefixesOf, RATES, readMobile } from './data.ts'

/** What goes wrong with a call, and how. */
export interface Fault {
  /** `POST /sms` and the like; any call where absent. */
  readonly route?: string
  readonly kind: 'slow' | 'status' | 'reset_before' | 'reset_after' | 'garbage' | 'half' | 'redirect' | 'body'
  /** For `slow`. */
  readonly ms?: number
  /** For `status` and `body`. */
  readonly status?: number
  readonly body?: unknown
  /** Once where absent; -1 for ever. */
  readonly times?: number
}

/** What is told of a message. */
export interface Outcome {
  readonly status: number
  readonly error: number
  readonly mcc?: string
  readonly mnc?: string
}

/** A message or lookup that was accepted: one hand-over. */
export interface Accepted {
  readonly id: string
  readonly to: string
  readonly token: string
  /** Of the request. */
  readonly body: Record<string, unknown>
  readonly parts: number
  readonly address: string | undefined
  outcome: Outcome | null
}

/** How it behaves. */
export interface Behaviour {
  /** Tokens that it takes. */
  tokens: string[]
  /** From one message of a token to the next: a second there; the surplus is answered in its turn. Null is no pace. */
  paceMs: number | null
  /** From a message to its report; null for no report. */
  reportAfterMs: number | null
  /** What becomes of messages, by the last digits of their number; delivered where none fits. */
  outcomes: Record<string, Outcome>
  /** Each report comes twice. */
  isDoubled: boolean
  /** Parts that it says it sent, where that is not as many as there are. */
  parts: number | null
  /** Members of a price that replace the right ones. */
  cost: Record<string, unknown>
  rates: readonly unknown[]
  /** Decides of each call whether something goes wrong with it; what was ordered comes first. */
  chance: ((route: string) => Fault | undefined) | null
}

/** A running stand-in. */
export interface StandIn {
  readonly url: string
  readonly behaviour: Behaviour
  readonly accepted: Accepted[]
  readonly lookups: Accepted[]
  /** Where the end of each name's review is to be told, also of those that are refused. */
  readonly reviewAddresses: string[]
  /** What arrived on phones: the PINs. */
  readonly texts: { to: string; message: string }[]
  /** Every call, by route. */
  readonly calls: string[]
  fault(fault: Fault): void
  /** Posts a report to the address of something that was accepted; what was answered. */
  report(of: Accepted, body: unknown): Promise<{ status: number; body: string }>
  close(): Promise<void>
}

interface Call {
  readonly route: string
  readonly path: string
  readonly query: URLSearchParams
  readonly token: string
  readonly body: unknown
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
}

const SENDER = /^(?! )(?=.*[A-Za-z])[A-Za-z0-9 .\-_&#!]{1,11}(?<! )$/
const REPORT_AGAIN_MS = 50
const FIELD = (name: string, more: string): Reply => ({
  status: 400,
  body: { message: `Invalid value for field '${name}'. ${more}` },
})

/** Starts one on a free port, or the named one. */
export async function startStandIn(changes: Partial<Behaviour> = {}, port = 0): Promise<StandIn> {
  const behaviour: Behaviour = {
    tokens: ['upstream-token-of-the-tests-0001'],
    paceMs: null,
    reportAfterMs: 20,
    outcomes: {},
    isDoubled: false,
    parts: null,
    cost: {},
    rates: RATES,
    chance: null,
    ...changes,
  }
  const faults: { fault: Fault; left: number }[] = []
  const accepted: Accepted[] = []
  const lookups: Accepted[] = []
  const texts: StandIn['texts'] = []
  const reviewAddresses: string[] = []
  const calls: string[] = []
  const senders = new Map<string, { name: string; type: string; pin: string; confirmed: boolean }>()
  const turns = new Map<string, number>()
  const sockets = new Set<Socket>()
  let nextId = 1_281_532_560
  let closed = false

  function take(route: string): Fault | undefined {
    const found = faults.find(({ fault, left }) => left !== 0 && (fault.route ?? route) === route)
    if (found) found.left--
    return found ? found.fault : behaviour.chance?.(route)
  }

  const post = async (of: Accepted, body: unknown) => {
    const answer = await fetch(of.address ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: await answer.text() }
  }

  /** Until it is taken, as the real one. */
  async function postUntilTaken(of: Accepted, body: unknown): Promise<void> {
    while (!closed) {
      const taken = await post(of, body).catch(() => null)
      if (taken?.status === 200 && taken.body.trim() === 'OK') return
      await new Promise((resolve) => setTimeout(resolve, REPORT_AGAIN_MS))
    }
  }

  function later(of: Accepted, work: () => Promise<void>): void {
    if (behaviour.reportAfterMs === null || of.address === undefined) return
    setTimeout(() => void work(), behaviour.reportAfterMs).unref()
  }

  const HANDLERS: Record<string, (call: Call, id: string) => Reply> = {
    'POST /sms': ({ body, token }) => {
      const { to, from, message, coding, udh, dlrUrl } = body as Record<string, string>
      const number = readMobile(String(to))
      if (!number) return FIELD('to', 'It must be a valid MSISDN.')
      if (typeof from !== 'string' || !isSender(from)) {
        return FIELD(
          'from',
          'Sender ID must either be a valid MSISDN or an alpha-numeric string (max. length: 11 characters), which may consist only of upper+lower-case latin letters, digits, spaces and dots.',
        )
      }
      if (udh !== undefined && (coding === undefined || !/^(%[0-9A-Fa-f]{2})+$/.test(udh))) return FIELD('udh', '')
      const parts = typeof message === 'string' && message !== '' ? partsOf(message, coding !== undefined) : undefined
      if (parts === undefined) return FIELD('message', 'It does not fit.')
      const id = String(nextId++)
      const outcome = outcomeOf(String(to)) ?? {
        status: 1,
        error: 0,
        mcc: number.network?.MCC ?? '246',
        mnc: number.network?.MNC ?? '01',
      }
      const one: Accepted = {
        id,
        to: String(to),
        token,
        body: body as Record<string, unknown>,
        parts,
        address: dlrUrl,
        outcome: null,
      }
      accepted.push(one)
      later(one, async () => {
        one.outcome = outcome
        for (let times = behaviour.isDoubled ? 2 : 1; times > 0; times--)
          await postUntilTaken(one, { id, mcc: '', mnc: '', ...outcome })
      })
      if (dlrUrl === undefined) setTimeout(() => (one.outcome = outcome), behaviour.reportAfterMs ?? 1e9).unref()
      // Both are seen.
      return {
        status: accepted.length % 2 === 0 ? 200 : 201,
        body: [id],
        headers: { 'X-VertexSMS-Amount-Sent': String(behaviour.parts ?? parts) },
      }
    },
    'POST /sms/cost': ({ body }) => {
      const { to, from, message } = body as Record<string, string>
      const number = readMobile(String(to))
      if (!number?.network) return FIELD('to', 'It must be a valid MSISDN.')
      const parts = partsOf(String(message), false) ?? 1
      const pricePerPart = Number(number.network.Rate)
      const totalPrice = Number((pricePerPart * parts).toFixed(6))
      const mccmnc = number.network.MCC + (number.network.MNC ?? '')
      const cost = {
        from,
        to,
        parts,
        countryISO: number.country,
        mccmnc,
        pricePerPart,
        totalPrice,
        currency: 'EUR',
        ...behaviour.cost,
      }
      return { status: 200, body: parts === 1 ? [cost] : cost }
    },
    'GET /sms/status': (_call, id) => {
      const one = accepted.find((candidate) => candidate.id === id)
      if (!one) return { status: 404, body: { message: 'Not found' } }
      return { status: 200, body: { id, status: one.outcome?.status ?? 0, error: one.outcome?.error ?? 0 } }
    },
    'GET /rates/': () => ({ status: 200, body: behaviour.rates }),
    'POST /hlr': ({ body, token }) => {
      const { msisdn, callBackUrl } = body as Record<string, string>
      const number = readMobile(String(msisdn))
      if (!number) return FIELD('msisdn', 'It must be a valid MSISDN.')
      if (typeof callBackUrl !== 'string') return FIELD('callBackUrl', 'It is required.')
      const id = nextId++
      const one: Accepted = {
        id: String(id),
        to: String(msisdn),
        token,
        body: body as Record<string, unknown>,
        parts: 1,
        address: callBackUrl,
        outcome: null,
      }
      lookups.push(one)
      const failed = outcomeOf(String(msisdn))
      const result = failed
        ? { id: String(id), error: String(failed.error) }
        : {
            id: String(id),
            error: '0',
            imsi: '246010000000001',
            country: number.country,
            operatorId: 100,
            mcc: number.network?.MCC ?? '246',
            mnc: number.network?.MNC ?? '01',
            ported: [{ operatorId: 101, operator: 'BITE', country: 'LT' }],
          }
      later(one, () => postUntilTaken(one, result))
      return { status: 201, body: [id] }
    },
    'POST /senderId': ({ body }) => {
      const { name, type, category, notificationUrl } = body as Record<string, string>
      const id = String(nextId++)
      if (notificationUrl !== undefined) reviewAddresses.push(notificationUrl)
      const pin = String(10_000 + senders.size * 7)
      if (type === 'MSISDN') {
        if (!readMobile(String(name))) return FIELD('name', 'It must be a valid MSISDN.')
        texts.push({ to: String(name), message: `${pin} is your code` })
      } else if (!/^.{3,11}$/.test(String(name)) || category === undefined) return FIELD('name', '')
      if ([...senders.values()].some((sender) => sender.name === name && (sender.confirmed || type !== 'MSISDN'))) {
        return { status: 409, body: { message: 'Already registered' } }
      }
      senders.set(id, { name: String(name), type: String(type), pin, confirmed: false })
      const of = { address: notificationUrl } as Accepted
      later(of, () => postUntilTaken(of, { id, name, status: 'confirmed' }))
      return { status: 201, body: id }
    },
    'POST /senderId/confirm': ({ body }, id) => {
      const sender = senders.get(id)
      if (sender?.type !== 'MSISDN') return { status: 404, body: { message: 'Not found' } }
      if (sender.confirmed) return { status: 409, body: { message: 'Confirmed already' } }
      if ((body as { code?: unknown }).code !== sender.pin) return { status: 400, body: { message: 'Wrong code' } }
      sender.confirmed = true
      return { status: 200, body: 'OK' }
    },
    'GET /operators': (_call, id) => found(operatorById(Number(id))),
    'GET /mccmnc': ({ query }, country) => found(networksOf(country, Number(query.get('Page') ?? 1))),
    'GET /prefixes': ({ query }, country) => found(prefixesOf(country, Number(query.get('Page') ?? 1))),
    'POST /numbers/correct': ({ body }) => ({
      status: 200,
      body: (body as { number: string; country: string }[]).map(({ number, country }) =>
        correct(String(number), country),
      ),
    }),
  }

  const found = (value: unknown): Reply =>
    value === undefined ? { status: 404, body: { message: 'Not found' } } : { status: 200, body: value }
  const outcomeOf = (msisdn: string) =>
    Object.entries(behaviour.outcomes).find(([digits]) => msisdn.endsWith(digits))?.[1]

  function isSender(from: string): boolean {
    if (SENDER.test(from)) return true
    return [...senders.values()].some(({ name, confirmed }) => name === from && confirmed)
  }

  /** At the operator's pace: answered in its turn. */
  async function turn(token: string): Promise<void> {
    if (behaviour.paceMs === null) return
    const at = Math.max(Date.now(), turns.get(token) ?? 0)
    turns.set(token, at + behaviour.paceMs)
    await new Promise((resolve) => setTimeout(resolve, at - Date.now()))
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://stand-in')
    const [name, id] = routeOf(`${request.method} ${url.pathname}`, Object.keys(HANDLERS))
    calls.push(name)
    const fault = take(name)
    if (fault?.kind === 'reset_before') return void request.socket.destroy()
    if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms ?? 0))
    if (fault?.kind === 'redirect') return write(response, { status: 302, body: '', headers: { location: '/sms' } })
    if (fault?.kind === 'status')
      return write(response, { status: fault.status ?? 500, body: fault.body ?? { message: 'Fault' } })
    const token = request.headers['x-vertexsms-token']
    if (typeof token !== 'string' || !behaviour.tokens.includes(token) || url.searchParams.has('at')) {
      return write(response, { status: 401, body: { message: 'Authentication failed' } })
    }
    const handler = HANDLERS[name]
    if (!handler) return write(response, { status: 404, body: { message: 'Not found' } })
    const text = Buffer.concat(chunks).toString()
    if (name === 'POST /sms') await turn(token)
    const reply = handler(
      { route: name, path: url.pathname, query: url.searchParams, token, body: text === '' ? {} : JSON.parse(text) },
      id,
    )
    if (fault?.kind === 'reset_after') return void request.socket.destroy()
    if (fault?.kind === 'garbage') return write(response, { status: 200, body: '<html>maintenance</html>' })
    if (fault?.kind === 'body')
      return write(response, { ...reply, status: fault.status ?? reply.status, body: fault.body })
    if (fault?.kind === 'half') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('["12')
      return void setTimeout(() => request.socket.destroy(), 5)
    }
    write(response, reply)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy())
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behaviour,
    accepted,
    lookups,
    reviewAddresses,
    texts,
    calls,
    fault: (fault) => void faults.unshift({ fault, left: fault.times ?? 1 }),
    report: post,
    close: () =>
      new Promise<void>((resolve) => {
        closed = true
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** The route of a call, and what stands behind it in the path. */
function routeOf(call: string, routes: readonly string[]): [string, string] {
  if (routes.includes(call)) return [call, '']
  const [, route = call, id = ''] = /^(.*)\/([^/]+)$/.exec(call) ?? []
  return [route, decodeURIComponent(id)]
}

function write(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  // Plain text where the real one answers so.
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers })
  response.end(isText ? body : JSON.stringify(body))
}
