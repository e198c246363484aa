// Which scheduled sends are due, as rows: who takes them, in which order, and what of them waits.
import { type Database, Prisma } from '@vertexsms/db/client'
import { IS_LATE } from '../ledger/claim.ts'
import type { RunnerOf } from './run-messages.ts'

/** Sends of one turn, and of one account in it. */
const BATCH = 20
const BATCH_OF_ACCOUNT = 8
/** A send is its turn's for so long: longer than prices and the ledger take; what failed in it is tried again after that. */
const TURN_LEASE_SECONDS = 30

/** A scheduled send that is this turn's. */
export interface DueSend extends RunnerOf {
  readonly id: string
  readonly generation: number
  readonly sealedText: Uint8Array | null
  readonly timeZone: string | null
  readonly scheduledAt: Date
  readonly takenAt: Date
  /** Of the turn for which it is ours; another where somebody took it after that. */
  readonly runnerId: string
  /** True where a runner had it, and is gone. */
  readonly held: boolean
}

/** A recipient of a scheduled send. */
export interface WaitingRecipient {
  readonly id: bigint
  readonly position: number
  readonly msisdn: string
  readonly country: string
  readonly parts: number
  readonly holdMicros: bigint
  /** The hold is the price that the upstream told for so many parts. */
  readonly holdTold: boolean
}

/**
 * Takes sends that are due, for the time of a turn, and those whose runner is gone: a few of each account, and none of
 * those that are `full`, so that one with many does not hold up the others; nor what is late, of which there may be more
 * than one turn lets expire. The first of every account comes before the second of any, and the rest of what has begun
 * before what has not: it was let in, and ends. What had a turn and was not comes after what had none, and after what
 * waits longer for its next: those whose price cannot be had do not hold up the others. Those of one account are told in
 * that order.
 */
export function takeDue(db: Database, upstream: string, full: readonly string[]): Promise<DueSend[]> {
  const isDue = Prisma.sql`s.scheduled_at <= database_now() AND s.upstream = ${upstream} AND s.sealed_text IS NOT NULL
    AND (s.runner_until IS NULL OR s.runner_until <= database_now()) AND NOT ${IS_LATE}`
  const hasBegun = Prisma.sql`s.runner_until IS NOT NULL
    AND EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.state = 'held')`
  const order = Prisma.sql`s.runner_until NULLS FIRST, s.priority, s.scheduled_at`
  return db.$queryRaw<DueSend[]>`
    WITH waiting AS MATERIALIZED (
      SELECT s.id, ${hasBegun} AS begun,
             row_number() OVER (PARTITION BY s.account_id ORDER BY (${hasBegun}) DESC, ${order}) AS turn
      FROM send s WHERE ${isDue} AND s.account_id <> ALL (${[...full]}::uuid[])
        AND EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.state IN ('scheduled', 'held'))
    ), due AS MATERIALIZED (
      SELECT s.id FROM waiting w JOIN send s ON s.id = w.id
      WHERE ${isDue} AND w.turn <= ${BATCH_OF_ACCOUNT}::int
      ORDER BY w.turn, w.begun DESC, ${order} LIMIT ${BATCH}::int FOR NO KEY UPDATE OF s SKIP LOCKED
    ), taken AS (
      UPDATE send s SET runner_until = database_now() + ${TURN_LEASE_SECONDS}::int * interval '1 second',
                        runner_id = gen_random_uuid()
      FROM due WHERE s.id = due.id
      RETURNING s.*
    )
    SELECT t.id::text AS id, t.account_id::text AS "accountId", t.spender_id::text AS "spenderId",
           t.connection_id::text AS "connectionId", t.token_id::text AS "tokenId", t.generation,
           t.sealed_text AS "sealedText", a.time_zone AS "timeZone", t.scheduled_at AS "scheduledAt",
           database_now() AS "takenAt", t.runner_id::text AS "runnerId",
           EXISTS (SELECT FROM send_message m WHERE m.send_id = t.id AND m.state = 'held') AS held
    FROM taken t JOIN waiting w ON w.id = t.id JOIN account a ON a.id = t.account_id
    ORDER BY w.turn`
}

/** The recipients of a send that wait, in their order. */
export function waitingOf(db: Database, sendId: string): Promise<WaitingRecipient[]> {
  return db.$queryRaw`
    SELECT id, position, recipient AS msisdn, country, parts, hold_micros AS "holdMicros", hold_told AS "holdTold"
    FROM send_message
    WHERE send_id = ${sendId}::uuid AND state IN ('scheduled', 'held') ORDER BY position`
}

/** Begins the lease of the runner of a send, for `runnerMs`; false where another node took it meanwhile. */
export async function beginLease(
  db: Database,
  { id, runnerId }: Pick<DueSend, 'id' | 'runnerId'>,
  runnerMs: number,
): Promise<boolean> {
  const begun = await db.$executeRaw`
    UPDATE send SET runner_until = database_now() + ${Math.ceil(runnerMs / 1000)}::int * interval '1 second'
    WHERE id = ${id}::uuid AND runner_id = ${runnerId}::uuid`
  return begun > 0
}
