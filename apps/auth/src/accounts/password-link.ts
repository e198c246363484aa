import { randomUUID } from 'node:crypto'
import { accountLives } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { endAccess } from './access-end.ts'
import { accountTransaction, lockAccountOf } from './account-lock.ts'
import { createAccount } from './new-account.ts'
import { hashPassword } from './password.ts'
import { tellOfWayIn } from './way-in-notice.ts'

const HOUR_MS = 3_600_000
/** An invitation waits for a person who does not expect it; a reset is for somebody who is waiting. */
export const INVITATION_HOURS = 7 * 24
/** How long the link of a reset works, in hours. */
export const RESET_HOURS = 24

/** How long a link works that was asked for on the page and went by mail, in hours. */
export const MAILED_RESET_HOURS = 1

/**
 * Makes a link that sets the password of this address; earlier links of the address stop working. One that is mailed to
 * whoever asks leaves those that were made for longer, which an operator handed over: anybody can ask. The secret is in the
 * returned URL only; the row holds its hash. Of links made at once for one address the last one works.
 */
export async function createPasswordLink(
  tx: Prisma.TransactionClient,
  link: {
    readonly issuerUrl: string
    readonly email: string
    readonly hours: number
    readonly now: Date
    readonly isMailed?: boolean
  },
): Promise<string> {
  const secret = newSecret()
  const { email, now } = link
  // An invited address has no account to lock yet.
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`password link ${email}`}, 0))::text`
  await tx.$executeRaw`
    DELETE FROM password_link WHERE email = ${email} AND (NOT ${link.isMailed ?? false}::boolean
      OR expires_at - created_at <= ${link.hours}::int * interval '1 hour')`
  await tx.passwordLink.create({
    data: {
      id: randomUUID(),
      secretHash: hashToken(secret),
      email,
      createdAt: now,
      expiresAt: new Date(now.getTime() + link.hours * HOUR_MS),
    },
  })
  return `${link.issuerUrl}/set-password?link=${secret}`
}

/** Whose password a link sets, and whether it is a first one. */
export interface PasswordLinkOwner {
  readonly email: string
  /** False for an invitation. */
  readonly hasAccount: boolean
}

/** Whose password a link sets; null when it is unknown, used or expired, or the account is disabled. */
export async function findPasswordLink(db: Database, secret: string): Promise<PasswordLinkOwner | null> {
  const [link] = await db.$queryRaw<PasswordLinkOwner[]>`
    SELECT l.email, a.id IS NOT NULL AS "hasAccount" FROM password_link l LEFT JOIN account a ON a.email = l.email
    WHERE l.secret_hash = ${hashToken(secret)} AND l.used_at IS NULL AND l.expires_at > database_now()
      AND (a.id IS NULL OR ${accountLives('a')})`
  return link ?? null
}

/**
 * Uses a link: the invited address becomes an account, or the account gets the new password and everything that was
 * signed in or connected with the old one ends, in one transaction. Of several uses at once exactly one succeeds; null
 * for the others. The hash that is returned is what the new password is now checked against.
 */
export async function usePasswordLink(
  db: Database,
  use: { readonly secret: string; readonly password: string },
): Promise<{ accountId: string; passwordHash: string } | null> {
  const found = await findPasswordLink(db, use.secret)
  if (!found) return null
  const { email } = found
  const passwordHash = await hashPassword(use.password, { name: `link ${email}`, isStranger: false })
  return accountTransaction(db, async (tx) => {
    const account = await lockAccountOf(tx, email)
    const now = await databaseNow(tx)
    const { count } = await tx.passwordLink.updateMany({
      where: { secretHash: hashToken(use.secret), usedAt: null, expiresAt: { gt: now } },
      data: { usedAt: now },
    })
    if (count !== 1 || account?.active === false) return null
    if (account) {
      await tx.account.update({ where: { id: account.id }, data: { passwordHash } })
      await endAccess(tx, account.id)
      await tellOfWayIn(tx, 'password_changed', account.id, now)
      return { accountId: account.id, passwordHash }
    }
    return { accountId: await createAccount(tx, { email, passwordHash, now }), passwordHash }
  })
}
