import type { NoticeKind } from '@vertexsms/contract/notice'
import { isAccountAlive } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import type { Job } from '@vertexsms/service/jobs'
import { ACCOUNT_PATH, pathOf } from '../connections/spender-paths.ts'
import { MADE_BY_HAND } from '../connections/tokens.ts'
import { type NoticeSubject, noticeMail, wordsOf } from './mail-text.ts'
import { claimMail, settleMail } from './outbox.ts'
import type { MailJobDeps } from './password-mails.ts'

const EVERY_MS = 5000
/** What could not be told within a day is no news; it stands on the pages. */
const NEWS_MS = 24 * 3_600_000

/** The job that mails notices to the owners who want them: each once, from one node. */
export function createNoticeMailJob(deps: MailJobDeps): Job {
  const { db, issuerUrl, mailer, log } = deps
  const everyMs = deps.everyMs ?? EVERY_MS
  return {
    name: 'mail of notices',
    everyMs,
    firstAfterMs: everyMs,
    async run(now) {
      const claimed = await claimMail(db, 'notice')
      if (!claimed) return 0
      const notice = await db.notice.findUnique({ where: { id: claimed.id }, include: { account: true } })
      const wanted =
        notice !== null &&
        isAccountAlive(notice.account) &&
        !notice.account.mutedNotices.includes(notice.kind) &&
        now.getTime() - notice.createdAt.getTime() < NEWS_MS
      const told = wanted
        ? noticeMail(
            wordsOf(notice.account.language),
            { kind: notice.kind, details: notice.details, subject: await subjectOf(db, notice) },
            issuerUrl,
          )
        : null
      if (!notice || !told) {
        await settleMail(db, 'notice', claimed, 'refused')
        return 1
      }
      const { outcome, reason } = await mailer.send({ id: notice.id, to: notice.account.email, ...told })
      if (outcome !== 'sent') log.warn({ event: 'mail', reason }, 'a mail was not sent')
      await settleMail(db, 'notice', claimed, outcome)
      return 1
    },
  }
}

/** Whom a notice is about, by the names that stand now; of connections that share a spender the latest. */
async function subjectOf(
  db: Database,
  of: { readonly accountId: string; readonly spenderId: string; readonly kind: NoticeKind },
): Promise<NoticeSubject> {
  const { accountId, spenderId } = of
  if (spenderId === accountId) return { kind: 'account', page: ACCOUNT_PATH }
  const where = { accountId, OR: [{ id: spenderId }, { spenderId }] }
  const connection = await db.connection.findFirst({ where, orderBy: { approvedAt: 'desc' } })
  if (connection) {
    const { id, redirectHost: host, clientName: name } = connection
    return { kind: 'app', host, name, page: pathOf({ kind: 'connection', id }) }
  }
  const token = await db.apiToken.findFirst({ where: { ...where, ...MADE_BY_HAND }, orderBy: { createdAt: 'desc' } })
  if (token) return { kind: 'token', name: token.name, page: pathOf({ kind: 'token', id: token.id }) }
  return { kind: 'gone', page: '/settings/api' }
}
