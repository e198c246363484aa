import {
  CLIENT_ADDRESS_HEADER,
  EDGE_SECRET_HEADER,
  IDEMPOTENCY_KEY_HEADER,
  REQUEST_ID_HEADER,
  TOKEN_HEADER,
} from '@vertexsms/contract/headers'
import { FairSemaphore } from '@vertexsms/service/fair-semaphore'
import { Pool } from 'undici'
import type { Caller } from '../caller/caller.ts'
import { Answering, type ApiAnswer, NoAnswer, type Settle } from './answer.ts'
import { Circuits } from './circuits.ts'
import { TURN_WAIT_MAX_MS } from './timeouts.ts'

/** What of a caller a request to the API carries, and whose turn it takes. */
type ApiCaller = Pick<Caller, 'token' | 'address' | 'requestId' | 'account' | 'key'>

/** One request to the API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  /** JSON text of the body. */
  readonly body?: string
  /** How long the answer may take; before that its turn may, which {@link TURN_WAIT_MAX_MS} bounds, too. */
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

/** Whom a request is made for: whoever has gone before it had its turn, for him it is not made. */
export interface Asker {
  /** Is looked at by a request that waits for its turn, and by no other: it may be made only then. */
  readonly signal: AbortSignal
}

/** The most that any request may take, whatever its own time. */
export interface ApiTimes {
  /** For its answer; nothing but its own time bounds it where this is absent. */
  readonly answerMaxMs?: number
  /** For its turn, {@link TURN_WAIT_MAX_MS} where it is absent. */
  readonly turnMaxMs?: number
}

/** Makes one request; rejects with {@link NoAnswer} and nothing else. */
export interface ApiClient {
  request(caller: ApiCaller, request: ApiRequest, asker?: Asker): Promise<ApiAnswer>
  close(): Promise<void>
}

/**
 * Requests to the API at one time: of an account, and of all, which is as many as there are connections. A quarter is kept
 * for accounts that have few.
 */
const TURNS = { each: 64, all: 256, kept: 64, few: 8 } as const
/** Requests that wait at the API at one time: each holds a connection of the pool that is theirs alone. */
export const WAITS_MAX = 256
const CONNECT_TIMEOUT_MS = 700
const KEEP_ALIVE_MS = 30_000
const ANSWER_MAX_BYTES = 8 * 1024 * 1024

/**
 * The connections to the API: keep-alive, time limits, and circuits that answer at once while the API is down, or silent
 * to one account.
 * Requests that wait have a pool of their own, so that however many wait, the others find a free connection; for these
 * requests take turns, of which an account has a share. One that had no turn in time was not handed over, and says
 * nothing of the API. While the API is silent none is waited for, nor once `draining` aborts: the process would be gone first.
 * No answer is waited for longer than its request's own time from where that is written, nor than `answerMaxMs`.
 * A read that fails on a connection the API had just closed is repeated once; anything with an effect never is.
 */
export function createApiClient(
  apiUrl: string,
  edgeSecret: string,
  draining: AbortSignal,
  { answerMaxMs = Number.POSITIVE_INFINITY, turnMaxMs = TURN_WAIT_MAX_MS }: ApiTimes = {},
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
  const pool = createPool(TURNS.all)
  const waitPool = createPool(WAITS_MAX)
  const circuits = new Circuits()
  const turns = new FairSemaphore(TURNS)

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
      // One time for the whole answer is kept by what collects it: the pool has one for the head, and another for each piece.
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    const connections = request.waits === true ? waitPool : pool
    connections.dispatch(options, new Answering(request, timeoutMs, settle))
  }

  function allowedMs({ timeoutMs }: ApiRequest): number {
    return Math.min(timeoutMs, answerMaxMs)
  }

  /** Whose silence and turns a request counts among: the account, or its token until that is known. */
  function ownerOf({ account, key }: ApiCaller): string {
    return account ?? key
  }

  /** `over` is called once, at the end of the request, whatever it is. */
  function ask(of: string, caller: ApiCaller, request: ApiRequest, over: () => void): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted || !circuits.admits(of, request)) {
        over()
        return reject(new NoAnswer(false, false))
      }
      let mayRepeat = !request.effect
      const settle: Settle = {
        answered(answer) {
          over()
          circuits.answered(of)
          resolve(answer)
        },
        failed(failure) {
          if (mayRepeat && isStaleConnection(failure)) {
            mayRepeat = false
            return send(caller, request, settle)
          }
          over()
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
    request(caller, request, asker) {
      const of = ownerOf(caller)
      if (request.waits === true) return ask(of, caller, request, () => {})
      const over = () => turns.giveBack(of)
      if (turns.take(of)) return ask(of, caller, request, over)
      if (circuits.isOpen(of)) return Promise.reject(new NoAnswer(false, false))
      const withinMs = Math.min(allowedMs(request), turnMaxMs)
      const gone = request.signal ?? asker?.signal
      return turns
        .wait(of, withinMs, gone === undefined ? draining : AbortSignal.any([gone, draining]))
        .then((isNow) => {
          if (!isNow) throw new NoAnswer(false, true)
          return ask(of, caller, request, over)
        })
    },
    async close() {
      await Promise.all([pool.destroy(), waitPool.destroy()])
    },
  }
}

// A string of structured fields (RFC 8941 §3.3.3).
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

function isStaleConnection(failure: NoAnswer): boolean {
  const code = (failure.cause as { code?: string } | undefined)?.code
  return failure.handedOver && (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
}
