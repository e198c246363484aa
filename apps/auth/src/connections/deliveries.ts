import type { Cancelled } from '@vertexsms/contract/cancelled'
import { type Became, becameOf } from '@vertexsms/contract/delivery'
import type { Database } from '@vertexsms/db/client'
import type { Activity } from './activity.ts'

/** What the network said of one message, last. */
export interface Delivery {
  readonly became: Became
  /** VertexSMS's numeric code; 0 is none. */
  readonly error: number | null
}

/** How a row says that an SMS was handed over; whether it was taken may have come out later. */
const HANDED_OVER: ReadonlySet<string> = new Set(['OK', 'SEND_OUTCOME_UNKNOWN'])

/**
 * What became of the SMS that rows of an account's activity handed over, by the ids of the rows; nothing of one without a
 * report.
 */
export async function deliveriesOf(
  db: Database,
  accountId: string,
  rows: readonly Pick<Activity, 'id' | 'what' | 'outcome' | 'messageId'>[],
): Promise<ReadonlyMap<Activity['id'], Delivery>> {
  const handed = rows.flatMap(({ id, what, outcome, messageId }) =>
    what === 'sms' && HANDED_OVER.has(outcome) && messageId !== null ? [{ id, messageId }] : [],
  )
  if (handed.length === 0) return new Map()
  const messages = await db.sendMessage.findMany({
    where: { id: { in: handed.map(({ messageId }) => messageId) }, accountId, delivery: { not: null } },
    select: { id: true, delivery: true, deliveryError: true },
  })
  const told = new Map(messages.map((message) => [message.id, message]))
  return new Map(
    handed.flatMap(({ id, messageId }) => {
      const { delivery, deliveryError } = told.get(messageId) ?? { delivery: null, deliveryError: null }
      const became = delivery === null ? undefined : becameOf(delivery)
      return became === undefined ? [] : [[id, { became, error: deliveryError }] as const]
    }),
  )
}

/**
 * Why a message that waited was cancelled: what it was to be sent by ended, or a newer connection took its place, its app
 * may not send any more, the account sends by another token or upstream, its time passed, or somebody took it back.
 */
export type CancelReason = 'ended' | 'replaced' | 'scopeLost' | 'accountChanged' | 'late' | 'taken'

/** By the word of the API; what has no word of its own here ended or was taken back. */
const WORDS: ReadonlyMap<string | null, CancelReason> = new Map<Cancelled | 'expired', CancelReason>([
  ['expired', 'late'],
  ['scope_lost', 'scopeLost'],
  ['account_changed', 'accountChanged'],
])

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
      // The connection before its spender: what ended with both ended with the connection.
      const end = [send.connectionId, spenderId]
        .flatMap((by) => (by === null ? [] : (ends.get(by) ?? [])))
        .find((one) => one.at <= (at.get(id) ?? one.at))
      return [id, WORDS.get(failureReason) ?? end?.reason ?? 'taken'] as const
    }),
  )
}

interface End {
  readonly at: Date
  readonly reason: 'ended' | 'replaced'
}

/** When and how the spenders and connections of some messages ended, by their ids; of what has both, the connection's end. */
async function endsOf(
  db: Database,
  accountId: string,
  messages: readonly { readonly spenderId: string; readonly send: { readonly connectionId: string | null } }[],
): Promise<ReadonlyMap<string, End>> {
  const ended = { accountId, endedAt: { not: null } } as const
  const spenderIds = messages.map(({ spenderId }) => spenderId)
  const connectionIds = messages.flatMap(({ send }) => (send.connectionId === null ? [] : [send.connectionId]))
  const spenders = await db.spender.findMany({
    where: { ...ended, id: { in: spenderIds } },
    select: { id: true, endedAt: true },
  })
  const connections = await db.connection.findMany({
    where: { ...ended, id: { in: connectionIds } },
    select: { id: true, endedAt: true, endedReason: true },
  })
  const rows = [...spenders.map((row) => ({ ...row, endedReason: null })), ...connections]
  return new Map(
    rows.flatMap(({ id, endedAt: at, endedReason }) =>
      at ? [[id, { at, reason: endedReason === 'replaced' ? 'replaced' : 'ended' }] as const] : [],
    ),
  )
}
