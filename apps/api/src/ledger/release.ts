// Gives back what never left, or what is certain not to have been done: settles rows that a condition finds. Twin:
// settle.ts, whose parts it is made of.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { type Database, Prisma } from '@vertexsms/db/client'
import { retried } from './retry.ts'
import { movedBy, STANDING, settledParts } from './settle.ts'

/** Rows of one statement, and those that it is offered: another node may hold the first of them. */
const RELEASE_BATCH = 100
const OFFERED = 1_000
/** Rows that are looked at for those, and put in order. */
const FOUND_MAX = 10_000

/** What is told of the rows that a condition finds. */
export interface Told {
  readonly outcome: 'released' | 'unknown' | 'accepted'
  readonly failure: ApiErrorCode | null
  /** Why, in a word of ours. */
  readonly reason: string | null
  readonly final?: boolean
}

/** Rows to be settled, and how. */
export interface Step {
  /** Of messages `m` and their sends `s`. */
  readonly condition: Prisma.Sql
  readonly told: Told
}

/** What was moved. */
export interface Moved {
  readonly id: bigint
  readonly accountId: string
}

/**
 * Settles up to {@link RELEASE_BATCH} messages `m` of sends `s` that the condition holds for; it is judged again under the
 * lock of each, in the statement that moves them. Two nodes that run it at once take different ones.
 */
export async function settleWhere(db: Database, condition: Prisma.Sql, told: Told): Promise<Moved[]> {
  const [ids = []] = await candidates(db, [condition])
  return ids.length === 0 ? [] : settleThese(db, ids, condition, told, SKIPPING)
}

/** Settles as {@link settleWhere} does, step by step; asks once for all of them whether there is anything. */
export async function settleSteps(db: Database, steps: readonly Step[]): Promise<number> {
  const found = await candidates(
    db,
    steps.map(({ condition }) => condition),
  )
  let moved = 0
  for (const [at, { condition, told }] of steps.entries()) {
    const ids = found[at] ?? []
    if (ids.length > 0) moved += (await settleThese(db, ids, condition, told, SKIPPING)).length
  }
  return moved
}

/**
 * Settles the message `m` of this id if the condition holds for it, and tells whether it did. Whoever holds it is waited
 * for: they may let it be, and then it is settled here. Its send is taken before it, in the order of the ledger (live.ts).
 */
export async function settleOne(db: Database, id: bigint, condition: Prisma.Sql, told: Told): Promise<boolean> {
  const sendFirst = Prisma.sql`(
      SELECT * FROM send WHERE id IN (SELECT send_id FROM send_message WHERE id = ${id}::bigint) FOR NO KEY UPDATE
    ) s JOIN send_message m ON m.send_id = s.id`
  return (await settleThese(db, [id], condition, told, { rows: sendFirst, ifLocked: Prisma.empty })).length > 0
}

const MESSAGES = Prisma.sql`send_message m JOIN send s ON s.id = m.send_id`

/** How messages are come by. */
interface Taking {
  /** `m` and its send `s`. */
  readonly rows: Prisma.Sql
  readonly ifLocked: Prisma.Sql
}

const SKIPPING: Taking = { rows: MESSAGES, ifLocked: Prisma.sql`SKIP LOCKED` }

/**
 * Which they may be of each condition, asked by itself: a sweep mostly finds none, and the statement that settles is ten
 * times as long. They are found before they are put in order: a walk in the order of ids would pass all messages there ever
 * were where few or none are found.
 */
async function candidates(db: Database, conditions: readonly Prisma.Sql[]): Promise<bigint[][]> {
  const each = conditions.map(
    (condition, at) => Prisma.sql`(
      WITH found AS MATERIALIZED (SELECT m.id FROM ${MESSAGES} WHERE ${condition} LIMIT ${FOUND_MAX}::int)
      SELECT ${at}::int AS at, id FROM found ORDER BY id LIMIT ${OFFERED}::int)`,
  )
  const found = await db.$queryRaw<{ at: number; id: bigint }[]>`
    SELECT at, id FROM (${Prisma.join(each, ' UNION ALL ')}) AS each ORDER BY at, id`
  return conditions.map((_, at) => found.filter((one) => one.at === at).map(({ id }) => id))
}

function settleThese(
  db: Database,
  ids: readonly bigint[],
  condition: Prisma.Sql,
  { outcome, failure, reason, final = false }: Told,
  { rows, ifLocked }: Taking,
): Promise<Moved[]> {
  const locked = Prisma.sql`
    SELECT ${STANDING}, ${outcome}::text AS outcome, NULL::text AS reference, NULL::bigint AS charged,
           m.hold_micros + m.charged_micros AS by_hold_micros, m.parts AS parts_sent,
           ${failure}::text AS failure, NULL::int AS failure_number, ${reason}::text AS failure_reason, ${final}::boolean AS final,
           NULL::text AS post, FALSE AS by_report
    FROM ${rows}
    WHERE m.id = ANY (${ids}::bigint[]) AND ${condition}
    ORDER BY m.id LIMIT ${RELEASE_BATCH}::int FOR UPDATE OF m ${ifLocked}`
  return retried(
    () => db.$queryRaw<Moved[]>`
    WITH ${settledParts(locked)}, ${movedBy(Prisma.sql`SELECT * FROM settled`)}
    SELECT id, account_id::text AS "accountId" FROM settled`,
  )
}
