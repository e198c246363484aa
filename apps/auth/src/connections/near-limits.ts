import { LIMIT_NEAR_FIFTHS, type NEAR_LIMITS } from '@vertexsms/contract/notice'
import { connectionLives, tokenLives } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'

/** A limit of which so much is used or held that its owner is told; money in micro-EUR. */
export interface NearLimit {
  /** The account's own id for the whole account. */
  readonly spenderId: string
  readonly limit: (typeof NEAR_LIMITS)[number]
  readonly max: bigint
  readonly used: bigint
}

/**
 * The limits of an account, its live connections and its live tokens of which {@link LIMIT_NEAR_FIFTHS} fifths are gone
 * through one upstream, the account's before the others. A limit of nothing is used up from the first.
 */
export function nearLimits(
  db: Database,
  { accountId, upstream, take }: { readonly accountId: string; readonly upstream: string; readonly take: number },
): Promise<NearLimit[]> {
  // The account is named in each list: where it is only compared, the database makes one list of everybody's.
  return db.$queryRaw<NearLimit[]>`
    SELECT s.id::text AS "spenderId", l.what AS "limit", l.max, l.used
    FROM spender s LEFT JOIN spender_count c ON c.spender_id = s.id AND c.upstream = ${upstream}
    CROSS JOIN LATERAL (SELECT coalesce(c.day_ends_at > database_now(), false) AS counts) AS today
    CROSS JOIN LATERAL (VALUES
      (1, 'day', s.max_per_day_micros, CASE WHEN today.counts THEN c.day_spent_micros + c.day_held_micros ELSE 0 END),
      (2, 'total', s.max_total_micros, coalesce(c.total_spent_micros + c.total_held_micros, 0)),
      (3, 'recipients', s.recipients_per_day::bigint, CASE WHEN today.counts THEN c.day_recipients::bigint ELSE 0 END)
    ) AS l (place, what, max, used)
    WHERE s.account_id = ${accountId}::uuid AND s.ended_at IS NULL
      AND l.used * 5 >= l.max * ${LIMIT_NEAR_FIFTHS}::int
      AND (
        s.kind = 'account'
        OR s.id IN (SELECT coalesce(o.spender_id, o.id) FROM connection o
                    WHERE o.account_id = ${accountId}::uuid AND ${connectionLives('o')})
        OR s.id IN (SELECT coalesce(o.spender_id, o.id) FROM api_token o
                    WHERE o.account_id = ${accountId}::uuid AND o.kind = 'manual' AND ${tokenLives('o')})
      )
    ORDER BY s.kind <> 'account', l.used < l.max, s.created_at, s.id, l.place LIMIT ${take}::int`
}
