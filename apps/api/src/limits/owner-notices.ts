// Notes what an owner is told by mail, after an answer and never on the path. Auth sends it.
import { LIMIT_NEAR_FIFTHS } from '@vertexsms/contract/notice'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { UpstreamName } from '../upstream/upstream.ts'

/** Whose sending is looked at. */
interface Sender {
  readonly accountId: string
  readonly spenderId: string
  /** What was done with another one, as with the simulator before, is none of its first sends and uses up none of its limits. */
  readonly upstream: UpstreamName
}

/** An SMS that was sent, or may have been; not what waits, was refused or was cancelled before its time. */
const WENT_OUT = Prisma.sql`m.state IN ('accepted', 'unknown')
  AND (SELECT p.kind FROM send p WHERE p.id = m.send_id) = 'sms'`

/** A connection whose first message went out before that sent for the first time before anybody could be told. */
const FIRST_SEND_WITHIN_HOURS = 24

/** A row that waits to be mailed; `about` tells it from others of its kind and spender, and each is told once. */
function noticeColumns(kind: Prisma.Sql, about: Prisma.Sql, details: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`gen_random_uuid(), ${kind}::notice_kind, ${about}, ${details}, database_now(), database_now()`
}

/** The columns that {@link noticeColumns} fill, after those of account and spender. */
const INTO = Prisma.sql`INSERT INTO notice (account_id, spender_id, id, kind, about, details, created_at, next_at)`

/** An INSERT for a WITH clause: a notice for each row of `paused`, a CTE with `account_id, id` of the spender. */
export function pauseNotices(rule: string): Prisma.Sql {
  const details = Prisma.sql`jsonb_build_object('rule', ${rule}::text)`
  return Prisma.sql`
    ${INTO}
    SELECT account_id, id, ${noticeColumns(Prisma.sql`'auto_pause'`, Prisma.sql`database_now()::text`, details)} FROM paused
    ON CONFLICT DO NOTHING`
}

/**
 * Notes the first SMS of a connection by this upstream, and every limit of it, of a token or of the whole account of which four fifths are
 * used or held; each once, a limit a day once a day, and either again once it is another amount. What a process that dies
 * leaves out the next look notes.
 */
export async function noteForOwner(db: Database, { accountId, spenderId, upstream }: Sender): Promise<void> {
  const byThis = Prisma.sql`m.spender_id = s.id AND m.upstream = ${upstream} AND ${WENT_OUT}`
  const details = Prisma.sql`jsonb_build_object('upstream', upstream, 'limit', what, 'max', max::text, 'used', used::text)`
  const within = Prisma.sql`database_now() - ${FIRST_SEND_WITHIN_HOURS}::int * interval '1 hour'`
  await db.$executeRaw`
    WITH spenders AS (
      SELECT * FROM spender
      WHERE id IN (${spenderId}::uuid, ${accountId}::uuid) AND account_id = ${accountId}::uuid AND ended_at IS NULL
    ), near AS (
      SELECT s.account_id, s.id, c.upstream, l.*
      FROM spenders s JOIN spender_count c ON c.spender_id = s.id AND c.upstream = ${upstream} CROSS JOIN LATERAL (VALUES
        ('day', s.max_per_day_micros, c.day_spent_micros + c.day_held_micros, c.day, c.day_ends_at > database_now()),
        ('recipients', s.recipients_per_day::bigint, c.day_recipients::bigint, c.day, c.day_ends_at > database_now()),
        ('total', s.max_total_micros, c.total_spent_micros + c.total_held_micros, NULL, true)
      ) AS l (what, max, used, day, counts)
      WHERE l.counts AND l.max > 0 AND l.used * 5 >= l.max * ${LIMIT_NEAR_FIFTHS}::int
    ), first AS (
      SELECT s.account_id, s.id FROM spenders s
      WHERE s.kind = 'connection'
        AND EXISTS (SELECT FROM send_message m WHERE ${byThis} AND m.handed_at > ${within})
        AND NOT EXISTS (SELECT FROM send_message m WHERE ${byThis} AND m.handed_at <= ${within})
    )
    ${INTO}
    SELECT account_id, id, ${noticeColumns(Prisma.sql`'limit_near'`, Prisma.sql`concat_ws(' ', upstream, what, day, max)`, details)}
    FROM near
    UNION ALL
    SELECT account_id, id, ${noticeColumns(Prisma.sql`'first_send'`, Prisma.sql`${upstream}::text`, Prisma.sql`'{}'::jsonb`)} FROM first
    ON CONFLICT DO NOTHING`
}
