import type { Database } from '@vertexsms/db/client'
import type { Job } from './runner.ts'

/** Posts a JSON body to a URL of a customer; true when it answered 200 with the body `OK`. Never throws. */
export type Post = (url: string, body: string) => Promise<boolean>

/** Callbacks are given up this long after they were owed. */
export const CALLBACK_LIFETIME_MS = 86_400_000

/** The pause after the first failed attempt; it doubles from there. */
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 3_600_000

/** A node that took a callback has this long before another one may try; longer than any attempt lasts. */
const LEASE_MS = 60_000

/** Attempts at the same time, and those of one account among them: a slow customer does not hold up the others. */
const PARALLEL = 16
const PARALLEL_PER_ACCOUNT = 4

interface Owed {
  readonly id: bigint
  readonly url: string
  readonly body: unknown
  readonly attempts: number
  readonly createdAt: Date
}

/** How long to wait after the given number of failed attempts. */
export function pauseAfterMs(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_PAUSE_MS)
}

/**
 * Delivers what is owed to customers' URLs until they answer `200 OK` or a day has passed. A row is taken by moving its
 * next attempt ahead, so two nodes never post the same attempt. A node that dies after posting and before noting it
 * posts again: customers must take a report twice, as with every such service.
 */
export function createCallbackJob(db: Database, post: Post, everyMs: number): Job {
  async function take(now: Date): Promise<Owed[]> {
    const leaseEnds = new Date(now.getTime() + LEASE_MS)
    return db.$queryRaw<Owed[]>`
      WITH due AS (
        SELECT id, account_id, next_at FROM callback
        WHERE delivered_at IS NULL AND abandoned_at IS NULL AND next_at <= ${now}::timestamptz
        ORDER BY next_at LIMIT ${PARALLEL * 4}::int FOR UPDATE SKIP LOCKED
      ), fair AS (
        SELECT id FROM (SELECT id, next_at, row_number() OVER (PARTITION BY account_id ORDER BY next_at) AS turn FROM due) ranked
        WHERE turn <= ${PARALLEL_PER_ACCOUNT}::int ORDER BY next_at LIMIT ${PARALLEL}::int
      )
      UPDATE callback c SET next_at = ${leaseEnds}::timestamptz, attempts = c.attempts + 1
      FROM fair WHERE c.id = fair.id
      RETURNING c.id, c.url, c.body, c.attempts, c.created_at AS "createdAt"`
  }

  async function attempt({ id, url, body, attempts, createdAt }: Owed): Promise<void> {
    const delivered = await post(url, JSON.stringify(body))
    const now = new Date()
    if (delivered) {
      await db.callback.updateMany({ where: { id, deliveredAt: null }, data: { deliveredAt: now } })
      return
    }
    const nextAt = new Date(now.getTime() + pauseAfterMs(attempts))
    const over = nextAt.getTime() > createdAt.getTime() + CALLBACK_LIFETIME_MS
    await db.callback.updateMany({ where: { id, attempts }, data: over ? { abandonedAt: now } : { nextAt } })
  }

  return {
    name: 'callbacks',
    everyMs,
    async run(now) {
      const owed = await take(now)
      await Promise.all(owed.map(attempt))
      return owed.length
    },
  }
}
