import type { Database } from '@vertexsms/db/client'
import { deleteEndedCounters } from '@vertexsms/db/counter'
import type { Job } from '@vertexsms/service/jobs'
import { PIN_COUNTER_PREFIX } from '../upstream/pin-limit.ts'

/** What arrived on the sandbox phone is kept this long, and so is a callback that is over. */
export const TEXT_LIFETIME_MS = 7 * 86_400_000

const EVERY_MS = 600_000

/** Rows of one statement, which has seconds to end; the next one follows at once. */
const BATCH = 1_000

/** Deletes what has outlived its purpose: sandbox texts, finished callbacks, ended counters. */
export function createCleanUpJob(db: Database): Job {
  return {
    name: 'clean-up',
    everyMs: EVERY_MS,
    async run(clock) {
      const now = await clock()
      const before = new Date(now.getTime() - TEXT_LIFETIME_MS)
      const texts = await db.$executeRaw`
        DELETE FROM sandbox_text WHERE id IN (
          SELECT id FROM sandbox_text WHERE received_at < ${before}::timestamptz LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED
        )`
      const callbacks = await db.$executeRaw`
        DELETE FROM callback WHERE id IN (
          SELECT id FROM callback WHERE delivered_at < ${before}::timestamptz OR abandoned_at < ${before}::timestamptz
          LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED
        )`
      const counters = await deleteEndedCounters(db, now, PIN_COUNTER_PREFIX)
      return texts + callbacks + counters
    },
  }
}
