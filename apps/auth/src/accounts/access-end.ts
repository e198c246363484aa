import type { Prisma } from '@vertexsms/db/client'
import { endConnectionsOfAccount } from '../connections/end.ts'

/**
 * Ends everything that got in with the account's password or passkeys: sessions, passkeys (one of them may be the
 * thief's, and nothing tells them apart), codes, answered authorization requests, connections and their tokens; and every
 * link that would set the password. Tokens made by hand stay; they stop with a disabled account. Call it in the
 * transaction that holds the account (account-lock.ts) and changes its password or status, so that both happen or neither.
 */
export async function endAccess(tx: Prisma.TransactionClient, accountId: string): Promise<void> {
  await tx.session.deleteMany({ where: { accountId } })
  await tx.passkey.deleteMany({ where: { accountId } })
  await tx.$executeRaw`
    DELETE FROM password_link WHERE email = (SELECT email FROM account WHERE id = ${accountId}::uuid)`
  await endConnectionsOfAccount(tx, accountId)
}

/**
 * Ends every session of an account and every link that would set its password, when its owner, who knows the old one,
 * changes it. Passkeys and connections stay: the owner sees them, and says which end. The same transaction as above.
 */
export async function endOtherWaysIn(
  tx: Prisma.TransactionClient,
  account: { readonly id: string; readonly email: string },
): Promise<void> {
  await tx.session.deleteMany({ where: { accountId: account.id } })
  await tx.passwordLink.deleteMany({ where: { email: account.email } })
}
