import type { IncomingHttpHeaders } from 'node:http'
import {
  CLIENT_ADDRESS_HEADER,
  EDGE_SECRET_HEADER,
  IDEMPOTENCY_KEY_HEADER,
  REQUEST_ID_HEADER,
  TOKEN_HEADER,
} from '@vertexsms/contract/headers'
import { type Dispatcher, Pool } from 'undici'
import type { Caller } from '../caller/caller.ts'
import { Circuits } from './circuits.ts'
import { Turns } from './turns.ts'
import { WAITS_MAX } from './wait-shares.ts'

/** What of a caller a request to the API carries, and whose turn it takes. */
type ApiCaller = Pick<Caller, 'token' | 'address' | 'requestId' | 'account' | 'key'>

/** One request to the API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  /** JSON text of the body. */
  readonly body?: string
  /** How long the answer may take, and before that the turn. */
  readonly timeoutMs: number
  /** True when repeating the request could spend money or change the account; it is then never repeated here. */
  readonly effect: boolean
  /** True when the API is asked to hold its answer back; such requests have connections of their own. */
  readonly waits?: boolean
  /** Makes the request count once, however often it is sent: visible ASCII. */
  readonly idempotencyKey?: string
  /** Ends the request early; a request with an effect only as long as it is not handed over. */
  readonly signal?: AbortSignal
}

/** What the API answered. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The API gave no answer. */
export class NoAnswer extends Error {
  override name = 'NoAnswer'
  /** True when the request was written to a connection, so that it may have been carried out. */
  readonly handedOver: boolean
  readonly timedOut: boolean

  constructor(handedOver: boolean, timedOut: boolean, cause?: unknown) {
    super('The API gave no answer', { cause })
    this.handedOver = handedOver
    this.timedOut = timedOut
  }
}

/** Makes one request; rejects with {@link NoAnswer} and nothing else. */
export interface ApiClient {
  request(caller: ApiCaller, request: ApiRequest): Promise<ApiAnswer>
  close(): Promise<void>
}

const CONNECTIONS_MAX = 256
const CONNECT_TIMEOUT_MS = 700
const KEEP_ALIVE_MS = 30_000
const ANSWER_MAX_BYTES = 8 * 1024 * 1024

/**
 * The connections to the API: keep-alive, time limits, and circuits that answer at once while the API is down, or silent
 * to one account.
 * Requests that wait have a pool of their own, so that however many wait, the others find a free connection; of these
 * an account has a share, within which its requests take turns.
 * No request is waited for longer than its own time, nor than `timeoutMaxMs`.
 * A read that fails on a connection the API had just closed is repeated once; anything with an effect never is.
 */
export function createApiClient(
  apiUrl: string,
  edgeSecret: string,
  timeoutMaxMs = Number.POSITIVE_INFINITY,
): ApiClient {
  const { origin, pathname } = new URL(apiUrl)
  const prefix = pathname === '/' ? '' : pathname
  const createPool = (connections: number) =>
    new Pool(origin, {
      connections,
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxResponseSize: ANSWER_MAX_BYTES,
    })
  const pool = createPool(CONNECTIONS_MAX)
  const waitPool = createPool(WAITS_MAX)
  const circuits = new Circuits()
  const turns = new Turns()

  function send(caller: ApiCaller, request: ApiRequest, settle: Settle): void {
    const headers = [
      TOKEN_HEADER,
      caller.token,
      EDGE_SECRET_HEADER,
      edgeSecret,
      CLIENT_ADDRESS_HEADER,
      caller.address,
      REQUEST_ID_HEADER,
      caller.requestId,
    ]
    if (request.body !== undefined) headers.push('content-type', 'application/json')
    const timeoutMs = allowedMs(request)
    if (request.idempotencyKey !== undefined) headers.push(IDEMPOTENCY_KEY_HEADER, quoted(request.idempotencyKey))
    const options = {
      method: request.method,
      path: prefix + request.path,
      headers,
      body: request.body ?? null,
      idempotent: !request.effect,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    }
    const connections = request.waits === true ? waitPool : pool
    connections.dispatch(options, new AnswerHandler(request, timeoutMs, settle))
  }

  function allowedMs({ timeoutMs }: ApiRequest): number {
    return Math.min(timeoutMs, timeoutMaxMs)
  }

  function ask(caller: ApiCaller, request: ApiRequest): Promise<ApiAnswer> {
    const of = whose(caller)
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted || !circuits.admits(of)) return reject(new NoAnswer(false, false))
      let mayRepeat = !request.effect
      const settle: Settle = {
        answered(answer) {
          circuits.answered(of)
          resolve(answer)
        },
        failed(failure) {
          if (mayRepeat && isStaleConnection(failure)) {
            mayRepeat = false
            return send(caller, request, settle)
          }
          if (request.signal?.aborted || (request.waits === true && failure.timedOut)) circuits.cancelled(of)
          else if (failure.handedOver) circuits.unanswered(of)
          else circuits.unreachable(of)
          reject(failure)
        },
      }
      send(caller, request, settle)
    })
  }

  return {
    request(caller, request) {
      if (request.waits === true) return ask(caller, request)
      return turns.take(whose(caller), async (waitedMs) => {
        if (waitedMs >= allowedMs(request)) throw new NoAnswer(false, true)
        return ask(caller, request)
      })
    },
    async close() {
      await Promise.all([pool.destroy(), waitPool.destroy()])
    },
  }
}

/** Whose silence and turns a request counts among. */
function whose({ account, key }: ApiCaller): string {
  return account ?? key
}

// A string of structured fields (RFC 8941 §3.3.3).
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

function isStaleConnection(failure: NoAnswer): boolean {
  const code = (failure.cause as { code?: string } | undefined)?.code
  return failure.handedOver && (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
}

interface Settle {
  answered(answer: ApiAnswer): void
  failed(failure: NoAnswer): void
}

/** Collects one answer; the least that undici needs, because this is the hot path. */
class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #request: ApiRequest
  readonly #settle: Settle
  readonly #timeoutMs: number
  #begunAt = 0
  #deadline: NodeJS.Timeout | undefined
  #isLate = false
  #handedOver = false
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #first: Buffer | undefined
  #rest: Buffer[] | undefined
  #onAbort: (() => void) | undefined

  constructor(request: ApiRequest, timeoutMs: number, settle: Settle) {
    this.#request = request
    this.#timeoutMs = timeoutMs
    this.#settle = settle
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { signal, effect } = this.#request
    if (signal?.aborted) {
      controller.abort(new Error('cancelled'))
      return
    }
    this.#handedOver = true
    this.#begunAt = performance.now()
    if (signal === undefined || effect) return
    this.#onAbort = () => controller.abort(new Error('cancelled'))
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
    // The pool has a time for the head, and for each piece of the body; a body in bits would never end.
    const leftMs = this.#begunAt + this.#timeoutMs - performance.now()
    this.#deadline ??= setTimeout(() => {
      this.#isLate = true
      controller.abort(new Error('late'))
    }, leftMs)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
  }

  onResponseEnd(): void {
    this.#release()
    const body = this.#rest === undefined ? this.#first : Buffer.concat(this.#rest)
    const text = body === undefined ? '' : body.toString()
    this.#settle.answered({ status: this.#status, headers: this.#headers, body: text })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#release()
    const code = (error as { code?: string }).code
    const timedOut = this.#isLate || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
    this.#settle.failed(new NoAnswer(this.#handedOver, timedOut, error))
  }

  #release(): void {
    clearTimeout(this.#deadline)
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}
