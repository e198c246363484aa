// What became of messages: takes what was held, charges or gives back, in one statement with the claim of a list's next
// chunk. Twins: admit.ts and due.ts (hold what is settled here), release.ts (settles what never left).
//
// It runs under the lock of the message and applies what is charged less what was charged already, so that it may be run
// again, come late, and come more than once.
import { type ApiErrorCode, VERTEX_ERROR_CODES } from '@vertexsms/contract/api-errors'
import { type Database, Prisma } from '@vertexsms/db/client'
import { activityFrom } from '../activity/record.ts'
import { type Claim, claimParts } from './claim.ts'
import { retried } from './retry.ts'
import { STATE_NOW } from './state-now.ts'
import { OWED_UNSENT } from './unsent.ts'

/** How long a repeat through MCP is looked for after the first one settled. */
const FINGERPRINT_SECONDS = 120

/**
 * The balance of the account at the upstream did not reach. It is reported of what was accepted, too, and the answer that
 * accepted it may come after the report: it then charges nothing.
 */
export const NOT_PAID = VERTEX_ERROR_CODES.BALANCE_LIMIT

/**
 * A condition: an accepted message `m` was sent, or a lookup made, whatever is told of it later. What became of it was told
 * before; one that this gave back was charged again since, which no report does but one that it was sent.
 */
export const WAS_SENT = Prisma.sql`(m.result IS NOT NULL OR m.delivery IS NOT NULL)`

/** What stands for a result that is not kept any more: that a lookup was made is known all the same. */
export const FORGOTTEN_RESULT = Prisma.sql`'{}'::jsonb`

/** A condition over a message: its number is not shortened yet, as the index says it, letter by letter. What is not final has it. */
export const HAS_NUMBER = Prisma.sql`length(recipient) > 3`

/**
 * Text by which a message `m` is known to stand as it was read: its state, and what was charged for how many parts.
 */
export const AS_READ = Prisma.sql`concat_ws(' ', ${STATE_NOW}, m.parts, m.charged_micros, m.charged_hold)`

/** What became of one message. */
export interface Settlement {
  readonly messageId: bigint
  readonly outcome: 'accepted' | 'released' | 'unknown'
  readonly reference?: string
  /** What it costs in the end; null charges what is held, which a report may still lower unless it was told. */
  readonly chargedMicros?: bigint | null
  /** What was held for it when it left, which is charged without a price where it was given back before its answer. */
  readonly heldMicros?: bigint
  /** As many as the upstream says it sent; more than were counted are charged for, and by reports, too. */
  readonly parts?: number | null
  readonly failure?: ApiErrorCode
  readonly failureNumber?: number | null
  readonly failureReason?: string | null
  /** Nothing follows but a late report. */
  readonly final?: boolean
  /**
   * Whether the caller's URL is owed that a message did not go out, where its send does not tell it (unsent.ts): `due` once
   * the call was answered with its id, `never` of what a report says, which is posted itself, and of an id that nobody knows.
   */
  readonly post?: 'due' | 'never'
  /**
   * As it was read ({@link AS_READ}), where a report settles it by that: one that changed meanwhile stays as it is, and is not
   * told. It is not over before the report itself is written.
   */
  readonly asRead?: string
}

/** Where a message stood before and stands now. */
export interface Settled {
  readonly id: bigint
  readonly was: string
  readonly state: string
}

/** Settles messages; those whose state does not lead there stay as they are, and are not told. */
export async function settle(db: Database, settlements: readonly Settlement[]): Promise<Settled[]> {
  return retried(
    () => db.$queryRaw<Settled[]>`
    WITH ${told(settlements)}, ${settledParts(lockTold())}, ${movedBy(Prisma.sql`SELECT * FROM settled`)}
    SELECT id, was::text AS was, state::text AS state FROM settled`,
  )
}

