import type { JSONRPCNotification } from '@modelcontextprotocol/server'
import type { FastifyReply } from 'fastify'
import type { ApiSession } from '../api/gateway.ts'
import type { Refusal } from '../auth/refusal.ts'
import type { Exchange, RequestId, RpcResponse } from '../protocol/exchange.ts'
import { JSON_TYPE } from './respond.ts'

const KEEP_ALIVE_MS = 15_000
const STREAM_TYPES = /text\/event-stream|\*\/\*/

// Errors which the protocol layer finds before any handler runs have an HTTP status of their own (2026-07-28,
// basic/transports/streamable-http); errors of a handler travel in a 200. A missing client capability is 400 always.
const STATUS_IN_DISPATCH: Readonly<Record<number, number>> = {
  [-32700]: 400,
  [-32600]: 400,
  [-32601]: 404,
  [-32602]: 400,
  [-32020]: 400,
  [-32022]: 400,
}
const MISSING_CLIENT_CAPABILITY = -32021

/** What an exchange needs to know of its era and its client. */
export interface ExchangeOptions {
  readonly reply: FastifyReply
  readonly requestId: RequestId
  readonly session: ApiSession
  /** True where protocol errors carry an HTTP status: the modern era. */
  readonly errorStatus: boolean
  /** The client's `Accept`; without an event stream in it notifications are dropped. */
  readonly accept: string | undefined
  /** Turns the answer into text. */
  readonly serialize: (response: RpcResponse) => string
  readonly refuse: (refusal: Refusal) => void
}

/** One request over HTTP: a JSON answer, or an event stream from the first notification on. */
export class HttpExchange implements Exchange {
  readonly requestId: RequestId
  readonly session: ApiSession
  readonly #reply: FastifyReply
  readonly #options: ExchangeOptions
  #done = false
  #keepAlive: NodeJS.Timeout | undefined

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#reply = options.reply
    this.requestId = options.requestId
    this.session = options.session
  }

  get streaming(): boolean {
    return this.#keepAlive !== undefined
  }

  /** True once the answer is out or the client has gone. */
  get done(): boolean {
    return this.#done
  }

  settle(response: RpcResponse, inDispatch: boolean): void {
    if (this.#done) return
    this.#done = true
    if (this.#keepAlive !== undefined) {
      this.#write(response)
      this.#endStream()
      return
    }
    let status = 200
    if ('error' in response && this.#options.errorStatus) {
      const { code } = response.error
      if (code === MISSING_CLIENT_CAPABILITY) status = 400
      else if (inDispatch) status = STATUS_IN_DISPATCH[code] ?? 200
    }
    this.#reply.code(status).header('content-type', JSON_TYPE).send(this.#options.serialize(response))
  }

  refuse(refusal: Refusal): void {
    if (this.#done) return
    this.#done = true
    this.#options.refuse(refusal)
  }

  notify(notification: JSONRPCNotification): void {
    const { accept } = this.#options
    if (this.#done || (accept !== undefined && !STREAM_TYPES.test(accept))) return
    if (this.#keepAlive === undefined) this.#openStream()
    this.#write(notification)
  }

  /** The client has gone: nothing more is written. */
  abandon(): void {
    this.#done = true
    clearInterval(this.#keepAlive)
  }

  #openStream(): void {
    const reply = this.#reply.hijack()
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    this.#keepAlive = setInterval(() => reply.raw.write(': keep-alive\n\n'), KEEP_ALIVE_MS).unref()
  }

  #write(message: RpcResponse | JSONRPCNotification): void {
    this.#reply.raw.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
  }

  #endStream(): void {
    clearInterval(this.#keepAlive)
    this.#reply.raw.end()
  }
}
