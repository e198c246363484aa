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

/** Why a message that waited was cancelled: what it was to be sent by ended, its time passed, or somebody took it back. */
export type CancelReason = 'ended' | 'late' | 'taken'

/** The same of the cancelled messages that rows of an account's activity are about, by their ids. */
export async function cancelReasonsOf(
  db: Database,
  accountId: string,
  rows: readonly Pick<Activity, 'what' | 'outcome' | 'messageId' | 'at'>[],
): Promise<ReadonlyMap<bigint, CancelReason>> {
  const at = new Map(
    rows.flatMap(({ what, outcome, messageId, at }) =>
      what === 'cancel' && outcome === 'OK' && messageId !== null ? [[messageId, at] as const] : [],
    ),
  )
  if (at.size === 0) return new Map()
  const messages = await db.sendMessage.findMany({
    where: { id: { in: [...at.keys()] }, accountId },
    select: { id: true, failureReason: true, spenderId: true, send: { select: { connectionId: true } } },
  })
  const ends = await endsOf(db, accountId, messages)
  return new Map(
    messages.map(({ id, failureReason, spenderId, send }) => {
      const hasEnded = [spenderId, send.connectionId].some((by) => {
        const end = by === null ? undefined : ends.get(by)
        return end !== undefined && end <= (at.get(id) ?? end)
      })
      return [id, failureReason === 'expired' ? 'late' : hasEnded ? 'ended' : 'taken'] as const
    }),
  )
}

/** When the spenders and connections of some messages ended, by their ids. */
async function endsOf(
  db: Database,
  accountId: string,
  messages: readonly { readonly spenderId: string; readonly send: { readonly connectionId: string | null } }[],
): Promise<ReadonlyMap<string, Date>> {
  const ended = { accountId, endedAt: { not: null } } as const
  const select = { id: true, endedAt: true } as const
  const spenderIds = messages.map(({ spenderId }) => spenderId)
  const connectionIds = messages.flatMap(({ send }) => (send.connectionId === null ? [] : [send.connectionId]))
  const rows = [
    ...(await db.spender.findMany({ where: { ...ended, id: { in: spenderIds } }, select })),
    ...(await db.connection.findMany({ where: { ...ended, id: { in: connectionIds } }, select })),
  ]
  return new Map(rows.flatMap(({ id, endedAt }) => (endedAt ? [[id, endedAt] as const] : [])))
}
