import type { JSONRPCErrorResponse, JSONRPCNotification, JSONRPCResultResponse } from '@modelcontextprotocol/server'
import type { ApiSession } from '../api/gateway.ts'
import type { Refusal } from '../auth/refusal.ts'

/** A JSON-RPC answer on its way out. */
export type RpcResponse = JSONRPCResultResponse | JSONRPCErrorResponse

/** The id a client chose for its request. */
export type RequestId = string | number

/**
 * One JSON-RPC request and the way its answer goes back. The protocol server is shared by all callers and knows an
 * exchange only by a number of ours; everything that belongs to a caller lives here and ends with the answer.
 */
export interface Exchange {
  readonly requestId: RequestId
  readonly session: ApiSession
  /** True once an event stream was opened, after which no HTTP status can be chosen. */
  readonly streaming: boolean
  /** Delivers the answer. `inDispatch` tells that the protocol layer refused the request before any handler ran. */
  settle(response: RpcResponse, inDispatch: boolean): void
  /** Answers at the HTTP edge instead. */
  refuse(refusal: Refusal): void
  /** Sends a notification that belongs to this request, opening an event stream if need be. */
  notify(notification: JSONRPCNotification): void
}
