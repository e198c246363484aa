// What the limits and counters of account and spender say to a send, read under their locks. Must say the same as
// limits/judge.ts, which explains a refusal from the rows that are told here.
import { Prisma } from '@vertexsms/db/client'
import { spenderGoes } from '@vertexsms/db/paused'
import type { OwnersDay } from '../limits/days.ts'
import type { Spender, SpenderKind } from '../limits/judge.ts'
import type { UpstreamName } from '../upstream/upstream.ts'
import { STATE_NOW } from './state-now.ts'

/** Messages of an account that may be with an upstream at the same time, on all nodes. */
export const AT_ONCE_MAX = 8

/** Scheduled messages of one spender that may wait. */
export const WAITING_MAX = 1_000

/** Whose rows are judged. */
export interface Ledger {
  readonly accountId: string
  readonly spenderId: string
  readonly upstream: UpstreamName
  /** The owner's days around now. */
  readonly days: readonly OwnersDay[]
}

/** What a send is, as `send.kind` names it. */
export type SendKind = 'sms' | 'hlr' | 'msisdn'

/** What a send asks of them, beside its recipients. */
export interface Request {
  readonly kind: SendKind
  /** As it stands in `from`; null for a lookup or a PIN. */
  readonly sender: string | null
  /** False for a scheduled send that is accepted: its day is that of its hand-over. */
  readonly countsDay: boolean
  /** True where the price of a recipient cannot be had. */
  readonly unpriced: boolean
  /** Messages that are with the upstream from then on. */
  readonly slots: number
  /** Scheduled messages that wait from then on. */
  readonly waits: number
}

const DIGITS = /^\d+$/

/**
 * CTEs over `live` and `asked(country text, hold bigint, already bigint)`: locks the spenders and their counters in the
 * order of their ids, after whatever `asked` locks; then `today(day, ends_at)`, `stand` (a row a spender, its day members
 * those of today), `sums(hold, already, messages)`, `unknown_countries(country, id)`, which the spender `id` wants to be asked
 * about, and `judged(complete, unended, fits, room, waiting_room, asks)`. `already` is what is held in total for the
 * recipient.
 */
