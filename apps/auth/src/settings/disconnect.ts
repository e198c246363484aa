import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { liveConnection } from '@vertexsms/db/alive'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { endConnection } from '../connections/end.ts'
import { spenderNamed } from '../connections/names.ts'
import { scheduledUnder } from '../connections/scheduled.ts'
import { isUuid } from '../connections/uuid.ts'
import { ownersNaming } from '../connections/who.ts'
import type { WebDeps } from '../web/deps.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { endingView, tellWhich, whichGoes } from './ended.ts'

interface ConnectionParams {
  Params: { connectionId: string }
}

/** `/connections/{id}/disconnect`: asks before an app is disconnected, also where it has no token at the moment. */
export function registerDisconnect(app: FastifyInstance, deps: WebDeps): void {
  const live = async (request: FastifyRequest<ConnectionParams>) => {
    const { connectionId: id } = request.params
    if (!isUuid(id)) return null
    const accountId = signedInOf(request).account.id
    return deps.db.connection.findFirst({ where: { id, accountId, ...liveConnection(nowOf(request)) } })
  }

  app.get<ConnectionParams>('/connections/:connectionId/disconnect', async (request, reply) => {
    const row = await live(request)
    if (!row) return reply.callNotFound()
    const now = nowOf(request)
    return sendPage(reply, 'disconnect', {
      viewer: viewerOf(deps, request),
      formAction: `/connections/${row.id}/disconnect`,
      ...(await endingView(
        deps.db,
        row,
        now,
        await ownersNaming(deps, { accountId: row.accountId, now }, wordsFor(request)),
      )),
    })
  })

  app.post<ConnectionParams>('/connections/:connectionId/disconnect', async (request, reply) => {
    const row = await live(request)
    const which = row && (await whichGoes(deps, request, { named: spenderNamed(row), lastFour: null }))
    const waited = row ? await scheduledUnder(deps.db, row.id) : 0
    const hasEnded = row !== null && (await endConnection(deps.db, row.id, 'deleted'))
    if (which !== null) tellWhich(deps, request, reply, which, waited)
    return reply.redirect(`${PAGE_PATHS.tokens}?done=${hasEnded ? 'connection' : 'not_found'}`, 303)
  })
}