/** Settles a chunk and claims the next one of its list. */
export async function settleAndClaim(
  db: Database,
  settlements: readonly Settlement[],
  claim: Claim,
): Promise<{ readonly claimed: readonly bigint[]; readonly live: boolean; readonly held: number }> {
  const { open, candidates, claimed } = claimParts(claim)
  const rows = await retried(
    () => db.$queryRaw<{ claimed: bigint[]; live: boolean; held: number }[]>`
    ${open}, ${told(settlements)}, ${settledParts(lockTold(Prisma.sql`CROSS JOIN (SELECT count(*) FROM mine) send_first`))}, ${candidates},
    ${movedBy(Prisma.sql`SELECT * FROM settled UNION ALL SELECT * FROM claimed`, {
      touched: Prisma.sql`SELECT account_id, spender_id, upstream FROM settled
                          UNION SELECT account_id, spender_id, upstream FROM candidates`,
      between: claimed,
    })}
    SELECT ARRAY(SELECT id FROM claimed ORDER BY id) AS claimed, EXISTS (SELECT FROM going) AS live,
           (SELECT count(*)::int FROM candidates) AS held`,
  )
  const [row] = rows
  return { claimed: (row?.claimed ?? []).map(BigInt), live: row?.live === true, held: row?.held ?? 0 }
}

/** A CTE `told`: what is said of messages. */
function told(settlements: readonly Settlement[]): Prisma.Sql {
  const json = JSON.stringify(
    settlements.map((one) => ({
      id: String(one.messageId),
      outcome: one.outcome,
      reference: one.reference ?? null,
      charged: one.chargedMicros === undefined || one.chargedMicros === null ? null : String(one.chargedMicros),
      held: one.heldMicros === undefined ? null : String(one.heldMicros),
      parts: one.parts ?? null,
      failure: one.failure ?? null,
      failure_number: one.failureNumber ?? null,
      failure_reason: one.failureReason ?? null,
      final: one.final ?? false,
      post: one.post ?? null,
      as_read: one.asRead ?? null,
    })),
  )
  return Prisma.sql`told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(${json}::jsonb)
      AS t(id bigint, outcome text, reference text, charged bigint, held bigint, parts int, failure text, failure_number int,
           failure_reason text, final boolean, post text, as_read text)
  )`
}

/** What {@link settledParts} reads of a message `m`, beside what is told of it. */
export const STANDING = Prisma.sql`
  m.id, m.send_id, m.account_id, m.spender_id, m.upstream, m.country, m.parts, m.recipient, m.state, m.day,
  m.hold_micros, m.charged_micros, m.failure_number AS refused_by, ${WAS_SENT} AS was_sent, ${HAS_NUMBER} AS has_number,
  CASE m.state WHEN 'accepted' THEN m.charged_hold ELSE NOT m.hold_told END AS only_held`

/** The rows of `told`, held; `after` names what must be held before them. */
function lockTold(after = Prisma.empty): Prisma.Sql {
  return Prisma.sql`
  SELECT ${STANDING}, t.outcome, t.reference, t.charged,
         CASE WHEN m.state = 'released' THEN coalesce(t.held, 0) ELSE m.hold_micros + m.charged_micros END AS by_hold_micros,
         greatest(m.parts, t.parts) AS parts_sent, t.failure, t.failure_number, t.failure_reason, t.final, t.post,
         t.as_read IS NOT NULL AS by_report
  FROM told t JOIN send_message m ON m.id = t.id ${after}
  WHERE t.as_read IS NULL OR t.as_read = ${AS_READ} ORDER BY m.id FOR UPDATE OF m`
}

/**
 * CTEs over a SELECT of held messages with what is told of them: `settled`, which are the changes of those whose state
 * leads there, and the rows of messages, approvals and activity written accordingly.
 */
