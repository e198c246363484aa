import { hashToken } from '@vertexsms/secrets/hash-token'
import { Circuit, SharedCircuit } from '@vertexsms/service/circuit'
import { createMemory } from '@vertexsms/service/memory'
import { type Dispatcher, Pool } from 'undici'
import { AMOUNT_SENT_HEADER, TOKEN_HEADER } from './wire.ts'

/** One call: built by the file of its topic, which also judges the answer. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST'
  /** Below the address of the API. */
  readonly path: string
  readonly body?: unknown
}

/** What came back. */
export type UpstreamAnswer =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** Parts that were sent, as the header says; null where it says nothing. */
      readonly amountSent: string | null
      readonly body: string
    }
  | {
      /** No answer that is whole: no connection, out of time, cut off, or larger than any that makes sense. */
      readonly kind: 'silence'
      /** False where it is certain that nothing of the call has left. */
      readonly handedOver: boolean
    }

/** How long a call may take, in all, and how much its answer may hold. */
export interface CallLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Calls the real REST API. Each call is made once: nothing is repeated, and no redirect is followed. Never throws. */
export interface UpstreamClient {
  call(token: string, request: UpstreamRequest, limits: CallLimits): Promise<UpstreamAnswer>
  close(): Promise<void>
}

/** As many as all accounts together have on the way at one time; more wait for a connection. */
const CONNECTIONS_MAX = 256
const CONNECT_TIMEOUT_MS = 3_000
/** Short, because a call on a connection that the other side is just closing has an unknown outcome. */
const KEEP_ALIVE_MS = 4_000

/** Calls of one token on the way at one time: its hand-overs and as many reads; more wait, so that no account has all connections. */
const CALLS_MAX = 16
/** Tokens whose silence is remembered. */
const TOKENS_MAX = 10_000

/** What is known of one token: whether its calls are answered, and which of them wait. */
interface Line {
  /** The operator lets the surplus of a token wait: its silence says nothing of other tokens. */
  readonly circuit: Circuit
  readonly waiting: { readonly exchange: Exchange; readonly dispatch: () => void }[]
  free: number
}

/**
 * A client of the API at this address; connections are kept alive. While no connection can be made all calls fail at once,
 * and while a token's calls are not answered, those of this token.
 */
export function createUpstreamClient(apiUrl: string): UpstreamClient {
  const { origin, pathname } = new URL(apiUrl)
  const prefix = pathname === '/' ? '' : pathname.replace(/\/$/, '')
  const pool = new Pool(origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  })
  const host = new SharedCircuit()
  const lines = createMemory<Line>(TOKENS_MAX)

  function lineOf(token: string): Line {
    const key = Buffer.from(hashToken(token)).toString('base64')
    const line = lines.get(key) ?? { circuit: new Circuit(), waiting: [], free: CALLS_MAX }
    lines.set(key, line)
    return line
  }

  return {
    call(token, { method, path, body }, limits) {
      const line = lineOf(token)
      if (!line.circuit.admits()) return Promise.resolve(NOT_CALLED)
      if (!host.admits()) {
        line.circuit.cancelled()
        return Promise.resolve(NOT_CALLED)
      }
      return new Promise((resolve) => {
        const exchange = new Exchange(limits, (answer, unreachable) => {
          if (answer.kind === 'answer') line.circuit.succeeded()
          else if (answer.handedOver) line.circuit.failed()
          else line.circuit.cancelled()
          if (unreachable) host.failed()
          else if (answer.kind === 'answer' || answer.handedOver) host.succeeded()
          resolve(answer)
        })
        const dispatch = () => {
          pool.dispatch(
            {
              method,
              path: prefix + path,
              headers: {
                [TOKEN_HEADER]: token,
                accept: 'application/json',
                'user-agent': 'VertexSMS-Connect',
                ...(body === undefined ? {} : { 'content-type': 'application/json' }),
              },
              body: body === undefined ? null : JSON.stringify(body),
              idempotent: false,
              // The call has a time of its own, for all of it.
              headersTimeout: 0,
              bodyTimeout: 0,
            },
            exchange,
          )
        }
        line.waiting.push({ exchange, dispatch })
        serve(line)
      })
    },
    close: () => pool.destroy(),
  }
}

const NOT_CALLED = { kind: 'silence', handedOver: false } as const

/** Calls whoever waits in a line while it has places; a call has its place until it ends, and one that ended waiting needs none. */
function serve(line: Line): void {
  while (line.free > 0) {
    const next = line.waiting.shift()
    if (next === undefined) return
    if (next.exchange.over) continue
    line.free--
    next.exchange.whenOver(() => {
      line.free++
      queueMicrotask(() => serve(line))
    })
    next.dispatch()
  }
}

/** One call on its way. Whatever ends it ends it once. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number
  readonly #settle: (answer: UpstreamAnswer, unreachable: boolean) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #whenOver = () => {}
  #status = 0
  #amountSent: string | null = null
  #size = 0
  readonly #chunks: Buffer[] = []

  /** `unreachable` is told where no connection could be made. */
  constructor({ timeoutMs, maxBytes }: CallLimits, settle: (answer: UpstreamAnswer, unreachable: boolean) => void) {
    this.#maxBytes = maxBytes
    this.#settle = settle
    this.#timer = setTimeout(
      () => this.#end({ kind: 'silence', handedOver: this.#controller !== undefined }),
      timeoutMs,
    )
  }

  /** A connection is there and the call is about to be written: from here on it may have been carried out. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) controller.abort(new Error('out of time'))
    else this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status
    const amount = headers[AMOUNT_SENT_HEADER]
    this.#amountSent = typeof amount === 'string' ? amount : null
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) this.#end({ kind: 'silence', handedOver: true })
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks).toString('utf8')
    this.#end({ kind: 'answer', status: this.#status, amountSent: this.#amountSent, body })
  }

  onResponseError(): void {
    const handedOver = this.#controller !== undefined
    this.#end({ kind: 'silence', handedOver }, !handedOver)
  }

  get over(): boolean {
    return this.#over
  }

  /** What is done at the end of a call that is under way. */
  whenOver(work: () => void): void {
    this.#whenOver = work
  }

  #end(answer: UpstreamAnswer, unreachable = false): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    if (answer.kind === 'silence') this.#controller?.abort(new Error('no whole answer'))
    this.#settle(answer, unreachable)
    this.#whenOver()
  }
}
