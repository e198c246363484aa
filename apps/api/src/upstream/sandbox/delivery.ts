// What time brings about: every step is one statement that takes due rows, skipping those another node holds, and
// leaves them finished. A node that dies in the middle leaves them due, and any node goes on.
import { accountLives, tokenLives } from '@vertexsms/db/alive'
import { type Database, Prisma } from '@vertexsms/db/client'
import { owePosts, oweReviews } from '../../callback-lane.ts'
import { connectionSends } from '../../live.ts'
import { reportStatus } from './report-status.ts'
import { GENERIC_NAMES } from './sender-rules.ts'

/** Rows taken in one go. */
const BATCH = 100

/**
 * Hands scheduled messages to the network when their time has come. Those of a disabled account, of a connection that
 * ended, ran out or may not send any more and of a token made by hand that was deleted or ran out are cancelled: an ending
 * cancels what it finds, and what it could not find is caught here.
 */
export function releaseScheduled(db: Database, now: Date): Promise<number> {
  return db.$executeRaw`
    UPDATE message SET status = CASE WHEN due.live THEN 'accepted' ELSE 'cancelled' END::message_status
    FROM (
      SELECT m.id, ${accountLives('a')} AND (m.connection_id IS NULL OR c.id IS NOT NULL)
                   AND (m.manual_token_id IS NULL OR t.id IS NOT NULL) AS live
      FROM message m JOIN account a ON a.id = m.account_id
      LEFT JOIN connection c ON c.id = m.connection_id AND ${connectionSends('c')}
      LEFT JOIN api_token t ON t.id = m.manual_token_id AND ${tokenLives('t')}
      WHERE m.status = 'scheduled' AND m.send_at <= ${now}::timestamptz
      ORDER BY m.priority, m.send_at LIMIT ${BATCH}::int FOR UPDATE OF m SKIP LOCKED
    ) due
    WHERE message.id = due.id`
}

/**
 * Ends messages whose report is due: delivered ones arrive on the sandbox phone, and what is to be told is noted, in the
 * same statement: to whoever gave the order, or, for a row of the release before there were orders, what is owed to
 * `dlrUrl`. The text leaves the message's row.
 */
export function reportDelivery(db: Database, now: Date): Promise<number> {
  return db.$queryRaw<{ count: bigint }[]>`
    WITH due AS (
      SELECT id, text FROM message WHERE status = 'accepted' AND report_at <= ${now}::timestamptz
      ORDER BY priority, report_at LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED
    ), ended AS (
      UPDATE message m
      SET status = CASE WHEN m.outcome_code = 0 THEN 'delivered' ELSE 'failed' END::message_status,
          error_code = m.outcome_code, text = '', tell_at = CASE WHEN m.order_id IS NOT NULL THEN ${now}::timestamptz END
      FROM due WHERE m.id = due.id
      RETURNING m.id, m.account_id, m.order_id, m.recipient, m.sender, due.text, m.outcome_code, m.mccmnc, m.dlr_url, m.test_mode,
                m.report_at >= m.expires_at AS expired
    ), arrived AS (
      INSERT INTO sandbox_text (account_id, recipient, sender, text, received_at, message_id)
      SELECT account_id, recipient, sender, text, ${now}::timestamptz, order_id FROM ended
      WHERE outcome_code = 0 AND test_mode IS NULL
    ), owed AS (${owePosts(Prisma.sql`
      SELECT account_id, dlr_url AS url, test_mode,
             jsonb_build_object('id', id::text,
                                'status', ${reportStatus(Prisma.sql`expired`)},
                                'error', outcome_code, 'mcc', left(mccmnc, 3), 'mnc', substr(mccmnc, 4)) AS body
      FROM ended WHERE dlr_url IS NOT NULL`)}
    )
    SELECT count(*) AS count FROM ended`.then(([row]) => Number(row?.count ?? 0))
}

/** Gives back what was charged for messages that were cancelled before they were sent, once each. */
export function refundCancelled(db: Database): Promise<number> {
  return db.$queryRaw<{ count: bigint }[]>`
    WITH cancelled AS (
      SELECT id, account_id, price_micros FROM message WHERE status = 'cancelled' AND price_micros > 0
      LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED
    ), settled AS (
      UPDATE message m SET price_micros = 0, text = '' FROM cancelled WHERE m.id = cancelled.id
    ), sums AS (
      SELECT account_id, sum(price_micros)::bigint AS total FROM cancelled GROUP BY account_id
    ), returned AS (
      UPDATE account a SET balance_micros = a.balance_micros + sums.total FROM sums WHERE a.id = sums.account_id
    )
    SELECT count(*) AS count FROM cancelled`.then(([row]) => Number(row?.count ?? 0))
}

/** Ends reviews that are due: generic names are rejected, all others confirmed; `notificationUrl` is told. */
export function endReviews(db: Database, now: Date): Promise<number> {
  return db.$queryRaw<{ count: bigint }[]>`
    WITH due AS (
      SELECT id FROM sender_id WHERE status = 'pending_review' AND review_at <= ${now}::timestamptz
      ORDER BY review_at LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED
    ), ended AS (
      UPDATE sender_id s
      SET status = CASE WHEN lower(s.name) = ANY(${[...GENERIC_NAMES]}::text[]) THEN 'rejected' ELSE 'confirmed' END::sender_status,
          review_at = NULL
      FROM due WHERE s.id = due.id
      RETURNING s.id, s.account_id, s.name, s.status::text AS status, s.notification_url
    ), owed AS (${oweReviews(Prisma.sql`ended`)}
    )
    SELECT count(*) AS count FROM ended`.then(([row]) => Number(row?.count ?? 0))
}
