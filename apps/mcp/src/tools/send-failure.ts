import type { ApiErrorBody } from '@vertexsms/contract/rest'
import { errorMeaning } from '../api/sms-status.ts'
import { failureFor, reasonSentence, ToolFailure } from '../protocol/failure.ts'

const SENDER_HINT =
  'VertexSMS refused the message. Check that the sender is registered on the account, and that recipient and text are right.'

/** The failure for a message that the API refused: the meaning of its numeric code, in words of the catalogue. */
export function sendFailure(error: ApiErrorBody): ToolFailure {
  const { code, error_code, details } = error
  if (code !== 'SEND_REFUSED' && code !== 'INVALID_INPUT') return failureFor(error)
  const sentence = reasonSentence(details?.reason) ?? errorMeaning(error_code)
  const message = sentence === null ? SENDER_HINT : `VertexSMS refused the message. ${sentence}`
  return new ToolFailure('VERTEX_SEND_FAILED', message, error_code)
}
