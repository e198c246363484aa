import { Circuit } from '@vertexsms/service/circuit'
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
const CONNECTIONS_MAX = 128
const CONNECT_TIMEOUT_MS = 3_000
/** Short, because a call on a connection that the other side is just closing has an unknown outcome. */
const KEEP_ALIVE_MS = 4_000

/** A client of the API at this address; connections are kept alive, and while nobody answers calls fail at once. */
export function createUpstreamClient(apiUrl: string): UpstreamClient {
  const { origin, pathname } = new URL(apiUrl)
  const prefix = pathname === '/' ? '' : pathname
  const pool = new Pool(origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  })
  const circuit = new Circuit()

  return {
    call(token, { method, path, body }, limits) {
      if (!circuit.admits()) return Promise.resolve({ kind: 'silence', handedOver: false })
      return new Promise((resolve) => {
        const exchange = new Exchange(limits, (answer) => {
          if (answer.kind === 'answer') circuit.succeeded()
          else circuit.failed()
          resolve(answer)
        })
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
      })
    },
    close: () => pool.destroy(),
  }
}

/** One call on its way. Whatever ends it ends it once. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number
  readonly #settle: (answer: UpstreamAnswer) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #status = 0
  #amountSent: string | null = null
  #size = 0
  readonly #chunks: Buffer[] = []

  constructor({ timeoutMs, maxBytes }: CallLimits, settle: (answer: UpstreamAnswer) => void) {
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
    this.#end({ kind: 'silence', handedOver: this.#controller !== undefined })
  }

  #end(answer: UpstreamAnswer): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    if (answer.kind === 'silence') this.#controller?.abort(new Error('no whole answer'))
    this.#settle(answer)
  }
}
