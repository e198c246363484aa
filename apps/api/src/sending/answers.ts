// What callers are told of messages: rendered from the rows alike at the first time and at every repeat.
import { API_ERRORS, type ApiErrorCode, isVertexErrorCode } from '@vertexsms/contract/api-errors'
import { becameOf } from '@vertexsms/contract/delivery'
import { IDEMPOTENCY_REPLAYED_HEADER } from '@vertexsms/contract/headers'
import { CURRENCY } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { REFUSAL_REASONS, type RefusalReasonName } from '@vertexsms/contract/refusals'
import type { BatchMessage, BatchResponse, SmsStatus } from '@vertexsms/contract/sending'
import { ApiError } from '../http/api-error.ts'
import { NOT_SENT, statusOfUnsent } from '../ledger/unsent.ts'
import type { Draft } from './request.ts'
import type { MessageRow } from './rows.ts'

/** Headers of an answer that was given before, a refusal's too. */
export const REPLAYED: Readonly<Record<string, string>> = { [IDEMPOTENCY_REPLAYED_HEADER]: 'true' }

/** What a repeat of one message throws where the first did not do it; undefined where it did. */
export function failureOfRepeat(row: MessageRow): ApiError | undefined {
  if (row.state === 'released') return failureOf(row, REPLAYED)
  // The id of a number came with an answer that nobody got, whatever its owner or the time made of that.
  const isIdLost = row.kind === 'msisdn' && row.reference === null
  return isIdLost || (row.state === 'unknown' && row.scheduledAt === null)
    ? outcomeUnknown(row.sendId, [row.id], REPLAYED)
    : undefined
}

/** Why a message was released, as an error. */
function failureOf({ failure, failureNumber, failureReason }: MessageRow, headers = {}): ApiError {
  const code = failure !== null && Object.hasOwn(API_ERRORS, failure) ? (failure as ApiErrorCode) : 'INTERNAL'
  return new ApiError(code, {
    headers,
    ...(failureNumber !== null && isVertexErrorCode(failureNumber) ? { errorCode: failureNumber } : {}),
    ...(isReason(failureReason) ? { reason: failureReason } : {}),
  })
}

function isReason(reason: string | null): reason is RefusalReasonName {
  return reason !== null && Object.hasOwn(REFUSAL_REASONS, reason)
}

/** SEND_OUTCOME_UNKNOWN of these messages. */
export function outcomeUnknown(sendId: string, ids: readonly bigint[], headers = {}): ApiError {
  return new ApiError('SEND_OUTCOME_UNKNOWN', { details: { sendId, ids: ids.map(String) }, headers })
}

/** What is told of one recipient. */
function messageOf(
  row: MessageRow,
  to: string,
): Pick<BatchMessage, 'id' | 'status' | 'parts' | 'price' | 'error' | 'to'> {
  const open = { to, id: String(row.id), parts: row.parts, price: toEurText(row.holdMicros), error: null }
  switch (row.state) {
    case 'scheduled':
      return { ...open, status: 'scheduled' }
    case 'held':
    case 'handed_over':
      return { ...open, status: row.scheduledAt === null ? 'queued' : 'scheduled' }
    case 'unknown':
      return { ...open, status: 'unknown' }
    case 'accepted':
      return { ...open, status: 'sent', price: toEurText(row.chargedMicros) }
    case 'released': {
      // Without a code nobody refused it: it was cancelled, or its time passed, before it went.
      if (row.failure === null) return { ...open, status: 'not_sent', price: null }
      const status = row.failureReason === NOT_SENT ? 'not_sent' : 'failed'
      return { ...open, status, price: null, error: failureOf(row).body }
    }
  }
}

/** What a list is answered from. */
export interface BatchOutcome {
  readonly sendId: string | null
  readonly drafts: readonly Draft[]
  /** By international number. */
  readonly rows: ReadonlyMap<string, MessageRow>
  /** By place in the request. */
  readonly refused: ReadonlyMap<number, ApiError>
  readonly replayed: ReadonlySet<number>
}

/** The answer of `POST /sms/batch`. */
export function batchAnswer({ sendId, drafts, rows, refused, replayed }: BatchOutcome): BatchResponse {
  let priceMicros = 0n
  const messages = drafts.map((draft): BatchMessage => {
    const { duplicateOf } = draft
    const first = duplicateOf === null ? draft : (drafts[duplicateOf] ?? draft)
    const to = first.number?.msisdn ?? draft.written
    const row = first.number ? rows.get(first.number.msisdn) : undefined
    const wasReplayed = replayed.has(first.position)
    if (row) {
      const message = messageOf(row, to)
      if (duplicateOf === null && !wasReplayed && message.price !== null)
        priceMicros += row.chargedMicros + row.holdMicros
      return { ...message, duplicateOf, replayed: wasReplayed }
    }
    const error = first.refusal ?? refused.get(first.position) ?? null
    const status = error === null ? 'not_sent' : 'failed'
    return { to, id: null, status, parts: null, price: null, error: error?.body ?? null, duplicateOf, replayed: false }
  })
  return { sendId, messages, price: toEurText(priceMicros), currency: CURRENCY }
}

/** The answer of `GET /sms/status/{id}`. */
export function statusAnswer(row: MessageRow): SmsStatus {
  const { delivery, deliveryError } = row
  const reported = delivery === null || delivery === 0 ? null : { status: delivery, error: deliveryError }
  const told = reported ?? (row.state === 'released' ? statusOfUnsent(row) : null)
  const state = told === null ? stateOf(row) : (becameOf(told.status) ?? 'sent')
  return { id: String(row.id), status: told?.status ?? null, error: told?.error ?? null, state }
}

/** Of a message of which nothing is told by number. */
function stateOf({ state, scheduledAt }: MessageRow): SmsStatus['state'] {
  switch (state) {
    case 'scheduled':
      return 'scheduled'
    case 'held':
    case 'handed_over':
      return scheduledAt === null ? 'queued' : 'scheduled'
    case 'unknown':
      return 'unknown'
    case 'accepted':
      return 'sent'
    case 'released':
      return 'cancelled'
  }
}
