import type { FastifyInstance } from 'fastify'
import { endSession } from '../accounts/session.ts'
import { isUuid } from '../connections/uuid.ts'
import { browserName } from '../web/browser-name.ts'
import type { WebDeps } from '../web/deps.ts'
import { doneOf } from '../web/done.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'
import { changeAccount } from './account-change.ts'

const PATH = '/settings/sessions'

/** Settings -> Sessions: where the account is signed in, and signing out one place or all others. */
export function registerSessions(app: FastifyInstance, deps: WebDeps): void {
  app.get(PATH, async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    const now = nowOf(request)
    const rows = await deps.db.session.findMany({
      where: { accountId: account.id, expiresAt: { gt: now } },
      orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
    })
    const sessions = rows.map((row) => ({
      id: row.id,
      isThis: row.id === sessionId,
      browser: browserName(row.userAgent, wordsFor(request)),
      address: row.address,
      created: timeView(row.createdAt, now),
      lastSeen: timeView(row.lastSeenAt, now),
    }))
    const { ended, endedOthers } = wordsFor(request).sessions
    return sendPage(reply, 'sessions', {
      viewer: viewerOf(deps, request),
      notice: doneOf(request, { one: ended, others: endedOthers }),
      current: sessions.filter((session) => session.isThis),
      others: sessions.filter((session) => !session.isThis),
    })
  })

  app.post<{ Params: { sessionId: string } }>(`${PATH}/:sessionId/end`, async (request, reply) => {
    const { account, sessionId: own } = signedInOf(request)
    const { sessionId } = request.params
    return changeAccount(deps, request, reply, {
      proof: null,
      page: PATH,
      async work(tx) {
        // The session one is in ends by "Sign out", which also clears the cookie.
        if (sessionId !== own && isUuid(sessionId)) {
          await endSession({ ...deps, db: tx }, { accountId: account.id, sessionId })
        }
        return { done: 'one' }
      },
    })
  })

  // While its own session holds: of two browsers that end all others at once one stays signed in.
  app.post(`${PATH}/end-others`, (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    return changeAccount(deps, request, reply, {
      proof: null,
      page: PATH,
      async work(tx) {
        await tx.session.deleteMany({ where: { accountId: account.id, id: { not: sessionId } } })
        return { done: 'others' }
      },
    })
  })
}
