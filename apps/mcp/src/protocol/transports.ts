import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  PerRequestHTTPServerTransport,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/server'
import type { Exchange, RpcResponse } from './exchange.ts'
import { type Deliver, Multiplexer } from './multiplexer.ts'

/** The two generations of the protocol, which one URL serves: stateless with envelopes, and with a handshake. */
export type Era = 'modern' | 'legacy'

/** The revision of the modern era; it stands in every request's envelope. */
export const MODERN_REVISION = '2026-07-28'

/** The revisions of the handshake era, newest first: the first one is offered to a client that asks for another. */
export const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

/** A transport that lives as long as its server and carries many exchanges at once. */
export interface SharedTransport extends Transport {
  dispatch(message: JSONRPCRequest, exchange: Exchange): number
  cancel(number: number): void
  /** Gives an answer to the exchange it belongs to, if that is still there. */
  answer(response: RpcResponse): void
  exchange(number: number): Exchange | undefined
}

const MODERN_EXTRA: MessageExtraInfo = { classification: { era: 'modern', revision: MODERN_REVISION } }

/**
 * The shared transport of the modern era. It extends the SDK's transport for one exchange because connecting to one
 * is how a server learns that it speaks the modern revision; nothing else of the parent is used.
 */
export class ModernTransport extends PerRequestHTTPServerTransport implements SharedTransport {
  readonly #multiplexer = new Multiplexer()

  constructor() {
    super({ classification: { era: 'modern', revision: MODERN_REVISION } })
  }

  override async start(): Promise<void> {}

  override async close(): Promise<void> {
    this.onclose?.()
  }

  override send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    return this.#multiplexer.send(message, options)
  }

  dispatch(message: JSONRPCRequest, exchange: Exchange): number {
    return this.#multiplexer.dispatch(connected(this), message, exchange, MODERN_EXTRA)
  }

  cancel(number: number): void {
    this.#multiplexer.cancel(connected(this), number, MODERN_EXTRA)
  }

  answer(response: RpcResponse): void {
    this.#multiplexer.answer(response)
  }

  exchange(number: number): Exchange | undefined {
    return this.#multiplexer.exchange(number)
  }
}

/** The shared transport of the handshake era. */
export class LegacyTransport implements SharedTransport {
  onmessage?: Transport['onmessage']
  onclose?: () => void
  onerror?: (error: Error) => void
  readonly #multiplexer = new Multiplexer()

  async start(): Promise<void> {}

  async close(): Promise<void> {
    this.onclose?.()
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    return this.#multiplexer.send(message, options)
  }

  dispatch(message: JSONRPCRequest, exchange: Exchange): number {
    return this.#multiplexer.dispatch(connected(this), message, exchange, undefined)
  }

  cancel(number: number): void {
    this.#multiplexer.cancel(connected(this), number, undefined)
  }

  answer(response: RpcResponse): void {
    this.#multiplexer.answer(response)
  }

  exchange(number: number): Exchange | undefined {
    return this.#multiplexer.exchange(number)
  }
}

function connected(transport: Transport): Deliver {
  if (transport.onmessage === undefined) throw new Error('The protocol server is not connected')
  return transport.onmessage
}
