// Takes the next messages of a list from held to handed over: only those that are told may leave. Part of the statement
// that settles the chunk before (settle.ts). Twin: admit.ts, which counts the same places with the upstream.
import { Prisma } from '@vertexsms/db/client'
import { spenderGoes } from '@vertexsms/db/paused'
import { type Grant, openLive } from '../live.ts'
import type { UpstreamName } from '../upstream/upstream.ts'
import { isCurrent } from './current.ts'
import { AT_ONCE_MAX } from './standing.ts'

/** Messages of a list that are handed over together. */
export const CHUNK = 4

/** A message that names no validity and could not go for so long is not sent any more. */
const LATE_MAX_SECONDS = 21_600

/** A condition over a send `s`: it was scheduled, and its time is so long past that nothing more of it may go. */
export const IS_LATE = Prisma.sql`(
  s.scheduled_at <= database_now() - coalesce(s.expire_in_seconds, ${LATE_MAX_SECONDS}::int) * interval '1 second')`

/** What is claimed, and by whom. */
export interface Claim {
  readonly sendId: string
  readonly grant: Grant
  readonly spenderId: string
  readonly upstream: UpstreamName
  /** Of the account's token at the upstream: the send's, which must still be the present one. */
  readonly generation: number
  /** The turn in which this process took the send; null for what goes at once, which no other takes up. */
  readonly runnerId: string | null
  /** Of a message that is handed over. */
  readonly leaseSeconds: number
  /** Of whoever runs the list, from now on. */
  readonly runnerSeconds: number
}

/**
 * `open` begins the statement: the caller, the send and its runner's lease, held. `candidates` are the next held messages
 * and `going` a row while nothing has ended or paused them, they are not late, and the account's token is the one they were
 * accepted for. `claimed` are those that have a place with the upstream, as changes of the ledger.
 */
export function claimParts(claim: Claim): {
  readonly open: Prisma.Sql
  readonly candidates: Prisma.Sql
  readonly claimed: Prisma.Sql
} {
  const { sendId, grant, spenderId, upstream, generation, runnerId, leaseSeconds, runnerSeconds } = claim
  const open = Prisma.sql`${openLive(grant)}, mine AS MATERIALIZED (
    SELECT s.id, ${isCurrent(upstream, Prisma.sql`s`)} AND ${IS_LATE} IS NOT TRUE AS goes
    FROM send s CROSS JOIN (SELECT count(*) FROM live) account_first
    WHERE s.id = ${sendId}::uuid AND s.runner_until > database_now() AND s.upstream = ${upstream}
      AND s.generation = ${generation}::int AND s.runner_id IS NOT DISTINCT FROM ${runnerId}::uuid
    FOR NO KEY UPDATE OF s
  ), renewed AS (
    UPDATE send s SET runner_until = database_now() + ${runnerSeconds}::int * interval '1 second' FROM mine
    WHERE s.id = mine.id RETURNING s.id
  )`
  const candidates = Prisma.sql`
  candidates AS MATERIALIZED (
    SELECT m.id, m.account_id, m.spender_id, m.upstream, m.day, m.state
    FROM mine JOIN send_message m ON m.send_id = mine.id
    WHERE m.state = 'held' ORDER BY m.id LIMIT ${CHUNK}::int FOR UPDATE OF m
  ), spenders AS MATERIALIZED (
    SELECT s.* FROM live JOIN spender s ON s.account_id = live.account_id CROSS JOIN (SELECT count(*) FROM candidates) c
    WHERE s.id IN (${grant.accountId}::uuid, ${spenderId}::uuid) ORDER BY s.id FOR SHARE OF s
  ), going AS MATERIALIZED (
    SELECT FROM spenders s HAVING count(*) > 0 AND (SELECT goes FROM mine) AND bool_and(
      s.ended_at IS NULL AND ${spenderGoes('s')}
    )
  )`
  const claimed = Prisma.sql`
  places AS MATERIALIZED (
    SELECT ${AT_ONCE_MAX}::int - c.handed_over - coalesce((SELECT sum(slots) FROM settled), 0) AS free
    FROM counts c WHERE c.spender_id = ${grant.accountId}::uuid AND c.upstream = ${upstream}
  ), claimed AS MATERIALIZED (
    SELECT c.id, c.account_id, c.spender_id, c.upstream, c.day, c.state AS was, 'handed_over'::send_state AS state,
           0::bigint AS charge, 0::bigint AS hold, 0 AS recipients, 1 AS slots, 0 AS waits
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS turn FROM candidates) c CROSS JOIN places CROSS JOIN going
    WHERE c.turn <= places.free
  ), handed AS (
    UPDATE send_message m SET state = 'handed_over', handed_at = database_now(),
      lease_until = database_now() + ${leaseSeconds}::int * interval '1 second'
    FROM claimed WHERE m.id = claimed.id
    RETURNING m.id
  ),`
  return { open, candidates, claimed }
}
