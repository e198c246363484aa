// Tells our side what became of its orders. A row is marked as told after the door has taken it: a node that dies between
// the two tells it again.
import { hlrResultSchema } from '@vertexsms/contract/rest'
import { type Database, Prisma } from '@vertexsms/db/client'
import type { ReportDoor } from '../upstream.ts'
import { reportStatus } from './report-status.ts'

/** Rows of one look; the next one follows at once. */
const BATCH = 100

/** The pause after a report that was not taken. */
const AGAIN_MS = 5_000

/** Rows that are told side by side. */
const ABREAST = 8

interface Outcome {
  readonly id: bigint
  readonly orderId: bigint
  readonly status: number
  readonly error: number
  readonly mccmnc: string
}

/** Tells the outcomes of messages that are due. Returns how many were taken. Throws what the door threw, after the rest. */
export async function tellOutcomes(db: Database, door: ReportDoor, now: Date): Promise<number> {
  const due = await db.$queryRaw<Outcome[]>`
    SELECT id, order_id AS "orderId", coalesce(error_code, 0) AS error, mccmnc,
           ${reportStatus(Prisma.sql`report_at >= expires_at`)} AS status
    FROM message WHERE tell_at <= ${now}::timestamptz ORDER BY tell_at LIMIT ${BATCH}::int`
  return tellAll(
    due,
    ({ orderId, status, error, mccmnc }) =>
      door.delivery({ messageId: orderId, status, error, mcc: mccmnc.slice(0, 3), mnc: mccmnc.slice(3) }),
    ({ id }, tellAt) => db.message.updateMany({ where: { id }, data: { tellAt } }),
    now,
  )
}

interface Answered {
  readonly id: bigint
  readonly orderId: bigint
  readonly result: unknown
}

/** Tells the results of lookups that are due. Returns how many were taken. Throws what the door threw, after the rest. */
export async function tellLookups(db: Database, door: ReportDoor, now: Date): Promise<number> {
  const due = await db.$queryRaw<Answered[]>`
    SELECT id, order_id AS "orderId", result FROM hlr_lookup
    WHERE tell_at <= ${now}::timestamptz ORDER BY tell_at LIMIT ${BATCH}::int`
  return tellAll(
    due,
    ({ orderId, result }) => {
      const { id: _own, ...told } = hlrResultSchema.parse(result)
      return door.lookup({ messageId: orderId, result: told })
    },
    ({ id }, tellAt) => db.hlrLookup.updateMany({ where: { id }, data: { tellAt } }),
    now,
  )
}

async function tellAll<Row>(
  rows: readonly Row[],
  tell: (row: Row) => Promise<void>,
  mark: (row: Row, tellAt: Date | null) => Promise<unknown>,
  now: Date,
): Promise<number> {
  const waiting = [...rows]
  const errors: unknown[] = []
  async function work(): Promise<void> {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      let tellAt: Date | null = null
      try {
        await tell(row)
      } catch (error) {
        tellAt = new Date(now.getTime() + AGAIN_MS)
        errors.push(error)
      }
      await mark(row, tellAt)
    }
  }
  await Promise.all(Array.from({ length: ABREAST }, work))
  if (errors.length > 0) throw errors[0]
  return rows.length
}
