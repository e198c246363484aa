// Asks the operator what became of messages, where he has not told: with pauses that grow with their age, by any node, and
// from where the last one stopped.
import { type Database, Prisma } from '@vertexsms/db/client'
import type { Job } from '@vertexsms/service/jobs'
import { within } from '@vertexsms/service/within'
import { HAS_NUMBER } from '../ledger/settle.ts'
import type { ReportDoor, SendingUpstream } from '../upstream/upstream.ts'
import { byAccount } from './by-account.ts'

/** Messages of one turn. */
const BATCH = 50

/** Questions of one account at the same time. */
const AT_ONCE = 4

/** With so many accounts asked about nothing more is taken: questions share their connections with what is sent. */
const ACCOUNTS_MAX = 32

/** A turn that takes nothing waits so long for an account that is asked about: it makes room, and more of it may be due. */
const TURN_MS = 1_000

/** A pause is this share of a message's age, and never longer than an hour. */
const SHARE_OF_AGE = 0.5
const PAUSE_MAX_SECONDS = 3_600

/** What asking needs. */
export interface StatusJobOptions {
  readonly db: Database
  readonly operator: SendingUpstream
  readonly door: ReportDoor
  /** From a message to the first question, and the shortest pause after it. */
  readonly firstMs: number
  readonly everyMs: number
}

interface Asked {
  readonly id: bigint
  readonly accountId: string
  readonly reference: string
}

/** A job that asks for what is open. An answer goes through the door as a report does; a question without one is asked again. */
export function createStatusJob({ db, operator, door, firstMs, everyMs }: StatusJobOptions): Job {
  /** Accounts with questions under way. */
  const asking = new Map<string, Promise<void>>()

  async function askAll(waiting: Asked[]): Promise<void> {
    const ask = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { id, accountId, reference } = next
        try {
          const status = await operator.status(accountId, reference)
          if (status !== null && status.status !== 0) await door.delivery({ ...status, messageId: id })
        } catch {
          // Whatever stands in the way of this one now is asked past after the next pause, and is nothing to the others.
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, ask))
  }

  return {
    name: 'status',
    everyMs,
    async run() {
      const isFull = asking.size >= ACCOUNTS_MAX
      const asked = isFull ? [] : await takeDue(db, operator.name, firstMs, [...asking.keys()])
      // Nobody's answer is waited for: the next turn is that of the others.
      for (const [accountId, waiting] of byAccount(asked)) {
        asking.set(
          accountId,
          askAll(waiting).finally(() => asking.delete(accountId)),
        )
      }
      const answering = asking.size
      if (asked.length > 0 || answering === 0) return asked.length
      await within(Promise.race(asking.values()), TURN_MS)
      return answering - asking.size
    },
    async stop() {
      await Promise.all(asking.values())
    },
  }
}

/**
 * Takes what is due, but of those that are `busy`, and sets the time of its next question, before it is asked: a node that
 * dies leaves it to that. So is what a question gave back and whose report is not written.
 */
function takeDue(db: Database, upstream: string, firstMs: number, busy: readonly string[]): Promise<Asked[]> {
  const first = Prisma.sql`${firstMs}::float8 * interval '1 millisecond'`
  return db.$queryRaw<Asked[]>`
    WITH due AS MATERIALIZED (
      SELECT m.id FROM send_message m JOIN send s ON s.id = m.send_id
      WHERE m.final_at IS NULL AND ${HAS_NUMBER} AND m.state IN ('accepted', 'released') AND m.upstream = ${upstream} AND m.reference IS NOT NULL
        AND s.kind = 'sms' AND coalesce(m.ask_at, m.handed_at + ${first}) <= database_now()
        AND m.account_id <> ALL (${[...busy]}::uuid[])
      ORDER BY coalesce(m.ask_at, m.handed_at) LIMIT ${BATCH}::int FOR UPDATE OF m SKIP LOCKED
    )
    UPDATE send_message m SET ask_at = database_now() + least(
      greatest((database_now() - m.handed_at) * ${SHARE_OF_AGE}::float8, ${first}),
      ${PAUSE_MAX_SECONDS}::int * interval '1 second')
    FROM due WHERE m.id = due.id
    RETURNING m.id, m.account_id::text AS "accountId", m.reference`
}
