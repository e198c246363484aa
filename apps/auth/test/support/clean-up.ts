import type { Database } from '@vertexsms/db/client'
import { createCleanUpJobs } from '../../src/jobs/clean-up.ts'

/** Runs every clean-up until it finds nothing more; the rows each removed, by the name of its job. */
export async function cleanUp(db: Database, now: Date): Promise<Record<string, number>> {
  const removed: Record<string, number> = {}
  for (const { name, run } of createCleanUpJobs(db)) {
    removed[name] = 0
    for (;;) {
      const rows = await run(
        async () => now,
        () => false,
      )
      if (rows === 0) break
      removed[name] += rows
    }
  }
  return removed
}