export function standing(ledger: Ledger, request: Request): Prisma.Sql {
  const { accountId, spenderId, upstream, days } = ledger
  const { kind, sender, countsDay, unpriced, slots, waits } = request
  const digits = sender !== null && DIGITS.test(sender) ? sender : null
  return Prisma.sql`
  spenders AS MATERIALIZED (
    SELECT s.* FROM live JOIN spender s ON s.account_id = live.account_id
    CROSS JOIN (SELECT count(*) FROM asked) messages_first
    WHERE s.id IN (${accountId}::uuid, ${spenderId}::uuid) ORDER BY s.id FOR SHARE OF s
  ), counts AS MATERIALIZED (
    SELECT c.* FROM spenders s JOIN spender_count c ON c.spender_id = s.id
    WHERE c.upstream = ${upstream} ORDER BY c.spender_id FOR UPDATE OF c
  ), today AS MATERIALIZED (
    SELECT day, ends_at FROM (
      SELECT CASE WHEN turned THEN greatest(picked.day, c.day + 1) ELSE c.day END AS day,
             CASE WHEN turned THEN picked.ends_at ELSE c.day_ends_at END AS ends_at
      FROM counts c CROSS JOIN (${pickedDay(days)}) picked
      -- Further west its date may last on: it is over all the same, as it was said to be.
      CROSS JOIN LATERAL (SELECT c.day_ends_at <= database_now() AS turned) turn
    ) each ORDER BY day DESC, ends_at DESC LIMIT 1
  ), stand AS MATERIALIZED (
    SELECT s.id, s.kind, s.max_per_send_micros, s.max_per_day_micros, s.max_total_micros, s.recipients_per_day,
           s.countries, s.senders, s.ask_above_micros, s.ask_new_country, s.paused_at, s.resumed_at, s.auto_paused_at,
           s.ended_at, s.id = ${accountId}::uuid AS is_account, t.day, t.ends_at,
           CASE WHEN c.day = t.day THEN c.day_spent_micros ELSE 0 END AS day_spent_micros,
           CASE WHEN c.day = t.day THEN c.day_held_micros ELSE 0 END AS day_held_micros,
           CASE WHEN c.day = t.day THEN c.day_recipients ELSE 0 END AS day_recipients,
           c.total_spent_micros, c.total_held_micros, c.handed_over, c.scheduled
    FROM spenders s JOIN counts c ON c.spender_id = s.id CROSS JOIN today t
  ), sums AS MATERIALIZED (
    SELECT coalesce(sum(hold), 0)::bigint AS hold, coalesce(sum(already), 0)::bigint AS already, count(*)::int AS messages
    FROM asked
  ), unknown_countries AS MATERIALIZED (
    SELECT a.country, s.id FROM stand s CROSS JOIN (SELECT DISTINCT country FROM asked) a
    WHERE s.ask_new_country AND ${isNewCountry({ ...ledger, kind }, Prisma.sql`s.is_account`)}
  ), judged AS MATERIALIZED (
    SELECT count(*) = ${accountId === spenderId ? 1 : 2}::int AS complete,
      coalesce(bool_and(s.ended_at IS NULL), TRUE) AS unended,
      coalesce(bool_and(
        ${spenderGoes('s')}
        AND (s.max_per_send_micros IS NULL OR sums.hold <= s.max_per_send_micros)
        AND (NOT ${countsDay}::boolean OR s.max_per_day_micros IS NULL
             OR s.day_spent_micros + s.day_held_micros + sums.hold <= s.max_per_day_micros)
        AND (s.max_total_micros IS NULL
             OR s.total_spent_micros + s.total_held_micros - sums.already + sums.hold <= s.max_total_micros)
        AND (NOT ${countsDay}::boolean OR s.recipients_per_day IS NULL
             OR s.day_recipients + sums.messages <= s.recipients_per_day)
        AND (cardinality(s.countries) = 0 OR NOT EXISTS (SELECT FROM asked a WHERE a.country <> ALL (s.countries)))
        AND (${sender}::text IS NULL OR cardinality(s.senders) = 0 OR EXISTS (
          SELECT FROM unnest(s.senders) allowed WHERE btrim(allowed) = ${sender}::text
            OR allowed !~ '[A-Za-z]' AND regexp_replace(allowed, '[^0-9]', '', 'g') = ${digits}::text))
        AND (NOT ${unpriced}::boolean OR coalesce(s.max_per_send_micros, s.max_per_day_micros, s.max_total_micros,
                                                  s.ask_above_micros) IS NULL)
      ), FALSE) AS fits,
      coalesce(bool_and(
        (NOT s.is_account OR ${slots}::int = 0 OR s.handed_over + ${slots}::int <= ${AT_ONCE_MAX}::int)
      ), FALSE) AS room,
      coalesce(bool_and(${waits}::int <= 0 OR s.scheduled + ${waits}::int <= ${WAITING_MAX}::int), FALSE) AS waiting_room,
      coalesce(bool_or(
        coalesce(sums.hold > s.ask_above_micros, FALSE)
        OR EXISTS (SELECT FROM unknown_countries u WHERE u.id = s.id)
      ), FALSE) AS asks
    FROM stand s CROSS JOIN sums
  )`
}

/** What would go to a country, and by which account and upstream. */
export interface Going extends Pick<Ledger, 'accountId' | 'upstream'> {
  readonly kind: SendKind
}

/**
 * A condition over a spender `s` and a country `a.country`: neither an SMS nor another of its kind went there by this
 * upstream before. A lookup or a PIN opens no country for SMS; an SMS, which reaches strangers, opens it for both.
 */
export function isNewCountry(of: Going, isAccount: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`CASE WHEN ${isAccount} THEN (SELECT ${knownIn(of)} ${BY_INDEX})
    ELSE (SELECT ${knownIn(of)} AND m.spender_id = s.id ${BY_INDEX}) END IS NULL`
}

/**
 * Messages that went, or may have gone, to the country `a.country`; what is with the upstream may still be refused there.
 * Asked as a range and in the order of the index over account, country and spender: otherwise the whole table is walked
 * where most of it goes to one country and none to this.
 */
function knownIn({ accountId, upstream, kind }: Going): Prisma.Sql {
  return Prisma.sql`TRUE FROM send_message m
    WHERE m.account_id = ${accountId}::uuid AND m.country BETWEEN a.country AND a.country
      AND m.upstream = ${upstream} AND ${STATE_NOW} IN ('unknown', 'accepted')
      AND (SELECT p.kind::text FROM send p WHERE p.id = m.send_id) IN ('sms', ${kind})`
}

