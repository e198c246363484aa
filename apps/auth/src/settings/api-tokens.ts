import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Deletion, deleteToken } from '../connections/tokens.ts'
import type { TokenFormView } from '../views/pages.ts'
import type { WebDeps } from '../web/deps.ts'
import { sendPage } from '../web/page.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import { createManualToken } from './manual-tokens.ts'
import { emptyTokenForm, readTokenForm, refusedTokenForm } from './new-token.ts'
import { tokenList } from './token-list.ts'

/** What the list says after a deletion. */
const NOTICES: Readonly<Record<Deletion, string>> = {
  token: 'The token was deleted. Its very next call fails.',
  connection: 'The app was disconnected. Its very next call fails.',
  not_found: 'That token was already gone.',
}

interface TokenParams {
  Params: { tokenId: string }
}

/** Settings -> API: see every token, make one by hand, delete any. */
export function registerApiTokens(app: FastifyInstance, deps: WebDeps): void {
  app.get('/settings/api', (request, reply) => showTokens(deps, request, reply, emptyTokenForm(), 200))

  app.post('/settings/api', async (request, reply) => {
    const now = await databaseNow(deps.db)
    const judged = readTokenForm(request.body, now)
    if ('form' in judged) return showTokens(deps, request, reply, judged.form, 422)
    const { account, sessionId } = signedInOf(request)
    const made = await createManualToken(deps.db, { accountId: account.id, sessionId }, judged.token, now)
    if ('value' in made) {
      const { value } = made
      return sendPage(reply, 'token-created', { viewer: viewerOf(deps, request), name: judged.token.name, value })
    }
    if (made.refused === 'signed_out') return reply.redirect(signInPath('/settings/api'), 303)
    return showTokens(deps, request, reply, refusedTokenForm(request.body), 422)
  })

  app.get<TokenParams>('/settings/api/tokens/:tokenId/delete', async (request, reply) => {
    const token = await findToken(deps, request)
    if (!token) return reply.callNotFound()
    const { connection } = token
    return sendPage(reply, 'token-delete', {
      viewer: viewerOf(deps, request),
      formAction: `/settings/api/tokens/${token.id}/delete`,
      name: token.name,
      connection: connection && {
        clientName: connection.clientName,
        redirectHost: connection.redirectHost,
        scheduledMessages: await scheduledUnder(deps.db, connection.id),
      },
    })
  })

  app.post<TokenParams>('/settings/api/tokens/:tokenId/delete', async (request, reply) => {
    const { tokenId } = request.params
    const accountId = signedInOf(request).account.id
    const deletion = UUID.test(tokenId)
      ? await deleteToken(deps.db, { accountId, tokenId, now: await databaseNow(deps.db) })
      : 'not_found'
    return reply.redirect(`/settings/api?done=${deletion}`, 303)
  })
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** Messages that wait for their time under a connection; the simulated operator has some from before sends had tables. */
async function scheduledUnder(db: Database, connectionId: string): Promise<number> {
  const waiting = await db.sendMessage.count({ where: { state: 'scheduled', send: { connectionId } } })
  return waiting + (await db.message.count({ where: { connectionId, status: 'scheduled' } }))
}

async function findToken(deps: WebDeps, request: FastifyRequest<TokenParams>) {
  const { tokenId } = request.params
  if (!UUID.test(tokenId)) return null
  return deps.db.apiToken.findFirst({
    where: { id: tokenId, accountId: signedInOf(request).account.id },
    select: { id: true, name: true, connection: { select: { id: true, clientName: true, redirectHost: true } } },
  })
}

async function showTokens(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  form: TokenFormView,
  status: number,
): Promise<string> {
  const list = await tokenList(deps.db, signedInOf(request).account.id, request.query)
  const { done } = request.query as { done?: unknown }
  const notice = typeof done === 'string' && Object.hasOwn(NOTICES, done) ? NOTICES[done as Deletion] : null
  return sendPage(reply, 'api-tokens', { viewer: viewerOf(deps, request), notice, ...list, form }, status)
}
