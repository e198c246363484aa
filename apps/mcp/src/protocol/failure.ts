import type { CallToolResult } from '@modelcontextprotocol/server'
import {
  ERRORS,
  type ErrorCode,
  type ErrorEnvelope,
  errorEnvelope,
  toldCode,
  waitSentence,
} from '@vertexsms/contract/errors'
import { readErrorDetails } from '@vertexsms/contract/limits'
import { refusalReason } from '@vertexsms/contract/refusals'
import type { ApiErrorBody } from '@vertexsms/contract/rest'
import { RouteFailure, RouteRefusal } from '../api/judge.ts'

/** The outcome of a tool: a short text for the model, and the complete data that conforms to the output schema. */
export interface ToolOutput<Data extends object> {
  readonly text: string
  readonly data: Data
}

/**
 * A failure inside a tool call: becomes a result with `isError`, whose text is the envelope. The message is a
 * sentence of ours; nothing the API or the caller wrote is repeated.
 */
export class ToolFailure extends Error {
  override name = 'ToolFailure'
  readonly code: ErrorCode
  readonly vertexErrorCode: number | null
  /** What the code comes with, in its closed form. */
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: ErrorCode,
    message?: string,
    vertexErrorCode: number | null = null,
    details?: Readonly<Record<string, unknown>>,
  ) {
    super(message ?? '')
    this.code = code
    this.vertexErrorCode = vertexErrorCode
    this.details = details
  }

  /** The envelope of this failure. */
  get envelope(): ErrorEnvelope {
    const { vertexErrorCode, details, message } = this
    return errorEnvelope(this.code, { vertexErrorCode, details, ...(message === '' ? {} : { message }) })
  }
}

/** What a reason that the API named says, in the words of the catalogue; undefined for one that is not known here. */
export function reasonSentence(name: unknown): string | undefined {
  const reason = refusalReason(name)
  if (reason === undefined) return undefined
  return reason.field === null ? `The number ${reason.fix}` : `Argument \`${reason.field}\`: ${reason.fix}`
}

/**
 * The failure for an error of the API, in the sentences and with the details of the catalogue; where the API said for how
 * long to wait, so does the sentence.
 */
export function failureFor(
  { code, error_code, details }: ApiErrorBody,
  retryAfterSeconds: number | null = null,
): ToolFailure {
  const told = toldCode(code)
  // A token is judged at the HTTP edge alone; nothing else may say here that it does not stand.
  if (!ERRORS[told.code].tool) return new ToolFailure('INTERNAL')
  const reason = told.code === 'INVALID_INPUT' ? reasonSentence(details?.reason) : undefined
  const message = reason ?? told.message ?? waitSentence(told.code, retryAfterSeconds)
  return new ToolFailure(told.code, message, error_code, readErrorDetails(code, details))
}

/** The failure in what was thrown while a route was called; undefined where it is none. */
export function failureIn(thrown: unknown): ToolFailure | undefined {
  if (thrown instanceof ToolFailure) return thrown
  if (thrown instanceof RouteFailure) return new ToolFailure(thrown.code, thrown.message)
  return thrown instanceof RouteRefusal ? failureFor(thrown.error, thrown.retryAfterSeconds) : undefined
}

/** The wire form of a success. */
export function successResult({ text, data }: ToolOutput<object>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent: data as Record<string, unknown> }
}

/** The wire form of a failure: the envelope as the text of the only content block. */
export function failureResult(envelope: ErrorEnvelope): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(envelope) }], isError: true }
}
