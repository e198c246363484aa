import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { NamedSpender } from '../connections/names.ts'
import { scheduledUnder, scheduledWith } from '../connections/scheduled.ts'
import { deleteToken, type TokenRow } from '../connections/tokens.ts'
import { isUuid } from '../connections/uuid.ts'
import { ownersNaming } from '../connections/who.ts'
import { tokenPath } from '../views/token-path.ts'
import { doneOf } from '../web/done.ts'
import { wordsFor } from '../web/language.ts'
import { takeOnce } from '../web/once.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import type { Words } from '../words/words.ts'
import { titleOfIssued } from './connection-list.ts'
import type { SettingsDeps } from './deps.ts'
import { registerDisconnect } from './disconnect.ts'
import { registerEditToken } from './edit-token.ts'
import { endingView, goneNotice, noticePlace, tellWhich, whichGoes } from './ended.ts'
import { registerNewToken } from './new-token-pages.ts'
import { ANY_TOKEN, ownToken, type TokenParams, tokenFacts } from './own-token.ts'
import { tokenList } from './token-list.ts'

/** Settings -> API: see every token, make one by hand, change, replace or delete it, disconnect an app. */
export function registerApiTokens(app: FastifyInstance, deps: SettingsDeps): void {
  registerNewToken(app, deps)
  registerEditToken(app, deps)
  registerDisconnect(app, deps)

  app.get(PAGE_PATHS.tokens, async (request, reply) => {
    const t = wordsFor(request)
    const accountId = signedInOf(request).account.id
    const now = nowOf(request)
    const named = takeOnce(deps, request, reply, noticePlace(request))
    return sendPage(reply, 'api-tokens', {
      viewer: viewerOf(deps, request),
      notice: noticeOf(request, named, t),
      ...(await tokenList(deps.db, accountId, request.query, now, await ownersNaming(deps, { accountId, now }, t))),
    })
  })

  app.get<TokenParams>(tokenPath(ANY_TOKEN, 'delete'), async (request, reply) => {
    const now = nowOf(request)
    const row = await ownToken(deps, request, now)
    if (!row) return reply.callNotFound()
    const ends = row.connectionId && (await deps.db.connection.findUnique({ where: { id: row.connectionId } }))
    const t = wordsFor(request)
    return sendPage(reply, 'token-delete', {
      viewer: viewerOf(deps, request),
      formAction: tokenPath(row.id, 'delete'),
      facts: await tokenFacts(deps, row, now, t),
      scheduledMessages: ends ? 0 : await scheduledWith(deps.db, row.id),
      connection: ends
        ? {
            ...(await endingView(deps.db, ends, now, await ownersNaming(deps, { accountId: ends.accountId, now }, t))),
            token: await titleOfIssued(deps.db, { ...row, accountId: ends.accountId, connectionId: ends.id }, now, t),
          }
        : null,
    })
  })

  app.post<TokenParams>(tokenPath(ANY_TOKEN, 'delete'), async (request, reply) => {
    const { tokenId } = request.params
    const accountId = signedInOf(request).account.id
    const now = nowOf(request)
    const row = await ownToken(deps, request, now)
    const which = row && (await whichGoes(deps, request, { named: nameOf(row), lastFour: row.lastFour }))
    const waited = row ? await waitsWith(deps, row) : 0
    const deletion = isUuid(tokenId) ? await deleteToken(deps.db, { accountId, tokenId }) : 'not_found'
    if (which !== null) tellWhich(deps, request, reply, which, waited)
    return reply.redirect(`${PAGE_PATHS.tokens}?done=${deletion}`, 303)
  })
}

/** How many messages wait for their time under a token, or under the connection that it is of. */
function waitsWith({ db }: SettingsDeps, { id, connectionId }: TokenRow): Promise<number> {
  return connectionId === null ? scheduledWith(db, id) : scheduledUnder(db, connectionId)
}

/** What was done before this page, with the name of what is gone where that is still known. */
function noticeOf(request: FastifyRequest, named: string | null, t: Words): string | null {
  const { done } = request.query as { done?: unknown }
  // Said with its name, once, or not at all: a link alone must not say that something is gone.
  if (done === 'token' || done === 'connection') return named === null ? null : goneNotice(named, done, t)
  return doneOf(request, t.access.done)
}

/** What goes with a token: the app that holds it, or the token itself. */
function nameOf({ id, name, app, connectionId }: TokenRow): NamedSpender {
  return app && connectionId
    ? { kind: 'connection', id: connectionId, name, app }
    : { kind: 'token', id, name, app: null }
}
