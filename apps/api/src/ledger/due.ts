// Admits a scheduled send to the day in which it goes out, at that day's prices: its messages become held, for the runner
// that asked. Twins: admit.ts (held them against the total), standing.ts (what both judge by).
import type { Database } from '@vertexsms/db/client'
import { type Grant, openLive } from '../live.ts'
import type { NewMessage } from './admit.ts'
import { retried } from './retry.ts'
import { type Ledger, move, type Request, STAND_COLUMNS, type Stand, standing } from './standing.ts'

/** A scheduled send whose time has come. */
export interface Due {
  readonly grant: Grant
  readonly ledger: Ledger
  readonly sendId: string
  readonly generation: number
  /** The turn in which this process took it. */
  readonly runnerId: string
  /** Null for what has no sender. */
  readonly limitedSender: string | null
  readonly unpriced: boolean
  /** The most that its caller allowed for all of it; null where that is no matter. */
  readonly maxMicros: bigint | null
  /** Today's price of every message that waits. */
  readonly holds: readonly Pick<NewMessage, 'id' | 'parts' | 'holdMicros' | 'holdTold'>[]
  readonly runnerSeconds: number
}

/** What came of it. */
export type DueAdmitted =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'ended' }
  /** Not as it was read any more: another node has it, or some of it was cancelled. */
  | { readonly kind: 'changed' }
  /**
   * Dearer than was allowed, or of no price: by its caller or by the owner's approval of it. The rows are those without what is
   * held for it.
   */
  | { readonly kind: 'dearer'; readonly stands: readonly Stand[] }
  /**
   * What the owner wants to be asked about, and was not: dearer than the price above which he does, or to a country that is
   * new. The rows are the same.
   */
  | { readonly kind: 'asks'; readonly of: 'price' | 'country'; readonly stands: readonly Stand[] }
  /** By a limit. The rows are the same. */
  | { readonly kind: 'refused'; readonly stands: readonly Stand[] }

interface Row extends Stand {
  readonly live: boolean
  readonly same: boolean
  readonly unended: boolean
  /** Null where nothing is as it was read. */
  readonly dearer: boolean | null
  readonly asks: boolean | null
  readonly asksCountry: boolean
  readonly admitted: boolean
  readonly already: bigint
}

/** Admits all of its messages or none. */
export async function admitDue(db: Database, due: Due): Promise<DueAdmitted> {
  const { grant, ledger, sendId, generation, runnerId, limitedSender, unpriced, maxMicros, holds, runnerSeconds } = due
  const request: Request = {
    kind: 'sms',
    sender: limitedSender,
    countsDay: true,
    unpriced,
    slots: 0,
    waits: -holds.length,
  }
  const json = JSON.stringify(
    holds.map(({ id, parts, holdMicros, holdTold }) => ({
      id: String(id),
      parts,
      hold: String(holdMicros),
      told: holdTold,
    })),
  )
  const rows = await retried(
    () => db.$queryRaw<Row[]>`
    ${openLive(grant)}, mine AS MATERIALIZED (
      SELECT s.id, s.approval_id FROM send s CROSS JOIN (SELECT count(*) FROM live) account_first
      WHERE s.id = ${sendId}::uuid AND s.scheduled_at <= database_now()
        AND s.upstream = ${ledger.upstream} AND s.generation = ${generation}::int AND s.runner_id = ${runnerId}::uuid
      FOR NO KEY UPDATE OF s
    ), waiting AS MATERIALIZED (
      SELECT m.id, m.country, m.hold_micros AS already FROM mine JOIN send_message m ON m.send_id = mine.id
      WHERE m.state = 'scheduled' ORDER BY m.id FOR UPDATE OF m
    ), asked AS MATERIALIZED (
      SELECT w.id, w.country, w.already, p.parts, p.hold, p.told FROM waiting w
      JOIN jsonb_to_recordset(${json}::jsonb) AS p(id bigint, parts int, hold bigint, told boolean) ON p.id = w.id
    ), ${standing(ledger, request)}, allowed AS MATERIALIZED (
      SELECT least(${maxMicros}::bigint, CASE WHEN mine.approval_id IS NOT NULL
               -- One that is gone allows nothing.
               THEN coalesce((SELECT a.ceiling_micros FROM approval a WHERE a.id = mine.approval_id), 0) END) AS micros
      FROM mine
    ), dear AS MATERIALIZED (
      SELECT allowed.micros IS NOT NULL AND (${unpriced}::boolean OR sums.hold > allowed.micros) AS dearer
      FROM allowed CROSS JOIN sums
    ), unasked AS MATERIALIZED (
      SELECT mine.approval_id IS NULL
        AND (judged.asks OR ${unpriced}::boolean AND EXISTS (SELECT FROM stand WHERE ask_above_micros IS NOT NULL)) AS asks
      FROM mine CROSS JOIN judged
    ), go AS MATERIALIZED (
      SELECT t.day FROM judged CROSS JOIN today t CROSS JOIN mine CROSS JOIN dear CROSS JOIN unasked
      WHERE complete AND unended AND fits AND NOT dearer AND NOT unasked.asks
        AND (SELECT count(*) FROM waiting) = ${holds.length}::int
    ), ${move(ledger, request)}, run AS (
      UPDATE send s SET runner_until = database_now() + ${runnerSeconds}::int * interval '1 second' FROM go
      WHERE s.id = ${sendId}::uuid RETURNING s.id
    ), held AS (
      UPDATE send_message m SET state = 'held', day = go.day, parts = a.parts, hold_micros = a.hold, hold_told = a.told
      FROM asked a CROSS JOIN go
      WHERE m.id = a.id RETURNING m.id
    )
    SELECT EXISTS (SELECT FROM live) AS live, j.unended, (SELECT dearer FROM dear) AS dearer, (SELECT asks FROM unasked) AS asks,
           EXISTS (SELECT FROM unknown_countries) AS "asksCountry", (SELECT messages FROM sums) = ${holds.length}::int AS same, EXISTS (SELECT FROM go) AS admitted,
           (SELECT already FROM sums) AS already, ${STAND_COLUMNS}
    FROM judged j LEFT JOIN stand s ON TRUE`,
  )
  const [row] = rows
  if (!row?.live || !row.unended) return { kind: 'ended' }
  if (row.admitted) return { kind: 'admitted' }
  if (!row.same) return { kind: 'changed' }
  const stands = rows.map((stand) => ({ ...stand, totalHeldMicros: stand.totalHeldMicros - row.already }))
  if (row.dearer) return { kind: 'dearer', stands }
  return row.asks ? { kind: 'asks', of: row.asksCountry ? 'country' : 'price', stands } : { kind: 'refused', stands }
}
