import type { Database } from '@vertexsms/db/client'

/**
 * How many statements that hold these words wait for the lock of another. Asked outside of the transaction that holds it:
 * within one the list of statements stands still.
 */
export async function waitingForLock(db: Database, words: string): Promise<number> {
  const [row] = await db.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || ${words}::text || '%'`
  return row.count
}
