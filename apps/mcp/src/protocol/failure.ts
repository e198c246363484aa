import type { CallToolResult } from '@modelcontextprotocol/server'
import { type ErrorCode, type ErrorEnvelope, errorEnvelope } from '@vertexsms/contract/errors'

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

  constructor(code: ErrorCode, message?: string, vertexErrorCode: number | null = null) {
    super(message ?? '')
    this.code = code
    this.vertexErrorCode = vertexErrorCode
  }

  /** The envelope of this failure. */
  get envelope(): ErrorEnvelope {
    const details = { vertexErrorCode: this.vertexErrorCode }
    return errorEnvelope(this.code, this.message === '' ? details : { ...details, message: this.message })
  }
}

/** The wire form of a success. */
export function successResult({ text, data }: ToolOutput<object>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent: data as Record<string, unknown> }
}

/** The wire form of a failure: the envelope as the text of the only content block. */
export function failureResult(envelope: ErrorEnvelope): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(envelope) }], isError: true }
}
