import { hashToken } from '@vertexsms/secrets/hash-token'
import { Circuit, SharedCircuit } from '@vertexsms/service/circuit'
import { setDeadline } from '@vertexsms/service/deadline'
import { FairSemaphore } from '@vertexsms/service/fair-semaphore'
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

const CONNECT_TIMEOUT_MS = 3_000
/** Short, because a call on a connection that the other side is just closing has an unknown outcome. */
const KEEP_ALIVE_MS = 4_000

/**
 * Calls on the way at one time: of one token its hand-overs and as many reads, so that no account has all connections; of
 * all as many as there are connections, of which a quarter is kept for tokens that have few.
 */
const TURNS = { each: 16, all: 256, kept: 64, few: 2 } as const
/** How much of its time a call may wait for its turn: what is made with hardly any left has an unknown outcome. */
const WAIT_SHARE = 0.5
/** Tokens whose silence is remembered. */
const TOKENS_MAX = 10_000

/**
 * A client of the API at this address; connections are kept alive. While no connection can be made all calls fail at once,
 * and while a token's calls are not answered, those of this token. A call that has no turn in time is not made.
 */
export function createUpstreamClient(apiUrl: string): UpstreamClient {
  const { origin, pathname } = new URL(apiUrl)
  const prefix = pathname === '/' ? '' : pathname.replace(/\/$/, '')
  const pool = new Pool(origin, {
    connections: TURNS.all,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  })
  const host = new SharedCircuit()
  /** The operator lets the surplus of a token wait: its silence says nothing of other tokens. */
  const circuits = createMemory<Circuit>(TOKENS_MAX)
  const turns = new FairSemaphore(TURNS)

  function circuitOf(key: string): Circuit {
    const circuit = circuits.get(key) ?? new Circuit()
    circuits.set(key, circuit)
    return circuit
  }

  function exchange(
    token: string,
    { method, path, body }: UpstreamRequest,
    ends: { readonly endsAt: number; readonly maxBytes: number },
  ): Promise<Outcome> {
    return new Promise((resolve) => {
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
        new Exchange(ends, resolve),
      )
    })
  }

  return {
    async call(token, request, { timeoutMs, maxBytes }) {
      const key = Buffer.from(hashToken(token)).toString('base64')
      const circuit = circuitOf(key)
      const endsAt = performance.now() + timeoutMs
      if (!turns.take(key)) {
        if (circuit.isOpen || host.isOpen || !(await turns.wait(key, timeoutMs * WAIT_SHARE))) return NOT_CALLED
      }
      try {
        // Only now: whether calls are answered may have shown while this one waited.
        if (!circuit.admits()) return NOT_CALLED
        if (!host.admits()) {
          circuit.cancelled()
          return NOT_CALLED
        }
        const { answer, isUnreachable } = await exchange(token, request, { endsAt, maxBytes })
        if (answer.kind === 'answer') circuit.succeeded()
        else if (answer.handedOver) circuit.failed()
        else circuit.cancelled()
        if (isUnreachable) host.failed()
        else if (answer.kind === 'answer' || answer.handedOver) host.succeeded()
        return answer
      } finally {
        turns.giveBack(key)
      }
    },
    close: () => pool.destroy(),
  }
}

const NOT_CALLED = { kind: 'silence', handedOver: false } as const
const NO_WHOLE_ANSWER = { kind: 'silence', handedOver: true } as const

/** How a call ended. */
interface Outcome {
  readonly answer: UpstreamAnswer
  /** True where no connection could be made. */
  readonly isUnreachable: boolean
}

/** One call on its way. Whatever ends it ends it once. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number
  readonly #settle: (outcome: Outcome) => void
  readonly #endsAt: number
  #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #status = 0
  #amountSent: string | null = null
  #size = 0
  readonly #chunks: Buffer[] = []

  constructor(
    { endsAt, maxBytes }: { readonly endsAt: number; readonly maxBytes: number },
    settle: (outcome: Outcome) => void,
  ) {
    this.#maxBytes = maxBytes
    this.#settle = settle
    this.#endsAt = endsAt
    // Of a call that is not written there is nothing to read: it ends before it can be.
    this.#timer = setTimeout(() => this.#end(NOT_CALLED), endsAt - performance.now())
  }

  /** A connection is there and the call is about to be written: from here on it may have been carried out. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (performance.now() >= this.#endsAt) this.#end(NOT_CALLED)
    if (this.#over) {
      controller.abort(new Error('out of time'))
      return
    }
    this.#controller = controller
    clearTimeout(this.#timer)
    this.#timer = setDeadline(() => this.#end(NO_WHOLE_ANSWER), this.#endsAt - performance.now())
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
    if (this.#size > this.#maxBytes) this.#end(NO_WHOLE_ANSWER)
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks).toString('utf8')
    this.#end({ kind: 'answer', status: this.#status, amountSent: this.#amountSent, body })
  }

  onResponseError(): void {
    if (this.#controller === undefined) this.#end(NOT_CALLED, true)
    else this.#end(NO_WHOLE_ANSWER)
  }

  #end(answer: UpstreamAnswer, isUnreachable = false): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    if (answer.kind === 'silence') this.#controller?.abort(new Error('no whole answer'))
    this.#settle({ answer, isUnreachable })
  }
}
