// The one door for what an upstream reports. A report is taken in every state and more than once; the upstream counts it
// as told when it was taken, which is after everything was written.
import { becameOf, DELIVERY_STATUS } from '@vertexsms/contract/delivery'
import { type Database, Prisma } from '@vertexsms/db/client'
import { owePosts } from '../callback-lane.ts'
import { ApiError } from '../http/api-error.ts'
import { AS_READ, FORGOTTEN_RESULT, HAS_NUMBER, settle, WAS_SENT } from '../ledger/settle.ts'
import { STATE_NOW } from '../ledger/state-now.ts'
import type { ReportDoor, SendingUpstream } from '../upstream/upstream.ts'
import { type LateMoney, lateMoney, type PartPrices, type ReportedMessage } from './late-money.ts'

const { delivered, failed, seen } = DELIVERY_STATUS

/** A message that changes while it is looked at is looked at again so often. */
const LOOKS = 3

type Rates = Pick<SendingUpstream, 'networkRateMicros' | 'dearestRateMicros' | 'hlrPriceMicros'>

/** Of a message whose own price is known. */
const NO_PRICES: PartPrices = { networkMicros: null, dearestMicros: null }

interface Row extends ReportedMessage {
  readonly accountId: string
  readonly country: string
  readonly kind: 'sms' | 'hlr' | 'msisdn'
  readonly asRead: string
}

/** Where in the world a message ended. */
interface Network {
  readonly mcc: string | null
  readonly mnc: string | null
}

/** A report that has to come again: what it says of money can be taken only after the answer to its hand-over. */
export class ReportTooEarly extends Error {
  override name = 'ReportTooEarly'
}

/**
 * Takes reports: first what they change about money, then the delivery with what the customer's URL is owed. Rejects with
 * ReportTooEarly, and with what the database threw; both are told again. `rates` gives the upstream, which is made with this
 * door; `owes` is called once a post is owed.
 */
