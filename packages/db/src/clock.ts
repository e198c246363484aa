import type { Database, Prisma } from './client.ts'

/**
 * What time it is by the clock that decides wherever nodes must agree: the database's (`database_now()` in SQL).
 * Inside a transaction ask through `tx`, after its locks were taken. A test moves it with `TestDatabase.followDate`.
 */
export async function databaseNow(db: Database | Prisma.TransactionClient): Promise<Date> {
  const [row] = await db.$queryRaw<[{ now: Date }]>`SELECT database_now() AS now`
  return row.now
}

/** A clock that goes on from a moment of the database which has just been learned, whatever this machine's clock says. */
export function runningFrom(moment: Date): () => Date {
  const learnedAt = performance.now()
  return () => new Date(moment.getTime() + performance.now() - learnedAt)
}
