import { randomUUID } from 'node:crypto'
import type { WayInNotice } from '@vertexsms/contract/notice'
import type { Prisma } from '@vertexsms/db/client'

/**
 * Notes that the owner of an account is told of a way in that changed, in the transaction that changes it; no mail can be
 * muted for it.
 */
export async function tellOfWayIn(
  tx: Prisma.TransactionClient,
  kind: WayInNotice,
  accountId: string,
  now: Date,
): Promise<void> {
  const notice = { kind, about: randomUUID(), details: {}, createdAt: now, nextAt: now }
  await tx.notice.create({ data: { id: randomUUID(), accountId, spenderId: accountId, ...notice } })
}