export function createReportDoor(db: Database, rates: () => Rates, owes: () => void): ReportDoor {
  async function pricesOf(
    { kind, accountId, country, state, holdTold, toldMicros, chargedHold }: Row,
    { mcc, mnc }: Network,
  ): Promise<PartPrices> {
    const isLate = state === 'released'
    if (isLate && toldMicros !== null) return NO_PRICES
    if (kind !== 'sms') {
      const lookupMicros = isLate ? await priceOrNone(rates().hlrPriceMicros(accountId)) : null
      return { networkMicros: null, dearestMicros: lookupMicros }
    }
    const isPriced = state === 'accepted' ? !chargedHold : !isLate && holdTold
    if (isPriced) return NO_PRICES
    const networkMicros =
      mcc === null || mnc === null ? null : await priceOrNone(rates().networkRateMicros(accountId, country, mcc, mnc))
    const dearestMicros = isLate ? await priceOrNone(rates().dearestRateMicros(accountId, country)) : null
    return { networkMicros, dearestMicros }
  }

  async function takeMoney(messageId: bigint, report: { status: number; error: number }, network: Network) {
    for (let look = 1; look <= LOOKS; look++) {
      const row = await readMessage(db, messageId)
      if (row === undefined) return
      const change: LateMoney = lateMoney(report, row, await pricesOf(row, network))
      if (change === 'later') throw new ReportTooEarly('its hand-over is not answered yet')
      if (change === 'nothing') return
      // Its answer may come meanwhile, with another price.
      const settled = await settle(db, [{ ...change, messageId, post: 'never', asRead: row.asRead }])
      if (settled.length > 0) return
    }
    throw new ReportTooEarly('the message changes all the time')
  }

  /**
   * Writes what a report says beside money, in the CTE `reported` over the message `held`, and what is owed to the customer's
   * URL for it. True where the message stands as given back.
   */
  async function write(messageId: bigint, reported: Prisma.Sql, body: Prisma.Sql): Promise<boolean> {
    const [row] = await db.$queryRaw<[{ posts: number; isGivenBack: boolean }]>`
      WITH held AS MATERIALIZED (
        SELECT m.id, m.state FROM send_message m WHERE m.id = ${messageId}::bigint FOR UPDATE
      ), reported AS (${reported}), posted AS (${owed(body)} RETURNING id)
      SELECT (SELECT count(*) FROM posted)::int AS posts,
             EXISTS (SELECT FROM held WHERE state = 'released') AS "isGivenBack"`
    if (row.posts > 0) owes()
    return row.isGivenBack
  }

  return {
    async delivery({ messageId, status, error, mcc, mnc }) {
      if (becameOf(status) === undefined) return
      const takeItsMoney = () => takeMoney(messageId, { status, error }, { mcc, mnc })
      await takeItsMoney()
      const mccmnc = mcc === null ? null : mcc + (mnc ?? '')
      // None becomes final, and what was delivered may still be seen; everything else was told already.
      const reported = Prisma.sql`
        UPDATE send_message m SET delivery = ${status}::int, delivery_error = ${error}::int,
          mccmnc = coalesce(${mccmnc}::text, m.mccmnc), final_at = coalesce(m.final_at, database_now())
        FROM held WHERE m.id = held.id AND (m.delivery IS NULL
          OR m.delivery = ${delivered}::int AND ${status}::int = ${seen}::int)
        RETURNING m.id, m.account_id, m.send_id`
      const body = Prisma.sql`jsonb_build_object('id', r.id::text, 'status', ${status}::int, 'error', ${error}::int,
                                                 'mcc', ${mcc ?? ''}::text, 'mnc', ${mnc ?? ''}::text)`
      const isGivenBack = await write(messageId, reported, body)
      // By a report that came at the same time and said otherwise.
      if (isGivenBack) await takeItsMoney()
    },

    async lookup({ messageId, result }) {
      const error = Number(result.error)
      const takeItsMoney = () =>
        takeMoney(messageId, { status: error === 0 ? delivered : failed, error }, { mcc: null, mnc: null })
      await takeItsMoney()
      const told = JSON.stringify(result)
      const reported = Prisma.sql`
        UPDATE send_message m SET result = CASE WHEN ${HAS_NUMBER} THEN ${told}::jsonb ELSE ${FORGOTTEN_RESULT} END, final_at = coalesce(m.final_at, database_now())
        FROM held WHERE m.id = held.id AND m.result IS NULL
        RETURNING m.id, m.account_id, m.send_id`
      const isGivenBack = await write(
        messageId,
        reported,
        Prisma.sql`${told}::jsonb || jsonb_build_object('id', r.id::text)`,
      )
      // By one that came at the same time: whatever else is told of a lookup, it was made.
      if (isGivenBack) await takeItsMoney()
    },
  }
}

/** A report is taken whatever became of the account's token: a price that cannot be asked for now is none. */
function priceOrNone(asked: Promise<bigint | null>): Promise<bigint | null> {
  return asked.catch((error: unknown) => {
    if (error instanceof ApiError) return null
    throw error
  })
}

async function readMessage(db: Database, messageId: bigint): Promise<Row | undefined> {
  const [row] = await db.$queryRaw<Row[]>`
    SELECT ${STATE_NOW} AS state,
           m.account_id::text AS "accountId", s.kind::text AS kind, m.country, m.parts, m.hold_micros AS "holdMicros", m.hold_told AS "holdTold",
           m.told_micros AS "toldMicros",
           m.charged_micros AS "chargedMicros", m.charged_hold AS "chargedHold",
           ${WAS_SENT} AS "wasSent", ${AS_READ} AS "asRead",
           s.test_mode IS NOT NULL AND m.upstream = 'sandbox' AS "isFree"
    FROM send_message m JOIN send s ON s.id = m.send_id WHERE m.id = ${messageId}::bigint`
  return row
}

/** What is owed to the customer's URL, in the statement that takes the report. */
function owed(body: Prisma.Sql): Prisma.Sql {
  return owePosts(Prisma.sql`
    SELECT r.account_id, s.dlr_url AS url, ${body} AS body, s.test_mode
    FROM reported r JOIN send s ON s.id = r.send_id WHERE s.dlr_url IS NOT NULL`)
}
