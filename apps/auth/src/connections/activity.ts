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

/** Where a row stands among the others: what is written meanwhile moves none from its place. */
export type ActivityKey = Pick<Activity, 'at' | 'id'>

const beside = (key: ActivityKey, side: 'lt' | 'gt'): Prisma.ActivityWhereInput => ({
  // The first member lets an index begin at the key.
  at: { [`${side}e`]: key.at },
  OR: [{ at: { [side]: key.at } }, { at: key.at, id: { [side]: key.id } }],
})

/**
 * A page of what an account, or one spender of it, did with the account's money, newest first: the latest, or those before
 * or after a row. Tells whether there are older and newer ones, and counts none.
 */
export async function activityPage(
  db: Database,
  of: ActivityOf,
  { take, before, after }: { readonly take: number; readonly before?: ActivityKey; readonly after?: ActivityKey },
): Promise<{ readonly rows: Activity[]; readonly hasOlder: boolean; readonly hasNewer: boolean }> {
  if (before) {
    const where = { ...of, ...beside(before, 'lt') }
    const found = await db.activity.findMany({ where, orderBy: [...LATEST_FIRST], take: take + 1 })
    if (found.length > 0) return { rows: found.slice(0, take), hasOlder: found.length > take, hasNewer: true }
  }
  if (after) {
    const where = { ...of, ...beside(after, 'gt') }
    const found = await db.activity.findMany({ where, orderBy: [{ at: 'asc' }, { id: 'asc' }], take: take + 1 })
    if (found.length > take) return { rows: found.slice(0, take).reverse(), hasOlder: true, hasNewer: true }
  }
  // Near the top, and beyond the end, the latest page is shown whole.
  const found = await db.activity.findMany({ where: of, orderBy: [...LATEST_FIRST], take: take + 1 })
  return { rows: found.slice(0, take), hasOlder: found.length > take, hasNewer: false }
}

/** Rows that are read at once. */
const BATCH_ROWS = 1000

/** The same in batches, newest first, `maxRows` at most: what is written meanwhile moves no row from its place. */
export async function* activityBatches(db: Database, of: ActivityOf, maxRows: number): AsyncGenerator<Activity[]> {
  let last: Activity | undefined
  for (let rows = 0; rows < maxRows; rows += BATCH_ROWS) {
    const take = Math.min(BATCH_ROWS, maxRows - rows)
    const where = last ? { ...of, ...beside(last, 'lt') } : of
    const batch = await db.activity.findMany({ where, orderBy: [...LATEST_FIRST], take })
    if (batch.length > 0) yield batch
    if (batch.length < take) return
    last = batch.at(-1)
  }
}

/**
 * What was spent on one of the owner's days, and how many messages were handed over that were sent: also those of which that
 * was known only later.
 */
export interface DaySpent {
  /** `YYYY-MM-DD`, by the clock on the owner's wall. */
  readonly date: string
  readonly micros: bigint
  readonly sends: number
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
  const quarters = await db.$queryRaw<{ quarter: bigint; micros: bigint; sends: number }[]>`
    SELECT floor(extract(epoch FROM at) / ${QUARTER_SECONDS}::int)::bigint AS quarter, sum(amount_micros)::bigint AS micros,
           (count(*) FILTER (WHERE what IN ('sms', 'msisdn') AND (outcome = 'OK' OR outcome = 'SEND_OUTCOME_UNKNOWN' AND EXISTS (
             SELECT FROM send_message m WHERE m.id = activity.message_id AND m.state = 'accepted'))))::int AS sends
    FROM activity
    WHERE account_id = ${of.accountId}::uuid ${under} AND upstream = ${of.upstream} AND at > ${since}::timestamptz
    GROUP BY 1 ORDER BY 1`
  const sums = new Map<string, DaySpent>()
  for (let ago = days - 1; ago >= 0; ago -= 1) {
    const date = new Date(today - ago * DAY_MS).toISOString().slice(0, 10)
    sums.set(date, { date, micros: 0n, sends: 0 })
  }
  const dateAt = (at: number) => dateOf(Number(quarters[at]?.quarter ?? 0n) * QUARTER_SECONDS * 1000)
  for (let from = 0; from < quarters.length; ) {
    const date = dateAt(from)
    const to = endOfDate(dateAt, date, { from, to: quarters.length })
    const sum = sums.get(date)
    if (sum) sums.set(date, quarters.slice(from, to).reduce(added, sum))
    from = to
  }
  return [...sums.values()]
}

function added(sum: DaySpent, { micros, sends }: Pick<DaySpent, 'micros' | 'sends'>): DaySpent {
  return { date: sum.date, micros: sum.micros + micros, sends: sum.sends + sends }
}

/** Where a date ends that begins at `from`. Dates only grow, and telling one is dear: the end is found by halving. */
function endOfDate(
  dateAt: (at: number) => string,
  date: string,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let [last, beyond] = [from, to]
  while (beyond - last > 1) {
    const middle = (last + beyond) >> 1
    if (dateAt(middle) === date) last = middle
    else beyond = middle
  }
  return beyond
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
