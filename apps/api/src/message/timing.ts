import { SCHEDULE_MAX_DAYS, type SendSmsRequest } from '@vertexsms/contract/rest'
import { ApiError } from '../http/api-error.ts'

/** Validity of a message that names none: three days, as at the real operator. */
export const DEFAULT_VALIDITY_SECONDS = 259_200

const DAY_MS = 86_400_000

/** When a message goes out and until when it is worth delivering. */
export interface Timing {
  readonly scheduled: boolean
  readonly sendAt: Date
  readonly expiresAt: Date
}

/** Reads `scheduled` and `expireIn`. Throws INVALID_INPUT for a time that is not ahead or too far ahead. */
export function readTiming({ scheduled, expireIn }: Pick<SendSmsRequest, 'scheduled' | 'expireIn'>, now: Date): Timing {
  const sendAt = scheduled === undefined ? now : new Date(scheduled)
  const ahead = sendAt.getTime() - now.getTime()
  if (ahead > SCHEDULE_MAX_DAYS * DAY_MS) throw new ApiError('INVALID_INPUT', { reason: 'scheduled_too_far' })
  if (scheduled !== undefined && ahead <= 0) throw new ApiError('INVALID_INPUT', { reason: 'scheduled_in_the_past' })
  const expiresAt = new Date(sendAt.getTime() + (expireIn ?? DEFAULT_VALIDITY_SECONDS) * 1000)
  return { scheduled: scheduled !== undefined, sendAt, expiresAt }
}
