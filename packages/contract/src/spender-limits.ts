// The limits of a spender as its row has them, and as the wire shows them.
import { CURRENCY, type Limits } from './limits.ts'
import { toEurText } from './money.ts'

/** What bounds a spender, in micro-EUR; null, and an empty list, is no limit. */
export interface SpenderLimits {
  readonly maxPerSendMicros: bigint | null
  readonly maxPerDayMicros: bigint | null
  readonly maxTotalMicros: bigint | null
  readonly recipientsPerDay: number | null
  /** ISO 3166-1 alpha-2. */
  readonly countries: readonly string[]
  /** As they stand in `from`. */
  readonly senders: readonly string[]
}

/** A spender that nothing bounds. */
export const NO_LIMITS: SpenderLimits = {
  maxPerSendMicros: null,
  maxPerDayMicros: null,
  maxTotalMicros: null,
  recipientsPerDay: null,
  countries: [],
  senders: [],
}

/** Limits as the wire shows them: what is not limited is left out. */
export function writeLimits(limits: SpenderLimits): Limits {
  const { maxPerSendMicros, maxPerDayMicros, maxTotalMicros, recipientsPerDay, countries, senders } = limits
  return {
    ...(maxPerSendMicros !== null && { maxPerSend: toEurText(maxPerSendMicros) }),
    ...(maxPerDayMicros !== null && { maxPerDay: toEurText(maxPerDayMicros) }),
    ...(maxTotalMicros !== null && { maxTotal: toEurText(maxTotalMicros) }),
    ...(recipientsPerDay !== null && { recipientsPerDay }),
    ...(countries.length > 0 && { countries: [...countries] }),
    ...(senders.length > 0 && { senders: [...senders] }),
    currency: CURRENCY,
  }
}
