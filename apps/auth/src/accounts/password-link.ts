import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { hashToken, newSecret } from '@vertexsms/db/tokens'
import { endAccess } from './access-end.ts'
import { hashPassword } from './password.ts'

const HOUR_MS = 3_600_000
/** An invitation waits for a person who does not expect it; a reset is for somebody who is waiting. */
export const INVITATION_HOURS = 7 * 24
export const RESET_HOURS = 24

/** Sandbox balance of a new account, in micro-EUR: 100 EUR. */
export const STARTING_BALANCE_MICROS = 100_000_000n

/**
 * Makes the one link that sets the password of this address; earlier links of the address stop working. The secret
 * is in the returned URL only; the row holds its hash.
 */
export async function createPasswordLink(
  db: Database,
  link: { readonly issuerUrl: string; readonly email: string; readonly hours: number; readonly now: Date },
): Promise<string> {
  const secret = newSecret()
  const { email, now } = link
  await db.$transaction([
    db.passwordLink.deleteMany({ where: { email } }),
    db.passwordLink.create({
      data: {
        id: randomUUID(),
        secretHash: hashToken(secret),
        email,
        createdAt: now,
        expiresAt: new Date(now.getTime() + link.hours * HOUR_MS),
      },
    }),
  ])
  return `${link.issuerUrl}/set-password?link=${secret}`
}

/** Whose password a link sets; null when it is unknown, used or expired, or the account is disabled. */
export async function findPasswordLink(db: Database, secret: string, now: Date): Promise<{ email: string } | null> {
  const link = await db.passwordLink.findUnique({ where: { secretHash: hashToken(secret) } })
  if (!link || link.usedAt || link.expiresAt <= now) return null
  const account = await db.account.findUnique({ where: { email: link.email }, select: { status: true } })
  return account?.status === 'disabled' ? null : { email: link.email }
}

/**
 * Uses a link: the invited address becomes an account, or the account gets the new password and everything that was
 * signed in or connected with the old one ends. Of several uses at once exactly one succeeds; null for the others.
 */
export async function usePasswordLink(
  db: Database,
  use: { readonly secret: string; readonly password: string; readonly now: Date },
): Promise<{ accountId: string } | null> {
  const { now } = use
  const found = await findPasswordLink(db, use.secret, now)
  if (!found) return null
  const passwordHash = await hashPassword(use.password)
  const account = await db.$transaction(async (tx) => {
    const { count } = await tx.passwordLink.updateMany({
      where: { secretHash: hashToken(use.secret), usedAt: null, expiresAt: { gt: now } },
      data: { usedAt: now },
    })
    if (count !== 1) return null
    return tx.account.upsert({
      where: { email: found.email },
      update: { passwordHash },
      create: {
        id: randomUUID(),
        email: found.email,
        passwordHash,
        status: 'active',
        balanceMicros: STARTING_BALANCE_MICROS,
        createdAt: now,
      },
      select: { id: true },
    })
  })
  if (!account) return null
  await endAccess(db, account.id, now)
  return { accountId: account.id }
}
