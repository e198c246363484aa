import type { Database } from '@vertexsms/db/client'
import type { Activity } from './activity.ts'

/** What the network said of one message, last. */
export interface Delivery {
  readonly became: 'delivered' | 'failed' | 'expired'
  /** VertexSMS's numeric code; 0 is none. */
  readonly error: number | null
}

/** By the status of a report; 3 is delivered, and seen as well. */
const BECAME: Readonly<Record<number, Delivery['became']>> = {
  1: 'delivered',
  2: 'failed',
  3: 'delivered',
  16: 'expired',
}

/** What became of the SMS that rows of an account's activity are about, by their ids; nothing of one without a report. */
export async function deliveriesOf(
  db: Database,
  accountId: string,
  rows: readonly Pick<Activity, 'what' | 'outcome' | 'messageId'>[],
): Promise<ReadonlyMap<bigint, Delivery>> {
  const ids = rows.flatMap(({ what, outcome, messageId }) =>
    what === 'sms' && outcome === 'OK' && messageId !== null ? [messageId] : [],
  )
  if (ids.length === 0) return new Map()
  const messages = await db.sendMessage.findMany({
    where: { id: { in: ids }, accountId, delivery: { not: null } },
    select: { id: true, delivery: true, deliveryError: true },
  })
  return new Map(
    messages.flatMap(({ id, delivery, deliveryError }) => {
      const became = delivery === null ? undefined : BECAME[delivery]
      return became === undefined ? [] : [[id, { became, error: deliveryError }] as const]
    }),
  )
}
