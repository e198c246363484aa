// Takes back what waits: one message of its sender, and all that was accepted under what has ended, may not send any more or was replaced.
import { ACCOUNT_CHANGED, type Cancelled } from '@vertexsms/contract/cancelled'
import { accountLives, tokenLives } from '@vertexsms/db/alive'
import { type Database, Prisma } from '@vertexsms/db/client'
import { ApiError, noSuch } from '../http/api-error.ts'
import { isCurrent } from '../ledger/current.ts'
import { settleOne, settleWhere, type Told } from '../ledger/release.ts'
import { connectionOnlyReads, connectionSends } from '../live.ts'
import type { UpstreamName } from '../upstream/upstream.ts'
import { messageOf } from './rows.ts'

const cancelled = (reason: Cancelled): Told => ({ outcome: 'released', failure: null, reason })
const CANCELLED = cancelled('cancelled')

/** A message that was not handed over yet: it waits for its time, or in its list for a place with the upstream. */
const NOT_HANDED_OVER = Prisma.sql`m.state IN ('scheduled', 'held')`

/**
 * Cancels a message of the spender that waits. Throws NOT_FOUND for one that is not its own, ALREADY_HANDED_OVER for one
 * that was handed over; one that was given back without that, as when its time passed or a limit refused it, is not sent.
 */
export async function cancel(db: Database, spenderId: string, id: bigint): Promise<void> {
  const row = await messageOf(db, spenderId, id)
  if (row === undefined || row.kind !== 'sms') throw noSuch('message')
  const waits = Prisma.sql`m.spender_id = ${spenderId}::uuid AND ${NOT_HANDED_OVER}`
  if (await settleOne(db, id, waits, CANCELLED)) return
  if (!(await neverLeft(db, id))) throw new ApiError('ALREADY_HANDED_OVER')
}

/** True for a message that was given back before it was handed over: nothing brings it back. */
async function neverLeft(db: Database, id: bigint): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    SELECT id FROM send_message WHERE id = ${id}::bigint AND state = 'released' AND handed_at IS NULL`
  return rows.length > 0
}

/** Cancels a message of an account that waits, whoever sent it. False for one that is not its own or does not wait. */
export async function cancelOfAccount(db: Database, accountId: string, id: bigint): Promise<boolean> {
  return settleOne(db, id, Prisma.sql`m.account_id = ${accountId}::uuid AND ${NOT_HANDED_OVER}`, CANCELLED)
}

/**
 * A condition: the connection, the token, the account or a spender under which a send `s` was accepted has ended, or the
 * connection may not send any more.
 */
const ENDED = Prisma.sql`(
  EXISTS (SELECT FROM account a WHERE a.id = s.account_id AND NOT ${accountLives('a')})
  OR s.connection_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM connection c WHERE c.id = s.connection_id AND ${connectionSends('c')})
  OR s.token_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM api_token t WHERE t.id = s.token_id AND ${tokenLives('t')})
  OR EXISTS (SELECT FROM spender e WHERE e.id = s.spender_id AND e.ended_at IS NOT NULL)
  OR EXISTS (SELECT FROM spender e WHERE e.id = s.account_id AND e.ended_at IS NOT NULL)
)`

/** A condition: the connection under which a send `s` was accepted lives on without the scope to send. */
const ONLY_READS = Prisma.sql`EXISTS (
  SELECT FROM connection c WHERE c.id = s.connection_id AND ${connectionOnlyReads('c')})`

/** Sends of one turn. */
const SENDS = 100

/** Cancels what waits under whatever has ended or may not send any more; tells how many messages that were. */
export async function cancelEnded(db: Database): Promise<number> {
  // The same as ENDED, as joins: many may wait while nothing has ended, and a question for each costs more than all of these.
  const ended = await db.$queryRaw<{ id: string }[]>`
    SELECT s.id::text AS id FROM send s LEFT JOIN account a ON a.id = s.account_id
    LEFT JOIN connection c ON c.id = s.connection_id LEFT JOIN api_token t ON t.id = s.token_id
    LEFT JOIN spender e ON e.id = s.spender_id LEFT JOIN spender of ON of.id = s.account_id
    WHERE s.sealed_text IS NOT NULL AND (
      NOT ${accountLives('a')} OR e.ended_at IS NOT NULL OR of.ended_at IS NOT NULL
      OR s.connection_id IS NOT NULL AND ${connectionSends('c')} IS NOT TRUE
      OR s.token_id IS NOT NULL AND (t.id IS NULL OR NOT ${tokenLives('t')})
    ) AND EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.state = 'scheduled')
    LIMIT ${SENDS}::int`
  if (ended.length === 0) return 0
  return cancelEndedOf(
    db,
    ended.map(({ id }) => id),
  )
}

/** The same of these sends alone: what may not be sent any more is told apart from what has ended. */
export async function cancelEndedOf(db: Database, sendIds: readonly string[]): Promise<number> {
  const waiting = Prisma.sql`m.state = 'scheduled' AND s.id = ANY (${[...sendIds]}::uuid[])`
  const lost = await settleWhere(db, Prisma.sql`${waiting} AND ${ONLY_READS}`, cancelled('scope_lost'))
  const ended = await settleWhere(db, Prisma.sql`${waiting} AND ${ENDED}`, CANCELLED)
  return lost.length + ended.length
}

/** A scheduled message that waits, or did when its runner died. */
const WAITS = Prisma.sql`(m.state = 'scheduled' OR m.state = 'held' AND s.runner_until <= database_now())`

/**
 * Closes what an owner was asked or said about a message for another upstream than that of this installation, or for a token
 * that the account has no more, and cancels what waits for either. Tells how many messages and questions that were.
 */
export async function cancelReplaced(db: Database, upstream: UpstreamName): Promise<number> {
  // The questions first: they are few, and however much waits is no reason to leave them open.
  const closed = await db.$executeRaw`
    UPDATE approval SET state = 'expired', sealed_text = NULL, expires_at = least(expires_at, database_now()),
           reason = CASE WHEN expires_at > database_now() THEN reason || ' ' || ${ACCOUNT_CHANGED}::text ELSE reason END
    WHERE id IN (
      SELECT a.id FROM approval a
      WHERE a.state IN ('pending', 'approved') AND NOT ${isCurrent(upstream, Prisma.sql`a`)}
      FOR UPDATE OF a SKIP LOCKED)`
  const waiting = Prisma.sql`${WAITS} AND NOT ${isCurrent(upstream, Prisma.sql`s`)}`
  const taken = await settleWhere(db, waiting, cancelled('account_changed'))
  return taken.length + closed
}