const BY_INDEX = Prisma.sql`ORDER BY m.account_id, m.country, m.spender_id LIMIT 1`

/**
 * A CTE `moved` that moves the counters of `stand` to today and takes `sums` up in them, for one row of `go`; to be used
 * once a statement.
 */
export function move({ accountId, upstream }: Ledger, { countsDay, slots, waits }: Request): Prisma.Sql {
  return Prisma.sql`
  moved AS (
    UPDATE spender_count c SET
      day = s.day, day_ends_at = s.ends_at, day_spent_micros = s.day_spent_micros,
      day_held_micros = s.day_held_micros + CASE WHEN ${countsDay}::boolean THEN sums.hold ELSE 0 END,
      day_recipients = s.day_recipients + CASE WHEN ${countsDay}::boolean THEN sums.messages ELSE 0 END,
      total_held_micros = s.total_held_micros - sums.already + sums.hold,
      handed_over = s.handed_over + CASE WHEN s.id = ${accountId}::uuid THEN ${slots}::int ELSE 0 END,
      scheduled = s.scheduled + ${waits}::int
    FROM stand s CROSS JOIN sums CROSS JOIN go
    WHERE c.spender_id = s.id AND c.upstream = ${upstream}
    RETURNING c.spender_id
  )`
}

/** The one of the owner's days that the database's clock is in. */
export function pickedDay(days: readonly OwnersDay[]): Prisma.Sql {
  const json = JSON.stringify(days)
  return Prisma.sql`
    SELECT d.date AS day, d."endsAt" AS ends_at
    FROM jsonb_to_recordset(${json}::jsonb) AS d(date date, "startsAt" timestamptz, "endsAt" timestamptz)
    WHERE d."startsAt" <= database_now() ORDER BY d."startsAt" DESC LIMIT 1`
}

/** Columns of {@link Stand}, of `stand` as `s`. */
export const STAND_COLUMNS = Prisma.sql`
  s.id::text AS id, s.kind::text AS kind, s.max_per_send_micros AS "maxPerSendMicros",
  s.max_per_day_micros AS "maxPerDayMicros", s.max_total_micros AS "maxTotalMicros",
  s.recipients_per_day AS "recipientsPerDay", s.countries, s.senders, s.ask_above_micros AS "askAboveMicros",
  s.ask_new_country AS "askNewCountry", s.paused_at AS "pausedAt", s.resumed_at AS "resumedAt",
  s.auto_paused_at AS "autoPausedAt", s.day::text AS day, s.ends_at AS "endsAt",
  s.day_spent_micros::bigint AS "daySpentMicros", s.day_held_micros::bigint AS "dayHeldMicros",
  s.day_recipients::int AS "dayRecipients", s.total_spent_micros AS "totalSpentMicros",
  s.total_held_micros AS "totalHeldMicros"`

/** One spender as it stood under the locks. */
export interface Stand {
  readonly id: string
  readonly kind: SpenderKind
  readonly maxPerSendMicros: bigint | null
  readonly maxPerDayMicros: bigint | null
  readonly maxTotalMicros: bigint | null
  readonly recipientsPerDay: number | null
  readonly countries: string[]
  readonly senders: string[]
  readonly askAboveMicros: bigint | null
  readonly askNewCountry: boolean
  readonly pausedAt: Date | null
  readonly resumedAt: Date | null
  readonly autoPausedAt: Date | null
  readonly day: string
  readonly endsAt: Date
  readonly daySpentMicros: bigint
  readonly dayHeldMicros: bigint
  readonly dayRecipients: number
  readonly totalSpentMicros: bigint
  readonly totalHeldMicros: bigint
}

/** The rows as limits/judge.ts reads them, the caller's own first, and the day they are of. */
export function toSpenders(
  stands: readonly Stand[],
  connectionId: string | null,
): { readonly spenders: readonly Spender[]; readonly today: OwnersDay | null } {
  const ordered = [...stands].sort((left, right) => Number(left.kind === 'account') - Number(right.kind === 'account'))
  const [first] = ordered
  return {
    spenders: ordered.map((stand) => ({
      limits: { ...stand, connectionId: stand.kind === 'connection' ? connectionId : null },
      counters: stand,
    })),
    today: first ? { date: first.day, startsAt: new Date(0), endsAt: first.endsAt } : null,
  }
}
