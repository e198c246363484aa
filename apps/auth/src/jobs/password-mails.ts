import { accountLives } from '@vertexsms/db/alive'
import type { Job } from '@vertexsms/service/jobs'
import { createPasswordLink, MAILED_RESET_HOURS } from '../accounts/password-link.ts'
import { passwordMail, wordsOf } from './mail-text.ts'
import { createMailJob, type MailJobDeps } from './outbox.ts'

/** How often a node looks for requests. */
const EVERY_MS = 2000

/**
 * The job that answers requests for a new password. The page only notes them, with and without an account, so that nothing
 * about its answer tells which it was. The link is made here, and its secret stands in the mail alone.
 */
export function createPasswordMailJob(deps: MailJobDeps): Job {
  return createMailJob(deps, {
    name: 'mail of password links',
    outbox: 'password_request',
    everyMs: EVERY_MS,
    async mailOf(id, now) {
      const request = await deps.db.passwordRequest.findUnique({ where: { id } })
      const made = request && (await linkOf(deps, request.email, now))
      return made && { to: made.email, ...passwordMail(wordsOf(made.language), made.link, MAILED_RESET_HOURS) }
    },
  })
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
    const { email } = account
    const link = await createPasswordLink(tx, { issuerUrl, email, hours: MAILED_RESET_HOURS, now, isMailed: true })
    return { ...account, link }
  })
}
