import { VERTEX_ERROR_MEANINGS, type VertexErrorCode } from '@vertexsms/contract/api-errors'
import type { RouteRefusal } from '../api/judge.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { reasonSentence, refusalFailure } from './define-tool.ts'

const SENDER_HINT =
  'VertexSMS refused the message. Check that the sender is registered on the account, and that recipient and text are right.'

/** The failure for a message that the API refused: the meaning of its numeric code, in words of the catalogue. */
export function sendFailure(refusal: RouteRefusal): ToolFailure {
  const { code, error_code, details } = refusal.error
  if (code !== 'SEND_REFUSED' && code !== 'INVALID_INPUT') return refusalFailure(refusal)
  const meaning =
    error_code !== null && Object.hasOwn(VERTEX_ERROR_MEANINGS, error_code)
      ? VERTEX_ERROR_MEANINGS[error_code as VertexErrorCode]
      : undefined
  const sentence = reasonSentence(details?.reason) ?? meaning
  const message = sentence === undefined ? SENDER_HINT : `VertexSMS refused the message. ${sentence}`
  return new ToolFailure('VERTEX_SEND_FAILED', message, error_code)
}
