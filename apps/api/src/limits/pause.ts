// Pauses a connection that behaves like an attack, after its answer and never on the path: the owner is asked to look and
// resumes with one press. Three rules with fixed numbers, so that everybody can say why one fired.
import { PAUSE_RULES, type PauseRule } from '@vertexsms/contract/pause-rules'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { UpstreamName } from '../upstream/upstream.ts'
import { noteForOwner, pauseNotices } from './owner-notices.ts'

/** Whose behaviour is looked at. */
interface Looked {
  readonly accountId: string
  readonly spenderId: string
  readonly upstream: UpstreamName
}

/** Whose behaviour is looked at behind an answer. */
export interface Watched extends Looked {
  /** What a token made by hand does is its owner's own doing: it is never paused, and its limits are looked at alone. */
  readonly isConnection: boolean
}

/** Rows that one look reads at most; whoever sends more in this time has no usual pace that ten minutes could exceed. */
const ROWS_MAX = 20_000

/** What a connection did is looked at from its owner's last resuming on: the same deeds do not pause it twice. */
function since(span: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`greatest(database_now() - ${span}, (SELECT resumed_at FROM me))`
}

function meOf({ spenderId, accountId }: Looked): Prisma.Sql {
  return Prisma.sql`me AS MATERIALIZED (
    SELECT id, resumed_at FROM spender
    WHERE id = ${spenderId}::uuid AND account_id = ${accountId}::uuid AND kind = 'connection' AND ended_at IS NULL
      AND coalesce(auto_paused_at <= resumed_at, auto_paused_at IS NULL)
  )`
}

async function isBurst(db: Database, watched: Looked): Promise<boolean> {
  const { windowMinutes, times, afterSends, lookBackDays } = PAUSE_RULES.burst
  const window = Prisma.sql`${windowMinutes}::int * interval '1 minute'`
  const [row] = await db.$queryRaw<{ fires: boolean }[]>`
    WITH ${meOf(watched)}, recent AS (
      SELECT count(DISTINCT m.send_id) AS sends FROM me JOIN send_message m ON m.spender_id = me.id
      WHERE m.handed_at > ${since(window)}
    ), before AS (
      SELECT m.send_id, m.handed_at FROM me JOIN send_message m ON m.spender_id = me.id
      WHERE m.handed_at <= database_now() - ${window}
        AND m.handed_at > database_now() - ${lookBackDays}::int * interval '1 day'
      ORDER BY m.handed_at DESC LIMIT ${ROWS_MAX}::int
    ), windows AS (
      SELECT count(DISTINCT send_id) AS sends
      FROM before GROUP BY floor(extract(epoch FROM database_now() - handed_at) / ${windowMinutes * 60}::int)
    )
    SELECT (SELECT sum(sends) FROM windows) >= ${afterSends}::int AND (SELECT count(*) FROM before) < ${ROWS_MAX}::int
           AND (SELECT sends FROM recent)
               > ${times}::int * (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sends) FROM windows) AS fires`
  return row?.fires === true
}