export function settledParts(locked: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
  locked AS MATERIALIZED (${locked}), settling AS MATERIALIZED (
    SELECT l.*,
      CASE l.outcome WHEN 'accepted'
                       THEN coalesce(l.charged, ceil(l.by_hold_micros * l.parts_sent / l.parts::numeric)::bigint)
                     WHEN 'released' THEN 0 ELSE l.charged_micros END AS now_charged,
      CASE WHEN l.outcome = 'unknown' THEN l.hold_micros ELSE 0 END AS now_held,
      l.outcome = 'accepted' AND l.charged IS NULL AND l.only_held AS by_hold
    FROM locked l
    WHERE CASE l.outcome
      WHEN 'accepted' THEN l.state IN ('handed_over', 'unknown', 'accepted')
        OR l.state = 'released' AND (l.final OR l.refused_by IS DISTINCT FROM ${NOT_PAID}::int)
      WHEN 'released' THEN l.state IN ('scheduled', 'held', 'handed_over', 'unknown')
        OR l.state = 'accepted' AND l.by_report AND NOT l.was_sent
      ELSE l.state = 'handed_over' END
  ), settled AS MATERIALIZED (
    SELECT id, account_id, spender_id, upstream, day, state AS was, outcome::send_state AS state,
           now_charged - charged_micros AS charge, now_held - hold_micros AS hold,
           (outcome <> 'released')::int - (state NOT IN ('released', 'scheduled'))::int AS recipients,
           -(state = 'handed_over')::int AS slots, -(state = 'scheduled')::int AS waits
    FROM settling
  ), noted AS (
    UPDATE send_message m SET
      state = s.outcome::send_state, hold_micros = s.now_held, charged_micros = s.now_charged,
      charged_hold = s.by_hold,
      told_micros = CASE WHEN s.outcome = 'released' AND NOT s.only_held THEN s.hold_micros + s.charged_micros END,
      parts = s.parts_sent, reference = coalesce(s.reference, m.reference), lease_until = NULL,
      failure = s.failure, failure_number = s.failure_number, failure_reason = s.failure_reason,
      fingerprint = CASE WHEN s.outcome = 'released' THEN NULL ELSE m.fingerprint END,
      fingerprint_until = CASE WHEN s.outcome = 'accepted'
        THEN coalesce(m.fingerprint_until, database_now() + ${FINGERPRINT_SECONDS}::int * interval '1 second') END,
      settled_at = coalesce(m.settled_at, CASE WHEN s.outcome <> 'unknown' THEN database_now() END),
      final_at = CASE WHEN s.by_report THEN m.final_at
        WHEN s.outcome = 'released' OR s.final THEN coalesce(m.final_at, database_now())
        -- An acceptance that comes after the word of its owner opens it again: its delivery, or its result, still follows.
        -- What has no number stays closed: nothing asks about it or closes it any more.
        WHEN s.outcome = 'accepted' AND m.delivery IS NULL AND m.result IS NULL AND s.has_number THEN NULL
        ELSE m.final_at END
    FROM settling s WHERE m.id = s.id
    RETURNING m.id
  ), done AS (
    -- All of it was handed over and nothing taken: not where any was cancelled or refused before its turn.
    SELECT DISTINCT s.send_id FROM settling s WHERE s.outcome = 'released' AND s.state = 'handed_over'
      AND NOT EXISTS (
        SELECT FROM send_message other
        WHERE other.send_id = s.send_id AND (other.state <> 'released' OR other.handed_at IS NULL)
          AND other.id NOT IN (SELECT id FROM settling WHERE outcome = 'released' AND state = 'handed_over')
      )
  ), given_back AS (
    -- One that is over allows nothing more: it stays used, by what was not sent.
    UPDATE approval a SET state = 'approved', send_id = NULL FROM done
    WHERE a.send_id = done.send_id AND a.state = 'used' AND a.expires_at > database_now()
    RETURNING a.id
  ), emptied AS (
    UPDATE send s SET sealed_text = NULL
    WHERE s.id IN (
        -- A send comes before its messages (live.ts); where it is not held yet it is not waited for. The clean-up comes by.
        SELECT id FROM send WHERE sealed_text IS NOT NULL AND id IN (SELECT send_id FROM settling)
        FOR NO KEY UPDATE SKIP LOCKED
      )
      AND NOT EXISTS (
        SELECT FROM send_message other WHERE other.send_id = s.id AND other.state IN ('scheduled', 'held')
          AND other.id NOT IN (SELECT id FROM settling)
      )
    RETURNING s.id
  ), owed AS (${OWED_UNSENT}
  ), recorded AS (${activityFrom(Prisma.sql`(
    SELECT s.account_id, s.spender_id,
           CASE WHEN s.state = 'handed_over' THEN p.kind::text WHEN s.state IN ('scheduled', 'held') THEN 'cancel'
                ELSE 'settle' END AS what,
           CASE s.outcome WHEN 'accepted' THEN 'OK' WHEN 'unknown' THEN 'SEND_OUTCOME_UNKNOWN'
                -- With the limit, as refusalOutcome writes it.
                ELSE CASE s.failure WHEN 'SPEND_CAP_REACHED' THEN concat_ws(' ', s.failure, s.failure_reason)
                     ELSE coalesce(s.failure, 'OK') END END AS outcome,
           s.country, s.parts_sent AS parts, s.now_charged - s.charged_micros AS amount_micros, s.recipient, s.send_id,
           s.id AS message_id, s.upstream
    FROM settling s JOIN send p ON p.id = s.send_id
    WHERE s.outcome <> s.state::text OR s.now_charged <> s.charged_micros
    ORDER BY s.id
  )`)}
  )`
}

/**
 * CTEs that take changes up in the counters, under their locks in the order of ids. `touched` are the spenders whose
 * counters are held, `between` further CTEs that read them (`counts`) before the changes are summed.
 */
export function movedBy(
  changes: Prisma.Sql,
  { touched, between }: { readonly touched: Prisma.Sql; readonly between: Prisma.Sql } = {
    touched: Prisma.sql`SELECT account_id, spender_id, upstream FROM settled`,
    between: Prisma.empty,
  },
): Prisma.Sql {
  return Prisma.sql`
  affected AS MATERIALIZED (
    SELECT spender_id AS id, upstream FROM (${touched}) t UNION SELECT account_id, upstream FROM (${touched}) t
  ), counts AS MATERIALIZED (
    SELECT c.* FROM affected a JOIN spender_count c ON c.spender_id = a.id AND c.upstream = a.upstream
    ORDER BY c.spender_id, c.upstream FOR UPDATE OF c
  ), ${between} changes AS MATERIALIZED (${changes}), sums AS MATERIALIZED (
    SELECT c.spender_id, c.upstream, sum(ch.charge)::bigint AS charge, sum(ch.hold)::bigint AS hold,
           coalesce(sum(ch.charge) FILTER (WHERE ch.day = c.day), 0)::bigint AS day_charge,
           coalesce(sum(ch.hold) FILTER (WHERE ch.day = c.day), 0)::bigint AS day_hold,
           coalesce(sum(ch.recipients) FILTER (WHERE ch.day = c.day), 0)::int AS day_recipients,
           coalesce(sum(ch.slots) FILTER (WHERE ch.account_id = c.spender_id), 0)::int AS slots,
           sum(ch.waits)::int AS waits
    FROM counts c JOIN changes ch ON ch.upstream = c.upstream AND c.spender_id IN (ch.spender_id, ch.account_id)
    GROUP BY c.spender_id, c.upstream
  ), moved AS (
    UPDATE spender_count n SET
      day_spent_micros = c.day_spent_micros + s.day_charge, day_held_micros = c.day_held_micros + s.day_hold,
      day_recipients = greatest(c.day_recipients + s.day_recipients, 0),
      total_spent_micros = c.total_spent_micros + s.charge, total_held_micros = c.total_held_micros + s.hold,
      handed_over = c.handed_over + s.slots, scheduled = c.scheduled + s.waits
    FROM counts c JOIN sums s ON s.spender_id = c.spender_id AND s.upstream = c.upstream
    WHERE n.spender_id = c.spender_id AND n.upstream = c.upstream
    RETURNING n.spender_id
  )`
}
