import { accountLives } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import type { Job } from '@vertexsms/service/jobs'
import type { Logger } from '@vertexsms/service/logger'
import { createPasswordLink, MAILED_RESET_HOURS } from '../accounts/password-link.ts'
import { passwordMail, wordsOf } from './mail-text.ts'
import type { Mailer } from './mailer.ts'
import { claimMail, settleMail } from './outbox.ts'

/** How often a node looks for requests. */
const EVERY_MS = 2000

/** What the sending jobs need. */
export interface MailJobDeps {
  readonly db: Database
  readonly issuerUrl: string
  readonly mailer: Mailer
  readonly log: Pick<Logger, 'warn'>
  /** How often to look; for tests. */
  readonly everyMs?: number
}

/**
 * The job that answers requests for a new password. The page only notes them, with and without an account, so that nothing
 * about its answer tells which it was. The link is made here, and its secret stands in the mail alone.
 */
export function createPasswordMailJob(deps: MailJobDeps): Job {
  const { db, mailer, log } = deps
  const everyMs = deps.everyMs ?? EVERY_MS
  return {
    name: 'mail of password links',
    everyMs,
    firstAfterMs: everyMs,
    async run(now) {
      const claimed = await claimMail(db, 'password_request')
      if (!claimed) return 0
      const request = await db.passwordRequest.findUnique({ where: { id: claimed.id } })
      const made = request && (await linkOf(deps, request.email, now))
      if (!made) {
        await settleMail(db, 'password_request', claimed, 'refused')
        return 1
      }
      const { email, language, link } = made
      const { outcome, reason } = await mailer.send({
        id: claimed.id,
        to: email,
        ...passwordMail(wordsOf(language), link, MAILED_RESET_HOURS),
      })
      if (outcome !== 'sent') log.warn({ event: 'mail', reason }, 'a mail was not sent')
      await settleMail(db, 'password_request', claimed, outcome)
      return 1
    },
  }
}

/**
 * A link for the account of this address; null where none is alive. The account is held: for one that is deleted meanwhile
 * a link would be an invitation.
 */
function linkOf({ db, issuerUrl }: MailJobDeps, address: string, now: Date) {
  return db.$transaction(async (tx) => {
    const [account] = await tx.$queryRaw<{ email: string; language: string | null }[]>`
      SELECT email, language FROM account WHERE email = ${address} AND ${accountLives('account')} FOR NO KEY UPDATE`
    if (!account) return null
    const link = await createPasswordLink(tx, { issuerUrl, email: account.email, hours: MAILED_RESET_HOURS, now })
    return { ...account, link }
  })
}
