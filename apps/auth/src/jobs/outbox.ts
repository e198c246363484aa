// Mail that waits, in two tables of one shape. A row is claimed by compare-and-set for longer than a mail may take, so that
// of any number of nodes one sends it. What a server may have taken is never sent again; only a process that dies between
// a server's yes and its mark lets another send a mail twice, under the same Message-ID.
import { setTimeout as delay } from 'node:timers/promises'
import { type Database, Prisma } from '@vertexsms/db/client'
import { isUnreachable } from '@vertexsms/db/unreachable'
import type { Job } from '@vertexsms/service/jobs'
import type { Logger } from '@vertexsms/service/logger'
import type { Mail, Mailer, MailOutcome } from './mailer.ts'

/** What the sending jobs need. */
export interface MailJobDeps {
  readonly db: Database
  readonly issuerUrl: string
  readonly mailer: Mailer
  readonly log: Pick<Logger, 'warn'>
  /** How often to look; for tests. */
  readonly everyMs?: number
}

/** A table of mail that waits. */
type Outbox = 'notice' | 'password_request'

/** A claim is this much longer than a mail may take: the server may be slow, and so may the database. */
const CLAIM_MARGIN_MS = 20_000

/** Between two tries to mark what became of a mail: shorter than between two looks for what is due, here or elsewhere. */
const MARK_AGAIN_MS = 250

/** The waits between tries, in minutes; what fails after the last of them is given up, within half a day. */
const PAUSES_MINUTES = [1, 5, 15, 60, 240, 360]

/** A row that this process has until its claim is over. */
interface ClaimedMail {
  readonly id: string
  readonly attempts: number
  readonly claimedAt: Date
}

const tableOf = (outbox: Outbox) => (outbox === 'notice' ? Prisma.sql`notice` : Prisma.sql`password_request`)

/** A job that sends what waits in an outbox, one mail a run. `mailOf` makes the mail of a row; null for none, ever. */
export function createMailJob(
  { db, mailer, log, everyMs }: MailJobDeps,
  job: {
    readonly name: string
    readonly outbox: Outbox
    readonly everyMs: number
    readonly mailOf: (id: string, now: Date) => Promise<Omit<Mail, 'id'> | null>
  },
): Job {
  return {
    name: job.name,
    everyMs: everyMs ?? job.everyMs,
    firstAfterMs: everyMs ?? job.everyMs,
    async run(_clock, isStopping) {
      const claimed = await claimMail(db, job.outbox, mailer.sendWithinMs + CLAIM_MARGIN_MS)
      if (!claimed) return 0
      const mail = await job.mailOf(claimed.id, claimed.claimedAt)
      if (!mail) {
        await settleMail(db, job.outbox, claimed, 'refused')
        return 1
      }
      const { outcome, reason } = await mailer.send({ id: claimed.id, ...mail })
      if (outcome !== 'sent') log.warn({ event: 'mail', reason }, 'a mail was not sent')
      await settleSurely(db, job.outbox, { claimed, outcome, isStopping })
      return 1
    },
  }
}

/** Claims the mail that is due longest; null when none is. */
async function claimMail(db: Database, outbox: Outbox, claimMs: number): Promise<ClaimedMail | null> {
  const table = tableOf(outbox)
  const [row] = await db.$queryRaw<ClaimedMail[]>`
    UPDATE ${table} SET attempts = attempts + 1, claimed_until = database_now() + ${claimMs}::int * interval '1 ms'
    WHERE id = (
      SELECT id FROM ${table}
      WHERE next_at <= database_now() AND (claimed_until IS NULL OR claimed_until <= database_now())
      ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id::text, attempts, database_now() AS "claimedAt"`
  return row ?? null
}

/** Marks it as soon as the database is there again, unless the process stops before. */
async function settleSurely(
  db: Database,
  outbox: Outbox,
  {
    claimed,
    outcome,
    isStopping,
  }: { readonly claimed: ClaimedMail; readonly outcome: MailOutcome; readonly isStopping: () => boolean },
): Promise<void> {
  for (;;) {
    try {
      return await settleMail(db, outbox, claimed, outcome)
    } catch (error) {
      if (isStopping() || !isUnreachable(error)) throw error
      await delay(MARK_AGAIN_MS)
    }
  }
}

/** Marks what became of a claimed mail; a claim that was lost meanwhile marks nothing. */
async function settleMail(
  db: Database,
  outbox: Outbox,
  { id, attempts }: ClaimedMail,
  outcome: MailOutcome,
): Promise<void> {
  const pause = outcome === 'later' ? PAUSES_MINUTES[attempts - 1] : undefined
  const next = pause === undefined ? Prisma.sql`NULL` : Prisma.sql`database_now() + ${pause}::int * interval '1 minute'`
  const sent = outbox === 'notice' && outcome === 'sent' ? Prisma.sql`, sent_at = database_now()` : Prisma.empty
  await db.$executeRaw`
    UPDATE ${tableOf(outbox)} SET claimed_until = NULL, next_at = ${next} ${sent}
    WHERE id = ${id}::uuid AND attempts = ${attempts}::int`
}
