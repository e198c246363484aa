import { NO_LIMITS, type SpenderLimits } from '@vertexsms/contract/spender-limits'
import { Prisma } from '@vertexsms/db/client'

/** The limits of a connection `c` as columns of `s`, for statements that read them with other things. */
export const LIMIT_COLUMNS = Prisma.sql`
  s.max_per_send_micros, s.max_per_day_micros, s.max_total_micros, s.recipients_per_day, s.countries, s.senders`

/** Joins the spender `s` of a connection `c`; without a row of its own yet, its columns are null. */
export const JOIN_SPENDER = Prisma.sql`LEFT JOIN spender s ON s.id = coalesce(c.spender_id, c.id)`

/** A row with {@link LIMIT_COLUMNS}. */
export interface LimitColumns {
  max_per_send_micros: bigint | null
  max_per_day_micros: bigint | null
  max_total_micros: bigint | null
  recipients_per_day: number | null
  countries: string[] | null
  senders: string[] | null
}

/** The limits in such a row. */
export function limitsInColumns(row: LimitColumns): SpenderLimits {
  return {
    maxPerSendMicros: row.max_per_send_micros,
    maxPerDayMicros: row.max_per_day_micros,
    maxTotalMicros: row.max_total_micros,
    recipientsPerDay: row.recipients_per_day,
    countries: row.countries ?? NO_LIMITS.countries,
    senders: row.senders ?? NO_LIMITS.senders,
  }
}
