// The rows that limits and counters hang on: made at first use, read for whoever shows or judges them.
// Twin: standing.ts reads the same rows under their locks.
import { type Database, Prisma } from '@vertexsms/db/client'
import { dayAt, daysAround, type OwnersDay } from '../limits/days.ts'
import type { Spender } from '../limits/judge.ts'
import { type Grant, openLive } from '../live.ts'
import type { UpstreamName } from '../upstream/upstream.ts'
import { retried } from './retry.ts'
import { isNewCountry, type Ledger, pickedDay, STAND_COLUMNS, type Stand, toSpenders } from './standing.ts'

const DAY_MS = 86_400_000

/**
 * Makes the rows of account and spender, and their counters of the upstream, where they are missing: from a connection
 * or token that lives and is held by this very statement. False where it has ended.
 */
export async function ensureSpenders(db: Database, grant: Grant, ledger: Ledger): Promise<boolean> {
  const { accountId, spenderId, upstream } = ledger
  const kind = grant.connectionId === null ? 'token' : 'connection'
  const [row] = await retried(
    () => db.$queryRaw<{ live: boolean }[]>`
      ${openLive(grant)}, wanted AS (
        SELECT ${accountId}::uuid AS id, 'account'::spender_kind AS kind FROM live
        UNION SELECT ${spenderId}::uuid, ${kind}::spender_kind FROM live
      ), made AS (
        INSERT INTO spender (id, account_id, kind, created_at)
        SELECT id, ${accountId}::uuid, kind, database_now() FROM wanted ORDER BY id ON CONFLICT (id) DO NOTHING
        RETURNING id
      ), counted AS (
        INSERT INTO spender_count (spender_id, upstream, day, day_ends_at)
        SELECT wanted.id, ${upstream}, began.day, began.ends_at
        FROM wanted CROSS JOIN (${dayThatBegan(ledger)}) began CROSS JOIN (SELECT count(*) FROM made) m
        ORDER BY wanted.id ON CONFLICT (spender_id, upstream) DO NOTHING
        RETURNING spender_id
      )
      SELECT EXISTS (SELECT FROM live) AS live, (SELECT count(*) FROM counted) AS counted`,
  )
  return row?.live === true
}

/**
 * The day that a counter begins in: that of the account, which lasts to the end it was given when it began, though the
 * owner has another time zone since; else nobody's limit of the day would outlast a new connection.
 */
function dayThatBegan({ accountId, upstream, days }: Pick<Ledger, 'accountId' | 'upstream' | 'days'>): Prisma.Sql {
  return Prisma.sql`
    SELECT coalesce(a.day, p.day) AS day, coalesce(a.day_ends_at, p.ends_at) AS ends_at
    FROM (${pickedDay(days)}) p LEFT JOIN spender_count a ON a.spender_id = ${accountId}::uuid AND a.upstream = ${upstream}`
}

/** What `readSpenders` needs of the caller. */
export interface SpenderOf {
  readonly accountId: string
  readonly spenderId: string
  readonly connectionId: string | null
  readonly timeZone: string | null
}

/** Account and spender as they stand. */
export interface Standings {
  /** The caller's own first, then the account's. */
  readonly spenders: readonly Spender[]
  readonly today: OwnersDay
}

/** The rows of the caller and its account, without any lock; what is missing is without limits and counters. */
export async function readSpenders(
  db: Database,
  { accountId, spenderId, connectionId, timeZone }: SpenderOf,
  upstream: UpstreamName,
  now: Date,
): Promise<Standings> {
  const days = daysAround(now, timeZone)
  const rows = await db.$queryRaw<Stand[]>`
    SELECT ${STAND_COLUMNS} FROM (
      SELECT spender.*, coalesce(c.day, p.day) AS day, coalesce(c.day_ends_at, p.ends_at) AS ends_at,
             coalesce(c.day_spent_micros, 0) AS day_spent_micros, coalesce(c.day_held_micros, 0) AS day_held_micros,
             coalesce(c.day_recipients, 0) AS day_recipients, coalesce(c.total_spent_micros, 0) AS total_spent_micros,
             coalesce(c.total_held_micros, 0) AS total_held_micros
      FROM spender CROSS JOIN (${dayThatBegan({ accountId, upstream, days })}) p
      LEFT JOIN spender_count c ON c.spender_id = spender.id AND c.upstream = ${upstream}
      WHERE spender.id IN (${accountId}::uuid, ${spenderId}::uuid) AND spender.account_id = ${accountId}::uuid
    ) s`
  const found = new Map(rows.map((row) => [row.id, row]))
  const kind = connectionId === null ? ('token' as const) : ('connection' as const)
  const stands = [
    found.get(spenderId) ?? withoutLimits(spenderId, kind),
    found.get(accountId) ?? withoutLimits(accountId, 'account' as const),
  ]
  const { spenders } = toSpenders(stands, connectionId)
  return { spenders, today: todayOf(rows, days, now) }
}

/** Those of the countries before the first SMS to which the owner wants to be asked, without any lock. */
export async function newCountriesOf(
  db: Database,
  { accountId, spenderId }: Pick<SpenderOf, 'accountId' | 'spenderId'>,
  upstream: UpstreamName,
  countries: readonly string[],
): Promise<string[]> {
  const rows = await db.$queryRaw<{ country: string }[]>`
    SELECT DISTINCT a.country FROM spender s CROSS JOIN unnest(${[...countries]}::text[]) AS a(country)
    WHERE s.id IN (${accountId}::uuid, ${spenderId}::uuid) AND s.account_id = ${accountId}::uuid
      AND s.ask_new_country AND ${isNewCountry({ accountId, upstream, kind: 'sms' }, Prisma.sql`s.kind = 'account'`)}`
  return rows.map(({ country }) => country)
}

/** The latest of the days that the counters are in: each lasts to the end it was given when it began. */
function todayOf(stands: readonly Pick<Stand, 'day' | 'endsAt'>[], days: readonly OwnersDay[], now: Date): OwnersDay {
  const picked = dayAt(days, now)
  const current = stands.map(({ day, endsAt }) =>
    endsAt <= now
      ? { ...picked, date: later(picked.date, dateAfter(day)) }
      : { date: day, startsAt: picked.startsAt, endsAt },
  )
  return current.reduce((latest, day) => (day.date > latest.date ? day : latest), current[0] ?? picked)
}

function later(one: string, other: string): string {
  return one > other ? one : other
}

/** The date after one, both as `YYYY-MM-DD`. */
function dateAfter(date: string): string {
  return new Date(Date.parse(date) + DAY_MS).toISOString().slice(0, 10)
}

function withoutLimits(id: string, kind: Stand['kind']): Stand {
  return {
    id,
    kind,
    maxPerSendMicros: null,
    maxPerDayMicros: null,
    maxTotalMicros: null,
    recipientsPerDay: null,
    countries: [],
    senders: [],
    askAboveMicros: null,
    askNewCountry: false,
    pausedAt: null,
    resumedAt: null,
    autoPausedAt: null,
    day: '',
    endsAt: new Date(0),
    daySpentMicros: 0n,
    dayHeldMicros: 0n,
    dayRecipients: 0,
    totalSpentMicros: 0n,
    totalHeldMicros: 0n,
  }
}
