import type { Database } from '@vertexsms/db/client'
import { LIMITS } from '../service-limits.ts'

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
 * is taken by one of them. May leave something for the next look while it takes at least one.
 *
 * What a look costs grows with the accounts that have anything open, by two steps of the index each, and not with how
 * much that is or to how many hosts: only as many accounts as there are slots are looked at more closely, those that
 * have a row to post which no full share holds back, and of each the next row to each host, as many as it may have under
 * way. What stands before those in the order of time is stepped over, once for each host that has posts under way.
 *
 * The orders name the index's columns from the first: that two of them are null is a condition for PostgreSQL, and no part
 * of an order. A condition within CASE is one that no plan begins from and whose worth none reckons: by old statistics
 * few rows are open, and a plan that believes them reads all that are.
 */
export function claimCallbacks(db: Database, slots: number, now: Date): Promise<Owed[]> {
  const { perAccount, perHost, perAccountAndHost } = LIMITS.posts
  const leaseEnds = new Date(now.getTime() + LEASE_MS)
  return db.$queryRaw<Owed[]>`
    WITH RECURSIVE busy AS MATERIALIZED (
      SELECT account_id, host, count(*)::int AS posts FROM callback
      WHERE leased_until > ${now}::timestamptz
        AND CASE WHEN delivered_at IS NULL AND abandoned_at IS NULL THEN TRUE ELSE FALSE END
      GROUP BY account_id, host
    ), busy_account AS MATERIALIZED (
      SELECT account_id, sum(posts)::int AS posts, array_agg(host) AS hosts,
             array_agg(host) FILTER (WHERE posts >= ${perAccountAndHost}::int) AS full_hosts
      FROM busy GROUP BY account_id
    ), full_host AS MATERIALIZED (
      SELECT host FROM busy GROUP BY host HAVING sum(posts) >= ${perHost}::int
    ), owing AS (
      (SELECT account_id FROM callback WHERE delivered_at IS NULL AND abandoned_at IS NULL
       ORDER BY delivered_at, abandoned_at, account_id LIMIT 1)
      UNION ALL
      SELECT after.account_id FROM owing CROSS JOIN LATERAL (
        SELECT c.account_id FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.account_id > owing.account_id
        ORDER BY c.delivered_at, c.abandoned_at, c.account_id LIMIT 1
      ) after
    ), ready AS MATERIALIZED (
      SELECT owing.account_id, coalesce(b.posts, 0) AS posts, shut.hosts AS shut, shut.hosts || b.hosts AS busy_or_shut,
             oldest.next_at AS since
      FROM owing LEFT JOIN busy_account b ON b.account_id = owing.account_id
      CROSS JOIN LATERAL (SELECT ARRAY(SELECT host FROM full_host) || b.full_hosts AS hosts) shut
      CROSS JOIN LATERAL (
        SELECT c.next_at FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.account_id = owing.account_id
          AND c.next_at <= ${now}::timestamptz AND CASE WHEN c.host = ANY (shut.hosts) THEN FALSE ELSE TRUE END
        ORDER BY c.delivered_at, c.abandoned_at, c.next_at LIMIT 1
      ) oldest
      WHERE coalesce(b.posts, 0) < ${perAccount}::int
      ORDER BY posts, oldest.next_at LIMIT ${slots}::int
    ), of_new_hosts AS (
      SELECT account_id, NULL::bigint AS id, since AS next_at, NULL::text AS host, busy_or_shut AS passed, posts
      FROM ready
      UNION ALL
      SELECT before.account_id, due.id, due.next_at, due.host, before.passed || due.host, before.posts + 1
      FROM of_new_hosts before CROSS JOIN LATERAL (
        SELECT c.id, c.next_at, c.host FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.account_id = before.account_id
          AND c.next_at >= before.next_at AND c.next_at <= ${now}::timestamptz
          AND CASE WHEN c.host = ANY (before.passed) THEN FALSE ELSE TRUE END
        ORDER BY c.delivered_at, c.abandoned_at, c.next_at LIMIT 1
      ) due
      WHERE before.posts < ${perAccount}::int
    ), due AS (
      SELECT account_id, id, next_at, host FROM of_new_hosts WHERE id IS NOT NULL
      UNION
      SELECT ready.account_id, oldest.id, oldest.next_at, oldest.host FROM ready CROSS JOIN LATERAL (
        SELECT c.id, c.next_at, c.host FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.account_id = ready.account_id
          AND c.next_at >= ready.since AND c.next_at <= ${now}::timestamptz
          AND CASE WHEN c.host = ANY (ready.shut) THEN FALSE ELSE TRUE END
        ORDER BY c.delivered_at, c.abandoned_at, c.next_at LIMIT ${perAccount}::int
      ) oldest
      UNION
      SELECT ready.account_id, next.id, next.next_at, next.host
      FROM ready JOIN busy ON busy.account_id = ready.account_id AND NOT busy.host = ANY (ready.shut)
      CROSS JOIN LATERAL (
        SELECT c.id, c.next_at, c.host FROM callback c
        WHERE c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.account_id = ready.account_id
          AND c.next_at >= ready.since AND c.next_at <= ${now}::timestamptz
          AND CASE WHEN c.host = busy.host THEN TRUE ELSE FALSE END
        ORDER BY c.delivered_at, c.abandoned_at, c.next_at LIMIT 1
      ) next
    ), of_lane AS (
      SELECT due.id, due.next_at, due.account_id, due.host,
             row_number() OVER (PARTITION BY due.account_id, due.host ORDER BY due.next_at, due.id)
               + coalesce(b.posts, 0) AS turn
      FROM due LEFT JOIN busy b ON b.account_id = due.account_id AND b.host = due.host
    ), of_account AS (
      SELECT of_lane.id, next_at, host,
             row_number() OVER (PARTITION BY of_lane.account_id ORDER BY turn, next_at) + ready.posts AS turn
      FROM of_lane JOIN ready ON ready.account_id = of_lane.account_id WHERE turn <= ${perAccountAndHost}::int
    ), of_host AS (
      SELECT id, next_at, turn AS account_turn,
             row_number() OVER (PARTITION BY host ORDER BY turn, next_at)
               + (SELECT coalesce(sum(b.posts), 0) FROM busy b WHERE b.host = of_account.host) AS turn
      FROM of_account WHERE turn <= ${perAccount}::int
    ), chosen AS (
      SELECT id FROM of_host WHERE turn <= ${perHost}::int ORDER BY account_turn, next_at LIMIT ${slots}::int
    ), taken AS (
      SELECT row.id FROM chosen CROSS JOIN LATERAL (
        SELECT c.id FROM callback c
        WHERE c.id = chosen.id AND CASE
          WHEN c.delivered_at IS NULL AND c.abandoned_at IS NULL AND c.next_at <= ${now}::timestamptz THEN TRUE
          ELSE FALSE END
        FOR UPDATE SKIP LOCKED
      ) row
    )
    UPDATE callback c
    SET next_at = ${leaseEnds}::timestamptz, leased_until = ${leaseEnds}::timestamptz, attempts = c.attempts + 1
    FROM taken WHERE c.id = taken.id
    RETURNING c.id, c.url, c.body, c.attempts, c.attempts_max AS "attemptsMax", c.created_at AS "createdAt"`
}
