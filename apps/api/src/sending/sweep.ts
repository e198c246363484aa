// What time and others bring about in the ledger: any node may take any step at any moment, and each moves money in one
// statement.
import { MONEY_KEPT_MONTHS } from '@vertexsms/contract/limits'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { Job } from '@vertexsms/service/jobs'
import { lastDigitsOf } from '../activity/record.ts'
import { type Step, settleSteps } from '../ledger/release.ts'
import { FORGOTTEN_RESULT, HAS_NUMBER } from '../ledger/settle.ts'
import { NOT_SENT } from '../ledger/unsent.ts'
import type { UpstreamName } from '../upstream/upstream.ts'
import { forgetAskedTexts } from './approval.ts'
import { cancelEnded, cancelReplaced } from './cancel.ts'

/** An unknown message that nobody could tell of is charged for good after this. */
const UNKNOWN_DAYS = 4

/** Recipients are shortened to their last digits this long after nothing can change any more. */
const NUMBER_DAYS = 30

/** Rows of one statement. */
const BATCH = 500

/** The steps that money waits for. */
const STEPS: readonly Step[] = [
  {
    // Handed over, and nobody came back with an answer.
    condition: Prisma.sql`m.state = 'handed_over' AND m.lease_until <= database_now()`,
    told: { outcome: 'unknown', failure: null, reason: null },
  },
  {
    // The held rest of a list whose runner is gone. A scheduled one is taken up again instead (schedule.ts).
    condition: Prisma.sql`m.state = 'held' AND s.runner_until <= database_now() AND s.scheduled_at IS NULL`,
    told: { outcome: 'released', failure: 'UNAVAILABLE', reason: NOT_SENT },
  },
  {
    condition: Prisma.sql`m.state = 'unknown' AND m.not_sent_at IS NOT NULL`,
    told: { outcome: 'released', failure: null, reason: NOT_SENT },
  },
  {
    condition: Prisma.sql`m.state = 'unknown' AND m.was_sent_at IS NOT NULL`,
    told: { outcome: 'accepted', failure: null, reason: null, final: true },
  },
  {
    // Of many more than one statement moves, what its owner said was not sent stays for the next.
    condition: Prisma.sql`m.state = 'unknown' AND m.not_sent_at IS NULL AND m.handed_at <= database_now() - ${UNKNOWN_DAYS}::int * interval '1 day'`,
    told: { outcome: 'accepted', failure: null, reason: null, final: true },
  },
]

/** Tidies the ledger: leases that are over, endings, a scope that was lost, another token or upstream, verdicts, what stayed unknown. */
export function createSweepJob(db: Database, upstream: UpstreamName, everyMs: number): Job {
  return {
    name: 'sweep',
    everyMs,
    run: async () => (await settleSteps(db, STEPS)) + (await cancelEnded(db)) + (await cancelReplaced(db, upstream)),
  }
}

const RETENTION_EVERY_MS = 600_000

/** Shortens and deletes what has outlived its purpose. */
export function createRetentionJob(db: Database): Job {
  return {
    name: 'retention',
    everyMs: RETENTION_EVERY_MS,
    async run() {
      // Nothing but a late report can come after so long, and it finds its row without the number.
      const settled = await db.$executeRaw`
        UPDATE send_message SET final_at = database_now() WHERE id = ANY (ARRAY(
          SELECT id FROM send_message WHERE state IN ('accepted', 'released') AND final_at IS NULL AND ${HAS_NUMBER}
            AND handed_at <= database_now() - ${UNKNOWN_DAYS}::int * interval '1 day'
          LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED))`
      const shortened = await shortenNumbers(db)
      // Two that were cancelled at the same moment each saw the other one wait.
      const emptied = await db.$executeRaw`
        UPDATE send SET sealed_text = NULL WHERE id = ANY (ARRAY(
          SELECT s.id FROM send s WHERE s.sealed_text IS NOT NULL AND NOT EXISTS (
            SELECT FROM send_message m WHERE m.send_id = s.id AND m.state IN ('scheduled', 'held'))
          LIMIT ${BATCH}::int FOR UPDATE OF s SKIP LOCKED))`
      const approvals = await forgetAskedTexts(db, BATCH)
      const old = Prisma.sql`database_now() - ${MONEY_KEPT_MONTHS}::int * interval '1 month'`
      const sends = await db.$executeRaw`
        DELETE FROM send WHERE id IN (
          SELECT s.id FROM send s WHERE s.created_at <= ${old}
            AND NOT EXISTS (SELECT FROM send_message m WHERE m.send_id = s.id AND m.final_at IS NULL)
          LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED)`
      const asked = await db.$executeRaw`
        DELETE FROM approval WHERE id IN (
          SELECT id FROM approval WHERE created_at <= ${old} LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED)`
      const told = await db.$executeRaw`
        DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE at <= ${old} LIMIT ${BATCH}::int)`
      return settled + shortened + emptied + approvals + sends + asked + told
    },
  }
}

/**
 * Shortens numbers whose time is over. The URL that takes reports goes with the last of its send: many a caller writes the
 * number into it. Two nodes that shorten the last two of a send at one moment leave it until the send goes.
 */
async function shortenNumbers(db: Database): Promise<number> {
  const [{ rows }] = await db.$queryRaw<[{ rows: number }]>`
    WITH shortened AS (
      UPDATE send_message SET recipient = ${lastDigitsOf(Prisma.sql`recipient`)}, fingerprint = NULL,
        result = CASE WHEN result IS NOT NULL THEN ${FORGOTTEN_RESULT} END
      WHERE id = ANY (ARRAY(
        SELECT id FROM send_message
        WHERE final_at <= database_now() - ${NUMBER_DAYS}::int * interval '1 day' AND ${HAS_NUMBER}
        LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED))
      RETURNING id, send_id
    ), forgotten AS (
      UPDATE send s SET dlr_url = NULL
      WHERE s.id = ANY (ARRAY(SELECT send_id FROM shortened)) AND s.dlr_url IS NOT NULL AND NOT EXISTS (
        SELECT FROM send_message m
        WHERE m.send_id = s.id AND ${HAS_NUMBER} AND NOT EXISTS (SELECT FROM shortened WHERE shortened.id = m.id))
    )
    SELECT count(*)::int AS rows FROM shortened`
  return rows
}
