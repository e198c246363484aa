import { CURRENCY, type Limits, type leftSchema, type spentSchema } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { writeLimits } from '@vertexsms/contract/spender-limits'
import { pauseOf } from '@vertexsms/db/paused'
import type * as z from 'zod'
import type { OwnersDay } from './days.ts'
import { type Spender, type SpenderLimits, usedOf } from './judge.ts'

/** What `GET /token` tells of the limits of a token. */
export interface ShownLimits {
  readonly limits: Limits | null
  readonly spent: z.infer<typeof spentSchema>
  readonly left: z.infer<typeof leftSchema>
  readonly paused: boolean
}

/**
 * The limits of a spender and what it spent, and what is left of them and of the account's, whichever is less: never
 * below nothing, though a charge that came late may have passed a limit.
 */
export function showLimits(own: Spender, account: Spender, today: OwnersDay): ShownLimits {
  const spenders = [own, account]
  const used = usedOf(own.counters, today)
  return {
    limits: limitsOf(own.limits),
    spent: {
      day: toEurText(used.day),
      total: toEurText(used.total),
      recipients: used.recipients,
      currency: CURRENCY,
      resetsAt: today.endsAt.toISOString(),
    },
    left: leftOf(spenders, today),
    paused: spenders.some(({ limits }) => pauseOf(limits) !== null),
  }
}

/** What is left of every limit that is set on one of the spenders. */
export function leftOf(spenders: readonly Spender[], today: OwnersDay): z.infer<typeof leftSchema> {
  const left = spenders.map(({ limits, counters }) => {
    const used = usedOf(counters, today)
    return {
      day: limits.maxPerDayMicros === null ? [] : [limits.maxPerDayMicros - used.day],
      total: limits.maxTotalMicros === null ? [] : [limits.maxTotalMicros - used.total],
      recipients: limits.recipientsPerDay === null ? [] : [BigInt(limits.recipientsPerDay - used.recipients)],
    }
  })
  const day = least(left.flatMap((one) => one.day))
  const total = least(left.flatMap((one) => one.total))
  const recipients = least(left.flatMap((one) => one.recipients))
  return {
    ...(day === null ? {} : { day: toEurText(day) }),
    ...(total === null ? {} : { total: toEurText(total) }),
    ...(recipients === null ? {} : { recipients: Number(recipients) }),
  }
}

function least(amounts: readonly bigint[]): bigint | null {
  const [lowest] = [...amounts].sort((left, right) => (left < right ? -1 : 1))
  return lowest === undefined ? null : lowest > 0n ? lowest : 0n
}

function limitsOf(limits: SpenderLimits): Limits | null {
  const { currency, ...set } = writeLimits(limits)
  return Object.keys(set).length === 0 ? null : { ...set, currency }
}
