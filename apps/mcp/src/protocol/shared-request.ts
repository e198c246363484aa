import {
  type JSONRPCRequest,
  LOG_LEVEL_META_KEY,
  type LoggingLevel,
  type Notification,
  type RequestId,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { SharedTransport } from './transports.ts'

type Request = ServerContext['mcpReq']

// RFC 5424 severities, least severe first, as the protocol names them.
const LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]

/**
 * What a handler may do with its request, in the SDK's own shape. Only what is asked for is made; requests to the
 * client are refused, because a shared server has no channel for one.
 */
export class SharedRequest implements Request {
  readonly id: Request['id']
  readonly method: string
  readonly _meta: NonNullable<Request['_meta']>
  readonly envelope: NonNullable<Request['envelope']>
  readonly #server: Server
  readonly #transport: SharedTransport
  readonly #aborts: Map<RequestId, AbortController>
  #abort: AbortController | undefined

  constructor(
    server: Server,
    transport: SharedTransport,
    aborts: Map<RequestId, AbortController>,
    { id, method, params }: JSONRPCRequest,
    envelope: Request['envelope'],
  ) {
    this.id = id
    this.method = method
    this._meta = params?._meta ?? NOTHING
    this.envelope = envelope ?? NOTHING
    this.#server = server
    this.#transport = transport
    this.#aborts = aborts
  }

  /** Aborts when the client has gone; aborted from the start when it already has. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#transport.exchange(this.id as number) !== undefined) this.#aborts.set(this.id, this.#abort)
      else this.#abort.abort()
    }
    return this.#abort.signal
  }

  /** The request has been answered: nothing can cancel it any more. */
  end(): void {
    if (this.#abort !== undefined) this.#aborts.delete(this.id)
  }

  requestState(): undefined {
    return undefined
  }

  notify(notification: Notification): Promise<void> {
    return this.#server.notification(notification, { relatedRequestId: this.id })
  }

  /** Sends a log message: in the modern era from the level that this very request asked for, else always. */
  async log(level: LoggingLevel, data: unknown, logger?: string): Promise<void> {
    if (this.#server.getCapabilities().logging === undefined) return
    if (this.envelope !== NOTHING) {
      const wanted = (this.envelope as Record<string, unknown>)[LOG_LEVEL_META_KEY]
      if (wanted === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(wanted as LoggingLevel)) return
    }
    const params = { level, data, ...(logger === undefined ? {} : { logger }) }
    await this.notify({ method: 'notifications/message', params })
  }

  send(): Promise<never> {
    return refuse()
  }

  elicitInput(): Promise<never> {
    return refuse()
  }

  requestSampling(): Promise<never> {
    return refuse()
  }
}

const NOTHING = Object.freeze({})

function refuse(): Promise<never> {
  return Promise.reject(new Error('This server sends no requests to clients'))
}
