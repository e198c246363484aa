import type { Database } from '@vertexsms/db/client'
import { LIMITS } from '../limits.ts'

/** A node that took a callback has this long before another one may try; longer than any attempt lasts. */
export const LEASE_MS = 30_000

/** One post that this node has taken. */
export interface Owed {
  readonly id: bigint
  readonly url: string
  readonly body: unknown
  /** This one included. */
  readonly attempts: number
  readonly attemptsMax: number
  readonly createdAt: Date
}

/**
 * Takes up to `slots` callbacks that are due, for {@link LEASE_MS}. Accounts and hosts take turns: whoever has least
 * under way comes first, and nobody gets more than its share of {@link LIMITS}, counted over all nodes by the leases
 * that run. Two nodes that take at the very same moment may together go past a share by what one of them took; a row
 * is taken by one of them. The look goes from lane to lane of the index: a thousand due rows of one lane cost what the
 * first few of them do, and each lane as much as any other. For that the order names the index's columns from the first:
 * that two of them are null is a condition for PostgreSQL, and no part of an order.
 */
export function claimCallbacks(db: Database, slots: number, now: Date): Promise<Owed[]> {
  const { perAccount, perHost, perAccountAndHost } = LIMITS.posts
  const leaseEnds = new Date(now.getTime() + LEASE_MS)
  return db.$queryRaw<Owed[]>`
    WITH RECURSIVE busy AS MATERIALIZED (
      SELECT account_id, host FROM callback
      WHERE leased_until > ${now}::timestamptz AND delivered_at IS NULL AND abandoned_at IS NULL
    ), lane AS (
      (SELECT account_id, host FROM callback WHERE delivered_at IS NULL AND abandoned_at IS NULL
       ORDER BY delivered_at, abandoned_at, account_id, host LIMIT 1)
      UNION ALL
      SELECT after.account_id, after.host FROM lane CROSS JOIN LATERAL (
        SELECT c.account_id, c.host FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL
          AND (c.account_id, c.host) > (lane.account_id, lane.host)
        ORDER BY c.delivered_at, c.abandoned_at, c.account_id, c.host LIMIT 1
      ) after
    ), of_lane AS (
      SELECT due.id, due.next_at, lane.account_id, lane.host,
             row_number() OVER (PARTITION BY lane.account_id, lane.host ORDER BY due.next_at)
               + (SELECT count(*) FROM busy b WHERE b.account_id = lane.account_id AND b.host = lane.host) AS turn
      FROM lane CROSS JOIN LATERAL (
        SELECT c.id, c.next_at FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.account_id = lane.account_id
          AND c.host = lane.host AND c.next_at <= ${now}::timestamptz
        ORDER BY c.delivered_at, c.abandoned_at, c.next_at LIMIT ${perAccountAndHost}::int
      ) due
    ), of_account AS (
      SELECT id, next_at, account_id, host,
             row_number() OVER (PARTITION BY account_id ORDER BY turn, next_at)
               + (SELECT count(*) FROM busy b WHERE b.account_id = of_lane.account_id) AS turn
      FROM of_lane WHERE turn <= ${perAccountAndHost}::int
    ), of_host AS (
      SELECT id, next_at, turn AS account_turn,
             row_number() OVER (PARTITION BY host ORDER BY turn, next_at)
               + (SELECT count(*) FROM busy b WHERE b.host = of_account.host) AS turn
      FROM of_account WHERE turn <= ${perAccount}::int
    ), chosen AS (
      SELECT id FROM of_host WHERE turn <= ${perHost}::int ORDER BY account_turn, next_at LIMIT ${slots}::int
    ), taken AS (
      SELECT c.id FROM callback c
      WHERE c.id IN (SELECT id FROM chosen) AND c.delivered_at IS NULL AND c.abandoned_at IS NULL
        AND c.next_at <= ${now}::timestamptz
      FOR UPDATE SKIP LOCKED
    )
    UPDATE callback c
    SET next_at = ${leaseEnds}::timestamptz, leased_until = ${leaseEnds}::timestamptz, attempts = c.attempts + 1
    FROM taken WHERE c.id = taken.id
    RETURNING c.id, c.url, c.body, c.attempts, c.attempts_max AS "attemptsMax", c.created_at AS "createdAt"`
}
