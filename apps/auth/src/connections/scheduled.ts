import type { Database } from '@vertexsms/db/client'

/** A message that waits for its time. */
export interface ScheduledMessage {
  readonly id: bigint
  readonly spenderId: string
  readonly country: string
  readonly lastDigits: string
  readonly parts: number
  readonly sender: string
  readonly heldMicros: bigint
  readonly upstream: string
  readonly scheduledAt: Date
}

/** Whose: an account's, or one spender's of it. */
interface Of {
  readonly accountId: string
  readonly spenderId?: string
}

/** How many messages wait for their time. */
export function countScheduled(db: Database, of: Of): Promise<number> {
  return db.sendMessage.count({ where: { ...of, state: 'scheduled' } })
}

/** A slice of them, those that go out first before the others. */
export async function scheduledMessages(
  db: Database,
  of: Of,
  slice: { readonly skip: number; readonly take: number },
): Promise<ScheduledMessage[]> {
  const rows = await db.sendMessage.findMany({
    where: { ...of, state: 'scheduled' },
    include: { send: { select: { sender: true, scheduledAt: true } } },
    orderBy: [{ send: { scheduledAt: 'asc' } }, { id: 'asc' }],
    ...slice,
  })
  return rows.map(({ id, spenderId, country, recipient, parts, holdMicros, upstream, createdAt, send }) => ({
    id,
    spenderId,
    country,
    lastDigits: recipient.slice(-3),
    parts,
    sender: send.sender,
    heldMicros: holdMicros,
    upstream,
    scheduledAt: send.scheduledAt ?? createdAt,
  }))
}

/** Whether a message is the account's, whatever became of it. */
export async function ownsMessage(
  db: Database,
  of: { readonly accountId: string; readonly id: bigint },
): Promise<boolean> {
  return (await db.sendMessage.count({ where: of })) === 1
}

/** Messages that wait for their time under a connection; the simulated operator has some from before sends had tables. */
export async function scheduledUnder(db: Database, connectionId: string): Promise<number> {
  const waiting = await db.sendMessage.count({ where: { state: 'scheduled', send: { connectionId } } })
  return waiting + (await db.message.count({ where: { connectionId, status: 'scheduled' } }))
}

/** The same under a token made by hand, whatever value of it they came with. */
export async function scheduledWith(db: Database, tokenId: string): Promise<number> {
  const waiting = await db.sendMessage.count({ where: { state: 'scheduled', send: { tokenId } } })
  return waiting + (await db.message.count({ where: { manualTokenId: tokenId, status: 'scheduled' } }))
}
