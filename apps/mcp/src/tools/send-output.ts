import { ERRORS, type ErrorCode, toldCode } from '@vertexsms/contract/errors'
import type { ApiErrorBody } from '@vertexsms/contract/rest'
import { BATCH_STATUSES, type BatchMessage, type BatchResponse } from '@vertexsms/contract/sending'
import * as z from 'zod'
import { ToolFailure } from '../protocol/failure.ts'
import { sendFailure } from './send-failure.ts'

const status = z.enum([...BATCH_STATUSES, 'quoted'])

const refusal = { code: z.string(), message: z.string(), details: z.looseObject({}).optional() }
const errorSchema = z.object({ ...refusal, retryable: z.boolean(), vertex_error_code: z.int().nullable() })

const messageSchema = z.object({
  destination: z.string().describe('E.164'),
  status: status.describe(
    'queued: goes out by itself; unknown: handed over, answer lost; do not repeat either. not_sent: safe to try again. quoted: dryRun',
  ),
  message_id: z.string().nullable(),
  parts: z.int().nullable().describe('Parts charged'),
  price: z.string().nullable().describe('Charged or held, in EUR'),
  replayed: z.boolean().describe('By an earlier call, not again'),
  duplicate_of: z
    .int()
    .optional()
    .describe('Place in this list, from 0, of the entry with the same number: one message went to both, charged once'),
  delivery: z.string().optional().describe('With waitForDelivery'),
  error: errorSchema.nullable(),
})

/** One recipient's outcome, as the tool tells it. */
export type SentMessage = z.output<typeof messageSchema>

/** What `send_sms` returns: the documented members for the first recipient, and everything else beside them. */
export const sendOutput = z.object({
  message_id: z.string().nullable().describe('Of the first recipient'),
  status: status.describe('Of the first recipient'),
  parts: z.int().nullable(),
  destination: z.string(),
  messages: z.array(messageSchema).describe('One per recipient, in the order given'),
  price: z.string().describe('Of what is new, in EUR'),
  currency: z.string(),
  replayed: z.boolean(),
  quote: z
    .object({
      quote_id: z.string().nullable(),
      expires_at: z.string().nullable(),
      left: z.object({ day: z.string().optional(), total: z.string().optional(), recipients: z.int().optional() }),
      refusals: z.array(z.object(refusal)).describe('Of the whole send'),
    })
    .optional()
    .describe('With dryRun'),
})
export type SendOutput = z.output<typeof sendOutput>

/** What goes out for a list of outcomes, of which there is one at least. */
export function outputOf(
  messages: readonly [SentMessage, ...SentMessage[]],
  { price, currency }: { readonly price: string; readonly currency: string },
  more: Partial<SendOutput> = {},
): SendOutput {
  const [{ message_id, status, parts, destination }] = messages
  const replayed = messages.every((message) => message.replayed)
  return { message_id, status, parts, destination, messages: [...messages], price, currency, replayed, ...more }
}

/** The code of a recipient's error, for a failure of the whole; what was not tried can be tried again. */
export function codeOf(error: SentMessage['error']): ErrorCode {
  return error !== null && Object.hasOwn(ERRORS, error.code) ? (error.code as ErrorCode) : 'UPSTREAM_UNAVAILABLE'
}

/** A failure, as it stands beside a recipient. */
export function errorOf(failure: ToolFailure): NonNullable<SentMessage['error']> {
  const { code, message, retryable, details } = failure.envelope.error
  const shown = { code, message, retryable, vertex_error_code: failure.vertexErrorCode }
  return details === undefined ? shown : { ...shown, details }
}

/**
 * The outcomes of the API's answer in words of ours. The second entry of a number shows the outcome of the first,
 * without its parts and price: they were charged once.
 */
export function messagesOf({ messages }: BatchResponse): SentMessage[] {
  return messages.map((message) => {
    const { duplicateOf } = message
    const first = duplicateOf === null ? undefined : messages[duplicateOf]
    if (duplicateOf === null || first === undefined) return messageOf(message)
    return { ...messageOf(first), parts: null, price: null, duplicate_of: duplicateOf }
  })
}

// Of what surely did not go out no part was charged, though the API tells how many its text takes.
const UNSENT: ReadonlySet<BatchMessage['status']> = new Set(['failed', 'not_sent'])

function messageOf({ to, id, status, parts, price, error, replayed }: BatchMessage): SentMessage {
  return {
    destination: destinationOf(to),
    status,
    message_id: id,
    parts: UNSENT.has(status) ? null : parts,
    price,
    replayed,
    error: error === null ? null : errorOf(failureOf(error)),
  }
}

// A list that was let in is stopped where its token ends: the call stands, and the rest of its recipients says why.
function failureOf(error: ApiErrorBody): ToolFailure {
  const { code } = toldCode(error.code)
  return code === 'AUTH_INVALID' ? new ToolFailure(code) : sendFailure(error)
}

/** A number of the API as it is shown. */
export function destinationOf(to: string): string {
  return to.startsWith('+') ? to : `+${to}`
}
