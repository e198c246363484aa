import { ERRORS } from '@vertexsms/contract/errors'
import type { ApiErrorBody } from '@vertexsms/contract/rest'
import { errorMeaning } from '../api/sms-status.ts'
import { failureFor, reasonSentence, ToolFailure } from '../protocol/failure.ts'

const SENDER_HINT =
  'VertexSMS refused the message. Check that the sender is registered on the account, and that recipient and text are right.'

/** The failure for a message that the API refused: the meaning of its numeric code, in words of the catalogue. */
export function sendFailure(error: ApiErrorBody, retryAfterSeconds: number | null = null): ToolFailure {
  const { code, error_code, details } = error
  if (code !== 'SEND_REFUSED' && code !== 'INVALID_INPUT') return failureFor(error, retryAfterSeconds)
  const sentence = reasonSentence(details?.reason) ?? errorMeaning(error_code)
  const message = sentence === null ? SENDER_HINT : `VertexSMS refused the message. ${sentence}`
  return new ToolFailure('VERTEX_SEND_FAILED', message, error_code)
}

const SAME_KEY = 'The same call with the same idempotencyKey does nothing twice, and tells what became of it.'

/**
 * A failure with the way to find out what happened, where its outcome is unknown: `ask` tells how the ids that the API
 * gave are asked about, null where they cannot be, and a call that has a key may be made again. Every other failure as it is.
 */
export function withWayOut(
  failure: ToolFailure,
  ask: ((ids: readonly string[]) => string) | null,
  idempotencyKey: string | undefined,
): ToolFailure {
  if (failure.code !== 'SEND_OUTCOME_UNKNOWN') return failure
  const { details, vertexErrorCode } = failure
  const ids = Array.isArray(details?.ids) ? details.ids.map(String) : []
  const ways = [
    ...(ids.length === 0 || ask === null ? [] : [ask(ids)]),
    ...(idempotencyKey === undefined ? [] : [SAME_KEY]),
  ]
  if (ways.length === 0) return failure
  const message = [ERRORS.SEND_OUTCOME_UNKNOWN.message, ...ways].join(' ')
  return new ToolFailure(failure.code, message, vertexErrorCode, details)
}