async function isNumberBlock(db: Database, watched: Looked): Promise<boolean> {
  const { numbers, within, lookBackHours } = PAUSE_RULES.number_block
  const span = Prisma.sql`${lookBackHours}::int * interval '1 hour'`
  // A shortened number is older than any look goes back.
  const rows = await db.$queryRaw<{ recipient: string }[]>`
    WITH ${meOf(watched)}, recent AS MATERIALIZED (
      SELECT DISTINCT recipient, recipient::bigint AS number FROM (
        SELECT m.recipient FROM me JOIN send_message m ON m.spender_id = me.id
        WHERE m.handed_at > ${since(span)} AND length(m.recipient) BETWEEN 7 AND 15
        ORDER BY m.handed_at DESC LIMIT ${ROWS_MAX}::int
      ) latest
    ), near AS (
      SELECT recipient, number, number - lag(number, ${numbers - 1}::int) OVER (ORDER BY number) < ${within}::int AS ends
      FROM recent
    )
    SELECT DISTINCT n.recipient FROM near n JOIN near e ON e.ends AND n.number BETWEEN e.number - ${within - 1}::int AND e.number`
  if (rows.length < numbers) return false
  const candidates = rows.map(({ recipient }) => recipient)
  const known = await db.$queryRaw<{ recipient: string }[]>`
    SELECT DISTINCT m.recipient FROM send_message m
    WHERE m.spender_id = ${watched.spenderId}::uuid AND m.recipient = ANY(${candidates}::text[])
      AND m.handed_at <= database_now() - ${span}`
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
 * never paused; neither is a connection that is paused already, or for what it did before its owner resumed.
 */
export async function pauseIfAttacking(db: Database, watched: Looked): Promise<PauseRule | null> {
  for (const rule of Object.keys(LOOKS) as PauseRule[]) {
    if (!(await LOOKS[rule](db, watched))) continue
    const paused = await db.$executeRaw`
      WITH ${meOf(watched)}, paused AS (
        UPDATE spender s SET auto_paused_at = database_now(), auto_paused_reason = ${rule} FROM me WHERE s.id = me.id
          AND coalesce(s.auto_paused_at <= s.resumed_at, s.auto_paused_at IS NULL)
        RETURNING s.id, s.account_id
      ), told AS (${pauseNotices(rule)})
      INSERT INTO activity (account_id, spender_id, at, what, outcome, upstream)
      SELECT account_id, id, database_now(), 'pause', 'CONNECTION_PAUSED', ${watched.upstream} FROM paused`
    return paused > 0 ? rule : null
  }
  return null
}

/** Connections and tokens that a process keeps in mind for the next look. */
const WATCHED_MAX = 10_000

/** Watches connections and tokens behind their answers. */
export interface PauseWatch {
  /** Something was sent or refused; returns at once, and a look is taken soon. */
  note(watched: Watched): void
  /** Resolves when no look is under way or due. */
  idle(): Promise<void>
  /** Takes every look that is due at once, and from now on, for a node that stops; resolves when they are taken. */
  finish(): Promise<void>
}

/** One look a connection or token at a time, and not more often than `everyMs`, however much it sends. */
export function createPauseWatch(db: Database, log: FastifyBaseLogger, everyMs: number): PauseWatch {
  const lookedMs = new LRUCache<string, number>({ max: WATCHED_MAX })
  /** Connections whose next look has not begun. */
  const due = new Set<string>()
  const running = new Set<Promise<void>>()
  /** Ends the waiting of each look that is not taken yet. */
  const waiting = new Set<() => void>()
  let isFinishing = false

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms).unref()
      waiting.add(end)
    })
  }

  async function idle(): Promise<void> {
    while (running.size > 0) await Promise.all(running)
  }

  async function look(watched: Watched): Promise<void> {
    const waitMs = (lookedMs.get(watched.spenderId) ?? Number.NEGATIVE_INFINITY) + everyMs - performance.now()
    if (waitMs > 0 && !isFinishing) await wait(waitMs)
    // From here on what is noted is not seen by this look any more.
    due.delete(watched.spenderId)
    lookedMs.set(watched.spenderId, performance.now())
    try {
      const rule = watched.isConnection ? await pauseIfAttacking(db, watched) : null
      await noteForOwner(db, watched)
      if (rule !== null) log.warn({ event: 'auto-pause' }, 'connection paused')
    } catch (error) {
      log.warn({ err: error as Error }, 'look at a connection failed')
    }
  }

  return {
    note(watched) {
      if (due.has(watched.spenderId) || due.size >= WATCHED_MAX) return
      due.add(watched.spenderId)
      const looking: Promise<void> = look(watched).finally(() => running.delete(looking))
      running.add(looking)
    },
    idle,
    async finish() {
      isFinishing = true
      for (const end of waiting) end()
      await idle()
    },
  }
}
