import type { ErrorEnvelope } from '@vertexsms/contract/errors'
import { errorEnvelopeSchema } from '@vertexsms/contract/errors'

/** A tool result on the wire. */
export interface WireResult {
  content: { type: string; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
  resultType?: string
}

/** A JSON-RPC answer as it came. */
export interface WireAnswer {
  id: string | number | null
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  result?: any
  error?: { code: number; message: string; data?: Record<string, unknown> }
}

/** The JSON-RPC answer of a response, also when it came as the last event of a stream. */
export async function answerOf(response: Response): Promise<WireAnswer> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
    return (await response.json()) as WireAnswer
  const events = await eventsOf(response)
  return events.at(-1) as unknown as WireAnswer
}

/** Every message of an event stream, in order. */
export async function eventsOf(response: Response): Promise<Record<string, unknown>[]> {
  const text = await response.text()
  return text
    .split('\n')
    .filter((row) => row.startsWith('data: '))
    .map((row) => JSON.parse(row.slice(6)) as Record<string, unknown>)
}

/** The envelope of an answer at the HTTP edge, its members checked. */
export async function envelopeOf(response: Response): Promise<ErrorEnvelope['error']> {
  return errorEnvelopeSchema.parse(await response.json()).error
}

/** The tool result of a response. */
export async function resultOf(response: Response): Promise<WireResult> {
  return (await answerOf(response)).result as WireResult
}

/** The envelope inside a tool result, after checking that the result is a failure and nothing else. */
export function failureOf(result: WireResult): ErrorEnvelope['error'] {
  if (result.isError !== true || result.structuredContent !== undefined || result.content.length !== 1) {
    throw new Error(`not a failure: ${JSON.stringify(result)}`)
  }
  return errorEnvelopeSchema.parse(JSON.parse(result.content[0]?.text ?? '')).error
}
