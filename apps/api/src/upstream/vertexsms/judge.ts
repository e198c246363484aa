// What an answer of the real API means, decided by its status alone and never by the words of its message. Nothing here
// calls anybody.
import { isVertexErrorCode } from '@vertexsms/contract/api-errors'
import type { RefusalReasonName } from '@vertexsms/contract/refusals'
import type * as z from 'zod'
import { ApiError } from '../../http/api-error.ts'
import { unavailable } from '../../http/error-answers.ts'
import { PARTS_MAX } from '../../message/segments.ts'
import type { HandOver } from '../upstream.ts'
import type { UpstreamAnswer } from './client.ts'
import { errorAnswerSchema, FIELD_IN_MESSAGE, parseBody, readIdAnswer } from './wire.ts'

type Refused = Extract<HandOver, { kind: 'refused' }>

const WRONG_ROUTE =
  'VertexSMS knows no such route. Whoever runs this installation must check VERTEXSMS_API_URL. Nothing was sent.'
const NOT_ALLOWED =
  'The VertexSMS token of this account may not do that: it lacks the route, or is bound to other addresses. Its owner must set another. Nothing was sent.'

/** Which member of a message the operator refused, where he names one of ours; the sentence is ours. */
const REASONS: Readonly<Record<string, RefusalReasonName>> = {
  to: 'recipient_refused',
  msisdn: 'recipient_refused',
  from: 'sender_refused',
  message: 'message_refused',
}

/**
 * What became of something that was handed over. Refused, which releases its money, only where the operator certainly
 * did nothing; accepted only with the one id; all else is unknown, an answer that makes no sense too.
 */
export function judgeHandOver(
  answer: UpstreamAnswer,
  refusedAs: 'SEND_REFUSED' | 'LOOKUP_REFUSED' | 'INVALID_INPUT',
): HandOver {
  if (answer.kind === 'silence') {
    return answer.handedOver ? { kind: 'unknown' } : { kind: 'refused', code: 'UNAVAILABLE' }
  }
  const { status, body } = answer
  if (isSuccess(status)) {
    const reference = readIdAnswer(body)
    return reference === null
      ? { kind: 'unknown' }
      : { kind: 'accepted', reference, parts: readParts(answer.amountSent), priceMicros: null }
  }
  switch (status) {
    case 400:
      return { ...refusalOf(body, refusedAs), code: refusedAs }
    case 401:
      return { kind: 'refused', code: 'UPSTREAM_ACCOUNT_REFUSED' }
    case 403: {
      const refusal = refusalOf(body, refusedAs)
      if (refusal.errorCode !== undefined) return refusal
      return { kind: 'refused', code: 'UPSTREAM_ACCOUNT_REFUSED', message: NOT_ALLOWED }
    }
    case 404:
    case 405:
      return { kind: 'refused', code: 'UPSTREAM_ANSWER_WRONG', message: WRONG_ROUTE }
    case 429:
      return {
        kind: 'refused',
        code: 'RATE_LIMITED',
        message: 'VertexSMS takes no more at this moment. Nothing was sent.',
      }
    default:
      return { kind: 'unknown' }
  }
}

/**
 * The value of something that only reads. Undefined where there is none (404). Throws UPSTREAM_ACCOUNT_REFUSED,
 * RATE_LIMITED, UNAVAILABLE for silence and failures of the other side, INVALID_INPUT, and UPSTREAM_ANSWER_WRONG for an
 * answer that is not of the shape.
 */
export function judgeRead<Schema extends z.ZodType>(
  answer: UpstreamAnswer,
  schema: Schema,
): z.output<Schema> | undefined {
  if (answer.kind === 'silence') throw unavailable()
  const { status, body } = answer
  if (isSuccess(status)) {
    const read = schema.safeParse(parseBody(body))
    if (read.success) return read.data
    throw new ApiError('UPSTREAM_ANSWER_WRONG')
  }
  switch (status) {
    case 400:
      throw new ApiError('INVALID_INPUT', { message: 'VertexSMS does not take the request as it is.' })
    case 401:
      throw new ApiError('UPSTREAM_ACCOUNT_REFUSED')
    case 403:
      throw new ApiError('UPSTREAM_ACCOUNT_REFUSED', { message: NOT_ALLOWED })
    case 404:
      return undefined
    case 429:
      throw new ApiError('RATE_LIMITED', { headers: { 'retry-after': '2' } })
    default:
      throw status >= 500 ? unavailable() : new ApiError('UPSTREAM_ANSWER_WRONG')
  }
}

/** True for what was carried out, whichever of its statuses says so. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function refusalOf(body: string, code: Refused['code']): Refused {
  const read = errorAnswerSchema.safeParse(parseBody(body))
  const { message = '', error } = read.success ? read.data : {}
  const reason = REASONS[FIELD_IN_MESSAGE.exec(message)?.[1] ?? '']
  return {
    kind: 'refused',
    code,
    ...(error && isVertexErrorCode(error) ? { errorCode: error } : {}),
    ...(reason === undefined ? {} : { reason }),
  }
}

function readParts(amountSent: string | null): number | null {
  if (amountSent === null || !/^[1-9]\d{0,2}$/.test(amountSent)) return null
  const parts = Number(amountSent)
  return parts <= PARTS_MAX ? parts : null
}
