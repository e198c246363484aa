import { type Database, Prisma } from '@vertexsms/db/client'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { expect } from 'vitest'

/** False for the embedded database: it has one session, and nothing ever waits for another there. */
export const CAN_MEET = readTestDatabaseUrl() !== undefined

/** How many statements wait for a lock. */
export async function waitingFor(db: Database): Promise<number> {
  const [{ count }] = await db.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`
  return count
}

/**
 * Lets requests meet at the write: the connections of an account stay locked until a statement of each of them waits, so
 * that all have looked before the first has written. Returns how each ended, in their order.
 */
export function meet<Answer>(
  db: Database,
  accountId: string,
  requests: readonly (() => Promise<Answer>)[],
): Promise<PromiseSettledResult<Answer>[]> {
  const connections = Prisma.sql`SELECT id::text FROM connection WHERE account_id = ${accountId}::uuid FOR UPDATE`
  return meetBehind(db, connections, requests)
}

/** The same behind the rows that a statement locks. */
export async function meetBehind<Answer>(
  db: Database,
  lock: Prisma.Sql,
  requests: readonly (() => Promise<Answer>)[],
): Promise<PromiseSettledResult<Answer>[]> {
  let begun: Promise<PromiseSettledResult<Answer>[]> | undefined
  await db.$transaction(
    async (tx) => {
      await tx.$queryRaw(lock)
      begun = Promise.allSettled(requests.map((request) => request()))
      await expect.poll(() => waitingFor(db)).toBe(requests.length)
    },
    { timeout: 30_000 },
  )
  return begun ?? []
}
