import type { Database, Prisma } from '@vertexsms/db/client'
import { Prisma as Sql } from '@vertexsms/db/client'

/** One row of the activity. */
export type Activity = Prisma.ActivityGetPayload<object>

/** Whose activity: an account's, or one spender's of it. */
export interface ActivityOf {
  readonly accountId: string
  readonly spenderId?: string
}

const LATEST_FIRST = [{ at: 'desc' }, { id: 'desc' }] as const satisfies Prisma.ActivityOrderByWithRelationInput[]

/** A slice of what an account, or one spender of it, did with the account's money, newest first. */
export function listActivity(db: Database, of: ActivityOf, take: number, skip = 0): Promise<Activity[]> {
  return db.activity.findMany({ where: of, orderBy: [...LATEST_FIRST], take, skip })
}

/** Rows that are read at once. */
const BATCH_ROWS = 1000

/** The same in batches, newest first, `maxRows` at most: what is written meanwhile moves no row from its place. */
export async function* activityBatches(db: Database, of: ActivityOf, maxRows: number): AsyncGenerator<Activity[]> {
  let last: Activity | undefined
  for (let rows = 0; rows < maxRows; rows += BATCH_ROWS) {
    const before: Prisma.ActivityWhereInput = last
      ? { OR: [{ at: { lt: last.at } }, { at: last.at, id: { lt: last.id } }] }
      : {}
    const take = Math.min(BATCH_ROWS, maxRows - rows)
    const batch = await db.activity.findMany({ where: { ...of, ...before }, orderBy: [...LATEST_FIRST], take })
    if (batch.length > 0) yield batch
    if (batch.length < take) return
    last = batch.at(-1)
  }
}

/** What was spent on one of the owner's days, and how many messages and lookups were done. */
export interface DaySpent {
  /** `YYYY-MM-DD`, by the clock on the owner's wall. */
  readonly date: string
  readonly micros: bigint
  readonly done: number
}

const DAY_MS = 86_400_000
/** Every offset of a time zone is a whole number of these. */
const QUARTER_SECONDS = 900

/**
 * What an account, or one spender of it, spent through one upstream on each of the owner's last days, today last. A late
 * price counts on the day it was told. Null, and a zone that this process does not know, is UTC.
 */
export async function spentByDay(
  db: Database,
  of: ActivityOf & { readonly upstream: string },
  { now, timeZone, days }: { readonly now: Date; readonly timeZone: string | null; readonly days: number },
): Promise<DaySpent[]> {
  const dateOf = dates(timeZone)
  const today = Date.parse(dateOf(now.getTime()))
  const under = of.spenderId === undefined ? Sql.empty : Sql.sql`AND spender_id = ${of.spenderId}::uuid`
  const since = new Date(now.getTime() - (days + 1) * DAY_MS)
  const quarters = await db.$queryRaw<{ quarter: bigint; micros: bigint; done: number }[]>`
    SELECT floor(extract(epoch FROM at) / ${QUARTER_SECONDS}::int)::bigint AS quarter, sum(amount_micros)::bigint AS micros,
           (count(*) FILTER (WHERE what IN ('sms', 'hlr', 'msisdn') AND outcome = 'OK'))::int AS done
    FROM activity
    WHERE account_id = ${of.accountId}::uuid ${under} AND upstream = ${of.upstream} AND at > ${since}::timestamptz
    GROUP BY 1`
  const sums = new Map<string, DaySpent>()
  for (let ago = days - 1; ago >= 0; ago -= 1) {
    const date = new Date(today - ago * DAY_MS).toISOString().slice(0, 10)
    sums.set(date, { date, micros: 0n, done: 0 })
  }
  for (const { quarter, micros, done } of quarters) {
    const date = dateOf(Number(quarter) * QUARTER_SECONDS * 1000)
    const sum = sums.get(date)
    if (sum) sums.set(date, { date, micros: sum.micros + micros, done: sum.done + done })
  }
  return [...sums.values()]
}

/** The date of a moment in a zone, as `YYYY-MM-DD`. */
function dates(timeZone: string | null): (ms: number) => string {
  const options = {
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  } as const
  const formatIn = (zone: string) => new Intl.DateTimeFormat('en-US', { ...options, timeZone: zone })
  let format: Intl.DateTimeFormat
  try {
    format = formatIn(timeZone ?? 'UTC')
  } catch {
    format = formatIn('UTC')
  }
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
    return `${parts.year}-${parts.month}-${parts.day}`
  }
}
