// Pauses a connection that behaves like an attack, after its answer and never on the path: the owner is asked to look and
// resumes with one press. Three rules with fixed numbers, so that everybody can say why one fired.
import { PAUSE_RULES, type PauseRule } from '@vertexsms/contract/pause-rules'
import { type Database, Prisma } from '@vertexsms/db/client'
import { unpausedByRule } from '@vertexsms/db/paused'
import type { UpstreamName } from '../upstream/upstream.ts'
import { pauseNotices } from './owner-notices.ts'

/** Whose behaviour is looked at. */
export interface Looked {
  readonly accountId: string
  readonly spenderId: string
  readonly upstream: UpstreamName
}

/** Rows that one look reads at most; whoever sends more in this time has no usual pace that ten minutes could exceed. */
const ROWS_MAX = 20_000

/** What a connection did is looked at from its owner's last resuming on: the same deeds do not pause it twice. */
function since(span: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`greatest(database_now() - ${span}, (SELECT resumed_at FROM me))`
}

function meOf({ spenderId, accountId }: Looked): Prisma.Sql {
  return Prisma.sql`me AS MATERIALIZED (
    SELECT id, resumed_at FROM spender s
    WHERE id = ${spenderId}::uuid AND account_id = ${accountId}::uuid AND kind = 'connection' AND ended_at IS NULL
      AND ${unpausedByRule('s')}
  )`
}

/** A condition: the message `m` is one of `me` by this upstream. What was tried with another is no pace and no number of it. */
function sentBy({ upstream }: Looked): Prisma.Sql {
  return Prisma.sql`m.spender_id = me.id AND m.upstream = ${upstream}`
}

/**
 * When a send began, or was to begin: not when an outage let it, nor when the last of its messages went out. None is handed
 * over before it, so that the index of that finds all that began since.
 */
const BEGAN = Prisma.sql`coalesce(s.scheduled_at, s.created_at)`

async function isBurst(db: Database, watched: Looked): Promise<boolean> {
  const { windowMinutes, times, afterSends, lookBackDays } = PAUSE_RULES.burst
  const window = Prisma.sql`${windowMinutes}::int * interval '1 minute'`
  const [row] = await db.$queryRaw<{ fires: boolean }[]>`
    WITH ${meOf(watched)}, recent AS (
      SELECT count(DISTINCT s.id) AS sends
      FROM me JOIN send_message m ON ${sentBy(watched)} JOIN send s ON s.id = m.send_id
      WHERE m.handed_at > ${since(window)} AND ${BEGAN} > ${since(window)}
    ), before AS (
      SELECT s.id, ${BEGAN} AS began
      FROM me JOIN send_message m ON ${sentBy(watched)} JOIN send s ON s.id = m.send_id
      WHERE m.handed_at > database_now() - ${lookBackDays}::int * interval '1 day'
        AND ${BEGAN} <= database_now() - ${window} AND ${BEGAN} > database_now() - ${lookBackDays}::int * interval '1 day'
      ORDER BY m.handed_at DESC LIMIT ${ROWS_MAX}::int
    ), windows AS (
      SELECT count(DISTINCT id) AS sends
      FROM before GROUP BY floor(extract(epoch FROM database_now() - began) / ${windowMinutes * 60}::int)
    )
    SELECT (SELECT sum(sends) FROM windows) >= ${afterSends}::int AND (SELECT count(*) FROM before) < ${ROWS_MAX}::int
           AND (SELECT sends FROM recent)
               > ${times}::int * (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sends) FROM windows) AS fires`
  return row?.fires === true
}

