import { accountLives } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'

// Whatever lets somebody into an account (a session, a passkey, an approval) and whatever takes everybody out of it
// (a reset, disabling) holds the account's row while it looks and writes, in one transaction. So a sign-in that began
// with the old password either is there to be ended or finds the new one. Slow work such as hashing comes before.
// Lock order: the account, then connections, then what hangs on them. A token request locks its connection alone,
// which every ending locks after the account.

/** An account whose row the transaction holds, as it is now. */
export interface LockedAccount {
  readonly id: string
  readonly email: string
  readonly passwordHash: string
  readonly active: boolean
}

/** Times a transaction is begun in all when the database breaks a deadlock at its expense. */
const ATTEMPTS = 4
/** An ending may have thousands of connections to end. */
const TIMEOUT_MS = 30_000

/** Runs `work` in one transaction; again from its beginning when it lost a deadlock. */
export async function accountTransaction<Result>(
  db: Database,
  work: (tx: Prisma.TransactionClient) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.$transaction(work, { timeout: TIMEOUT_MS })
    } catch (error) {
      if (attempt >= ATTEMPTS || !lostDeadlock(error)) throw error
    }
  }
}

/** Takes the lock of an account until the transaction ends; null when there is no such account. */
export async function lockAccount(tx: Prisma.TransactionClient, accountId: string): Promise<LockedAccount | null> {
  return lockWhere(tx, Prisma.sql`id = ${accountId}::uuid`)
}

/** The same by email address. */
export async function lockAccountOf(tx: Prisma.TransactionClient, email: string): Promise<LockedAccount | null> {
  return lockWhere(tx, Prisma.sql`email = ${email}`)
}

/** The same for a signed-in browser; null when its session or account has ended since it was read. */
export async function lockSession(
  tx: Prisma.TransactionClient,
  { accountId, sessionId }: { readonly accountId: string; readonly sessionId: string },
): Promise<LockedAccount | null> {
  const account = await lockAccount(tx, accountId)
  if (!account?.active) return null
  const [session] = await tx.$queryRaw<[{ live: boolean }]>`
    SELECT EXISTS (
      SELECT 1 FROM session
      WHERE id = ${sessionId}::uuid AND account_id = ${accountId}::uuid AND expires_at > database_now()
    ) AS live`
  return session.live ? account : null
}

async function lockWhere(tx: Prisma.TransactionClient, which: Prisma.Sql): Promise<LockedAccount | null> {
  // NO KEY: rows that merely refer to the account, such as the API's messages, need not wait.
  const [account] = await tx.$queryRaw<LockedAccount[]>`
    SELECT id::text, email, password_hash AS "passwordHash", ${accountLives('account')} AS active
    FROM account WHERE ${which} FOR NO KEY UPDATE`
  return account ?? null
}

/** Class 40: the transaction was rolled back for the sake of another (PostgreSQL, appendix A). */
function lostDeadlock(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false
  return error.code === 'P2034' || /\b40(P01|001)\b/.test(`${error.message} ${JSON.stringify(error.meta)}`)
}
