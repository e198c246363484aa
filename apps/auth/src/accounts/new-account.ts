import { randomUUID } from 'node:crypto'
import type { Prisma } from '@vertexsms/db/client'

/** What the simulated operator lets a new account spend, in micro-EUR: 100 EUR. */
const STARTING_BALANCE_MICROS = 100_000_000n

/** Makes an account that may sign in, and gives back its id. Throws where the address has one. */
export async function createAccount(
  tx: Pick<Prisma.TransactionClient, 'account'>,
  { email, passwordHash, now }: { readonly email: string; readonly passwordHash: string; readonly now: Date },
): Promise<string> {
  const id = randomUUID()
  const data = { id, email, passwordHash, status: 'active', createdAt: now } as const
  await tx.account.create({ data: { ...data, balanceMicros: STARTING_BALANCE_MICROS } })
  return id
}
