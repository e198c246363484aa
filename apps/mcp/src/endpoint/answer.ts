import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { type ErrorCode, errorEnvelope } from '@vertexsms/contract/errors'
import { Refusal } from '../caller/refusal.ts'
import { createEncoder, type Encoded, encodeError, type RpcError } from '../protocol/encode.ts'
import type { Exchange } from '../protocol/exchange.ts'
import { failureIn, failureResult, type ToolFailure } from '../protocol/failure.ts'
import { type FindMethod, type Registry, run } from '../protocol/methods.ts'

/** What goes out for a request: an answer at the HTTP edge, or a JSON-RPC message with its HTTP status. */
export type Answer =
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | ({ readonly kind: 'message'; readonly status: number } & Encoded)

/** Why a request has no result of its own: everything that may be thrown while it is under way. */
type Problem =
  /** The answer belongs to the HTTP edge: 401, 403, 429, 503. */
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** A tool, or a resource, could not do what it was asked for. */
  | { readonly kind: 'failure'; readonly failure: ToolFailure }
  /** The era does not have the method. */
  | { readonly kind: 'unknown-method' }
  /** The request is wrong as JSON-RPC. */
  | { readonly kind: 'protocol'; readonly error: ProtocolError }
  /** What nobody foresaw. */
  | { readonly kind: 'defect'; readonly cause: unknown }

/** Hears of a failure that nobody foresaw, and of the request it happened in. */
export type OnDefect = (cause: unknown, exchange?: Exchange) => void

/** Answers a request. Never rejects; `onDefect` hears of a failure that nobody foresaw. */
export type AnswerRequest = (exchange: Exchange, onDefect: OnDefect) => Promise<Answer>

/** What a tool tells its caller, and the operator ought to know too: something of ours answered nonsense, or was cut off. */
const ALARMS: ReadonlySet<string> = new Set<ErrorCode>(['INTERNAL', 'SEND_OUTCOME_UNKNOWN'])

/**
 * Puts a table of methods to work. Whatever is not asked of the API by the method itself is asked of it first, so that
 * a deleted token hears nothing else.
 */
export function createAnswers(registry: Registry, find: FindMethod): AnswerRequest {
  const encode = createEncoder(registry.info, registry.cacheSeconds)
  const failed = (error: RpcError, { message }: Exchange, status = 200): Answer => ({
    kind: 'message',
    status,
    text: encodeError(error, message.id),
  })

  async function resultOf(exchange: Exchange): Promise<Answer | Problem> {
    try {
      const method = find(exchange.era, exchange.message.method)
      if (method?.asksApi?.(exchange.params) !== true) await exchange.session.alive()
      if (method === undefined) return { kind: 'unknown-method' }
      return { kind: 'message', status: 200, ...encode(exchange, await run(method, exchange)) }
    } catch (thrown) {
      return problemOf(thrown)
    }
  }

  return async (exchange, onDefect) => {
    const outcome = await resultOf(exchange)
    switch (outcome.kind) {
      case 'message':
        return outcome
      case 'refusal':
        // In a stream no status can be chosen any more; only calls of tools open one.
        if (!exchange.streaming) return outcome
        return { kind: 'message', status: 200, ...encode(exchange, failureResult(outcome.refusal.envelope)) }
      case 'failure':
        if (ALARMS.has(outcome.failure.code)) onDefect(outcome.failure, exchange)
        // Only a tool has a result that can be a failure.
        if (exchange.message.method !== 'tools/call') {
          const { envelope } = outcome.failure
          return failed(
            { code: ProtocolErrorCode.InternalError, message: envelope.error.message, data: envelope },
            exchange,
          )
        }
        return { kind: 'message', status: 200, ...encode(exchange, failureResult(outcome.failure.envelope)) }
      case 'unknown-method': {
        const error = { code: ProtocolErrorCode.MethodNotFound, message: 'Method not found' }
        return failed(error, exchange, exchange.era === 'modern' ? 404 : 200)
      }
      case 'protocol': {
        // Errors of a handler travel in a 200, but for a capability the client lacks (2026-07-28, streamable-http).
        const isStatus =
          exchange.era === 'modern' && outcome.error.code === ProtocolErrorCode.MissingRequiredClientCapability
        return failed(outcome.error, exchange, isStatus ? 400 : 200)
      }
      case 'defect':
        onDefect(outcome.cause, exchange)
        if (exchange.message.method === 'tools/call') {
          return { kind: 'message', status: 200, ...encode(exchange, failureResult(errorEnvelope('INTERNAL'))) }
        }
        return failed({ code: ProtocolErrorCode.InternalError, message: 'Internal error' }, exchange, 500)
    }
  }
}

function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Refusal) return { kind: 'refusal', refusal: thrown }
  const failure = failureIn(thrown)
  if (failure !== undefined) return { kind: 'failure', failure }
  if (thrown instanceof ProtocolError) return { kind: 'protocol', error: thrown }
  return { kind: 'defect', cause: thrown }
}
