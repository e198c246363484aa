import { randomUUID } from 'node:crypto'
import type { Prisma } from '@vertexsms/db/client'

/** Notes that the owner of an account is told of a new password, in the transaction that sets it; no mail can be muted for it. */
export async function tellOfNewPassword(tx: Prisma.TransactionClient, accountId: string, now: Date): Promise<void> {
  const notice = { kind: 'password_changed', about: randomUUID(), details: {}, createdAt: now, nextAt: now } as const
  await tx.notice.create({ data: { id: randomUUID(), accountId, spenderId: accountId, ...notice } })
}