async function isNumberBlock(db: Database, watched: Looked): Promise<boolean> {
  const { numbers, within, lookBackHours } = PAUSE_RULES.number_block
  const newFrom = since(Prisma.sql`${lookBackHours}::int * interval '1 hour'`)
  // A shortened number is older than any look goes back. The windows are read once each, however many numbers there are.
  const rows = await db.$queryRaw<{ recipient: string }[]>`
    WITH ${meOf(watched)}, recent AS (
      SELECT DISTINCT recipient, recipient::bigint AS number FROM (
        SELECT m.recipient FROM me JOIN send_message m ON ${sentBy(watched)}
        WHERE m.handed_at > ${newFrom} AND length(m.recipient) BETWEEN 7 AND 15
        ORDER BY m.handed_at DESC LIMIT ${ROWS_MAX}::int
      ) latest
    ), near AS (
      SELECT recipient, number, number - lag(number, ${numbers - 1}::int) OVER (ORDER BY number) < ${within}::int AS ends
      FROM recent
    )
    SELECT recipient FROM (
      SELECT recipient, bool_or(ends) OVER (ORDER BY number RANGE BETWEEN CURRENT ROW AND ${within - 1}::bigint FOLLOWING) AS inside
      FROM near
    ) blocks WHERE inside`
  if (rows.length < numbers) return false
  const candidates = rows.map(({ recipient }) => recipient)
  const known = await db.$queryRaw<{ recipient: string }[]>`
    WITH ${meOf(watched)}
    SELECT DISTINCT m.recipient FROM me JOIN send_message m ON ${sentBy(watched)}
    WHERE m.recipient IN (SELECT unnest(${candidates}::text[])) AND m.handed_at <= ${newFrom}`
  const old = new Set(known.map(({ recipient }) => recipient))
  return hasBlock(candidates.filter((recipient) => !old.has(recipient)).map(BigInt))
}

/** Whether so many of the numbers lie within so many that follow each other. */
function hasBlock(numbers: readonly bigint[]): boolean {
  const { numbers: least, within } = PAUSE_RULES.number_block
  const sorted = [...numbers].sort((left, right) => (left < right ? -1 : 1))
  return sorted.some((number, at) => {
    const first = sorted[at - least + 1]
    return first !== undefined && number - first < BigInt(within)
  })
}

async function areCountriesTried(db: Database, watched: Looked): Promise<boolean> {
  const { countries, minutes } = PAUSE_RULES.refused_countries
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    WITH ${meOf(watched)}
    SELECT count(DISTINCT a.country) AS count FROM me JOIN activity a ON a.spender_id = me.id
    WHERE a.outcome = 'DESTINATION_NOT_ALLOWED' AND a.at > ${since(Prisma.sql`${minutes}::int * interval '1 minute'`)}`
  return (row?.count ?? 0n) >= BigInt(countries)
}

const LOOKS: Readonly<Record<PauseRule, (db: Database, watched: Looked) => Promise<boolean>>> = {
  refused_countries: areCountriesTried,
  number_block: isNumberBlock,
  burst: isBurst,
}

/**
 * Looks at what a connection did, and pauses it where a rule fires: the rule, or null. Tokens made by hand and accounts are
 * never paused; neither is a connection that is paused already, or for what it did before its owner resumed. A rule that
 * cannot be judged leaves the others theirs; its error is thrown where none of them fires.
 */
export async function pauseIfAttacking(db: Database, watched: Looked): Promise<PauseRule | null> {
  const failures: unknown[] = []
  const [before] = await db.$queryRaw<{ resumedAt: Date | null }[]>`
    WITH ${meOf(watched)} SELECT resumed_at AS "resumedAt" FROM me`
  if (before === undefined) return null
  for (const rule of Object.keys(LOOKS) as PauseRule[]) {
    const fires = await LOOKS[rule](db, watched).catch((error: unknown) => {
      failures.push(error)
      return false
    })
    if (!fires) continue
    const paused = await db.$executeRaw`
      WITH ${meOf(watched)}, paused AS (
        UPDATE spender s SET auto_paused_at = database_now(), auto_paused_reason = ${rule} FROM me WHERE s.id = me.id
          AND ${unpausedByRule('s')}
          -- Whoever resumes meanwhile has seen what the rule looked at.
          AND s.resumed_at IS NOT DISTINCT FROM ${before.resumedAt}::timestamptz
        RETURNING s.id, s.account_id
      ), told AS (${pauseNotices(rule)})
      INSERT INTO activity (account_id, spender_id, at, what, outcome, upstream)
      SELECT account_id, id, database_now(), 'pause', 'CONNECTION_PAUSED', ${watched.upstream} FROM paused`
    return paused > 0 ? rule : null
  }
  if (failures.length > 0) throw failures[0]
  return null
}
