import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'
import { spentByDay } from '../connections/activity.ts'
import type { TypedRules } from '../connections/rules.ts'
import type { OwnersRules } from '../connections/spenders.ts'
import { spentAndLeft } from '../connections/spent.ts'
import type { DayView, SpentView } from '../views/spender.ts'
import type { Words } from '../words/words.ts'

const DAYS = 14

interface Spending {
  readonly accountId: string
  readonly spenderId: string
  readonly row: SpenderLimits | null
  /** The limits of the account above it; null on the account's own page. */
  readonly account: SpenderLimits | null
  /** False where nothing that it may do costs money: then nothing is said to be left. */
  readonly spends: boolean
}

/** What was spent under a spender, once an upstream, and the least that its limits and the account's leave. */
export async function spentViews(
  db: Database,
  { accountId, spenderId, row, account, spends }: Spending,
  now: Date,
): Promise<SpentView[]> {
  const spent = await spentAndLeft(db, { accountId, spenderId, own: row, account }, now)
  return spends ? spent : spent.map((one) => ({ ...one, dayLeftMicros: null, totalLeftMicros: null }))
}

/** What was spent on each of the last days, in the account's time zone, and how high it stands in the drawing. */
export async function daysView(
  db: Database,
  of: Parameters<typeof spentByDay>[1],
  now: Date,
): Promise<readonly DayView[]> {
  const { timeZone } = await db.account.findUniqueOrThrow({ where: { id: of.accountId }, select: { timeZone: true } })
  return bars(await spentByDay(db, of, { now, timeZone, days: DAYS }))
}

/** Heights of 100 for the dearest day; a day on which more was given back than spent has none. */
function bars(days: readonly Omit<DayView, 'height'>[]): DayView[] {
  const most = Math.max(...days.map(({ micros }) => Number(micros)))
  return days.map((day) => ({
    ...day,
    height: most > 0 && day.micros > 0n ? Math.max(2, Math.round((Number(day.micros) / most) * 100)) : 0,
  }))
}

/** The rules of a spender as the fields of its form show them. */
export function shownRules(row: OwnersRules | null, t: Words): TypedRules {
  const amount = (micros: bigint | null | undefined) => (micros == null ? '' : t.format.typed(micros))
  return {
    max_per_send: amount(row?.maxPerSendMicros),
    max_per_day: amount(row?.maxPerDayMicros),
    max_total: amount(row?.maxTotalMicros),
    recipients_per_day: String(row?.recipientsPerDay ?? ''),
    countries: (row?.countries ?? []).join(', '),
    senders: (row?.senders ?? []).join(', '),
    ask_above: amount(row?.askAboveMicros),
    ask_new_country: row?.askNewCountry ? 'on' : 'off',
  }
}
