import type { Prisma } from '@vertexsms/db/client'
import type { LockedAccount } from './account-lock.ts'

/** What a person has proved: whose account it is, and whether that still counts once the account is held. */
export interface Proof {
  readonly accountId: string
  readonly stillHolds: (tx: Prisma.TransactionClient, account: LockedAccount) => Promise<boolean>
}

/** A password that fitted this hash: it counts as long as the account has the very same hash. */
export function passwordProof(accountId: string, passwordHash: string): Proof {
  return { accountId, stillHolds: async (_tx, account) => account.passwordHash === passwordHash }
}
