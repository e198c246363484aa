import type { Database } from '@vertexsms/db/client'
import { endAllAccess } from '../oidc/api-tokens.ts'

/**
 * Ends everything that got in with the account's password or passkeys: sessions, passkeys, codes, connections and their
 * tokens. Tokens made by hand stay; they stop with a disabled account. Call it after the password or status changed.
 */
export async function endAccess(db: Database, accountId: string, now: Date): Promise<void> {
  await db.$transaction([
    db.session.deleteMany({ where: { accountId } }),
    db.passkey.deleteMany({ where: { accountId } }),
    db.passkeyChallenge.deleteMany({ where: { accountId } }),
  ])
  await endAllAccess(db, accountId, now)
}
