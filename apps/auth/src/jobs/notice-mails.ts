import { isMutableNotice, type NoticeKind } from '@vertexsms/contract/notice'
import { PAGE_PATHS, spenderPath } from '@vertexsms/contract/page-paths'
import { isAccountAlive } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import type { Job } from '@vertexsms/service/jobs'
import { ownDomains, passesFor } from '../connections/imitation.ts'
import { appNamed } from '../connections/named-app.ts'
import { MADE_BY_HAND } from '../connections/tokens.ts'
import { seenOf } from '../connections/who.ts'
import { type NoticeSubject, noticeMail, wordsOf } from './mail-text.ts'
import { createMailJob, type MailJobDeps } from './outbox.ts'

const EVERY_MS = 5000
/** What could not be told within a day is no news; it stands on the pages. */
const NEWS_MS = 24 * 3_600_000

/** The job that mails notices to the owners who want them: each once, from one node. */
export function createNoticeMailJob(deps: MailJobDeps): Job {
  const { db, issuerUrl } = deps
  return createMailJob(deps, {
    name: 'mail of notices',
    outbox: 'notice',
    everyMs: EVERY_MS,
    async mailOf(id, now) {
      const notice = await db.notice.findUnique({ where: { id }, include: { account: true } })
      const wanted =
        notice !== null &&
        isAccountAlive(notice.account) &&
        !(isMutableNotice(notice.kind) && notice.account.mutedNotices.includes(notice.kind)) &&
        now.getTime() - notice.createdAt.getTime() < NEWS_MS
      if (!wanted) return null
      const { kind, details, account } = notice
      const told = noticeMail(
        wordsOf(account.language),
        { kind, details, subject: await subjectOf(db, notice, issuerUrl) },
        issuerUrl,
      )
      return told && { to: account.email, ...told }
    },
  })
}

/** Whom a notice is about, by the names that stand now; of connections that share a spender the latest. */
async function subjectOf(
  db: Database,
  of: { readonly accountId: string; readonly spenderId: string; readonly kind: NoticeKind },
  issuerUrl: string,
): Promise<NoticeSubject> {
  const { accountId, spenderId } = of
  if (spenderId === accountId) return { kind: 'account', page: PAGE_PATHS.accountLimits }
  const where = { accountId, OR: [{ id: spenderId }, { spenderId }] }
  const connection = await db.connection.findFirst({ where, orderBy: { approvedAt: 'desc' } })
  if (connection) {
    const { id, redirectHost: host, clientName: name } = connection
    const judged = passesFor(seenOf(appNamed(connection), { ownDomains: ownDomains(issuerUrl) }))
    return { kind: 'app', host, name, passesFor: judged, page: spenderPath({ kind: 'connection', id }) }
  }
  const token = await db.apiToken.findFirst({ where: { ...where, ...MADE_BY_HAND }, orderBy: { createdAt: 'desc' } })
  if (token) return { kind: 'token', name: token.name, page: spenderPath({ kind: 'token', id: token.id }) }
  return { kind: 'gone', page: PAGE_PATHS.tokens }
}
