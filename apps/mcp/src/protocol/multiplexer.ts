import type {
  JSONRPCMessage,
  JSONRPCRequest,
  MessageExtraInfo,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/server'
import type { Exchange, RpcResponse } from './exchange.ts'
import { Slots } from './slots.ts'

/** What the multiplexer calls on the protocol layer. */
export type Deliver = NonNullable<Transport['onmessage']>

/**
 * Carries the requests of all callers through one protocol server. Every request gets a number of ours as its
 * JSON-RPC id, because clients choose ids freely and two callers may use the same one at the same time; the answer,
 * its notifications and a cancellation find their exchange by that number alone. No notification of a client ever
 * reaches the shared server, so none can touch a request that is not its sender's.
 */
export class Multiplexer {
  readonly #exchanges = new Slots<Exchange>()
  #dispatching = false

  /** How many requests are under way. */
  get size(): number {
    return this.#exchanges.size
  }

  /** Hands a request to the protocol layer and returns its number. */
  dispatch(deliver: Deliver, message: JSONRPCRequest, exchange: Exchange, extra: MessageExtraInfo | undefined): number {
    const number = this.#exchanges.add(exchange)
    this.#dispatching = true
    try {
      deliver({ jsonrpc: '2.0', id: number, method: message.method, ...paramsOf(message) }, extra)
    } finally {
      this.#dispatching = false
    }
    return number
  }

  /** Ends a request whose client has gone: its handler sees its signal abort, and no answer is written. */
  cancel(deliver: Deliver, number: number, extra: MessageExtraInfo | undefined): void {
    if (!this.#exchanges.delete(number)) return
    const params = { requestId: number, reason: 'The client disconnected' }
    deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, extra)
  }

  /** The exchange behind a number; undefined once it was answered or cancelled. */
  exchange(number: number): Exchange | undefined {
    return this.#exchanges.get(number)
  }

  /** Routes what the protocol layer sends. Throws for a request to the client: there is no channel for one. */
  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if ('method' in message) {
      if ('id' in message) throw new Error('This server sends no requests to clients')
      if (typeof options?.relatedRequestId === 'number') {
        this.#exchanges.get(options.relatedRequestId)?.notify(message)
      }
      return
    }
    this.answer(message as RpcResponse)
  }

  /** Gives an answer to its exchange, with the id the client chose; nothing happens when the exchange has ended. */
  answer(response: RpcResponse): void {
    const number = response.id as number
    const exchange = this.#exchanges.get(number)
    if (exchange === undefined) return
    this.#exchanges.delete(number)
    response.id = exchange.requestId
    exchange.settle(response, this.#dispatching)
  }
}

function paramsOf({ params }: JSONRPCRequest): Pick<JSONRPCRequest, 'params'> {
  return params === undefined ? {} : { params }
}
