import { SCHEDULE_MAX_DAYS, type SendSmsRequest } from '@vertexsms/contract/rest'
import { ApiError } from '../http/api-error.ts'

/** Validity of a message that names none: three days, as at the real operator. */
export const DEFAULT_VALIDITY_SECONDS = 259_200

const DAY_MS = 86_400_000

/** The refusal of a `scheduled` that is not ahead or too far ahead; null for one that may stand, and for none. */
export function refusalOfTiming({ scheduled }: Pick<SendSmsRequest, 'scheduled'>, now: Date): ApiError | null {
  if (scheduled === undefined) return null
  const aheadMs = Date.parse(scheduled) - now.getTime()
  if (aheadMs > SCHEDULE_MAX_DAYS * DAY_MS) return new ApiError('INVALID_INPUT', { reason: 'scheduled_too_far' })
  return aheadMs <= 0 ? new ApiError('INVALID_INPUT', { reason: 'scheduled_in_the_past' }) : null
}

/** Throws what {@link refusalOfTiming} gives. */
export function checkTiming(request: Pick<SendSmsRequest, 'scheduled'>, now: Date): void {
  const refusal = refusalOfTiming(request, now)
  if (refusal !== null) throw refusal
}
