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

/** Settings -> Sessions: where the account is signed in, and signing out one place or all others. */
export function registerSessions(app: FastifyInstance, deps: WebDeps): void {
  app.get('/settings/sessions', async (request, reply) => {
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

  app.post<{ Params: { sessionId: string } }>('/settings/sessions/:sessionId/end', async (request, reply) => {
    const { account, sessionId: own } = signedInOf(request)
    const { sessionId } = request.params
    // The session one is in ends by "Sign out", which also clears the cookie.
    if (sessionId !== own && isUuid(sessionId)) await endSession(deps, { accountId: account.id, sessionId })
    return reply.redirect('/settings/sessions?done=one', 303)
  })

  app.post('/settings/sessions/end-others', async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    await deps.db.session.deleteMany({ where: { accountId: account.id, id: { not: sessionId } } })
    return reply.redirect('/settings/sessions?done=others', 303)
  })
}
