import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { spenderIdOf } from '../connections/spenders.ts'
import { tokenPath } from '../views/token-path.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { showOnce, takeOnce } from '../web/once.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import type { SettingsDeps } from './deps.ts'
import { OVERLAP_SECONDS, renameToken, replaceToken } from './manual-tokens.ts'
import { readTokenName, tokenNameHelp } from './new-token.ts'
import { askerOf, showValue } from './new-token-pages.ts'
import { ANY_TOKEN, ownManualToken, type TokenParams, tokenFacts } from './own-token.ts'
import { pauseView } from './spender-views.ts'

/** Where a form leads whose token was deleted meanwhile, or has run out: the list, which says that nothing was changed. */
const GONE = `${PAGE_PATHS.tokens}?done=not_found`

/** The page of one token made by hand: what it is, another name, another value. */
export function registerEditToken(app: FastifyInstance, deps: SettingsDeps): void {
  app.get<TokenParams>(tokenPath(ANY_TOKEN, 'edit'), (request, reply) => show(deps, request, reply, null))

  app.post<TokenParams>(tokenPath(ANY_TOKEN, 'edit'), async (request, reply) => {
    const { tokenId } = request.params
    const row = await ownManualToken(deps, request, nowOf(request))
    if (!row) return reply.redirect(GONE, 303)
    const typed = textField(request, 'name')
    const read = readTokenName(typed, wordsFor(request))
    if ('problem' in read) return show(deps, request, reply, { name: typed, problem: read.problem })
    const done = await renameToken(deps.db, askerOf(request), { tokenId, name: read.name })
    if (done === 'signed_out') return reply.redirect(signInPath(tokenPath(tokenId, 'edit')), 303)
    if (done === 'gone') return reply.redirect(GONE, 303)
    showOnce(deps, reply, renamedPlace(request), read.name)
    return reply.redirect(tokenPath(tokenId, 'edit'), 303)
  })

  app.post<TokenParams>(tokenPath(ANY_TOKEN, 'replace'), async (request, reply) => {
    const { tokenId } = request.params
    const row = await ownManualToken(deps, request, nowOf(request))
    if (!row) return reply.redirect(GONE, 303)
    const made = await replaceToken(deps.db, askerOf(request), {
      tokenId,
      lastFour: textField(request, 'value') || null,
      overlapSeconds: textField(request, 'overlap') === 'on' ? OVERLAP_SECONDS : 0,
    })
    if ('value' in made) return showValue(deps, request, reply, tokenId, { value: made.value, isReplaced: true })
    if (made.refused === 'signed_out') return reply.redirect(signInPath(tokenPath(tokenId, 'edit')), 303)
    return reply.redirect(made.refused === 'gone' ? GONE : tokenPath(tokenId, 'value'), 303)
  })
}

function renamedPlace(request: FastifyRequest<TokenParams>) {
  const { tokenId } = request.params
  return { path: tokenPath(tokenId, 'edit'), sessionId: signedInOf(request).sessionId, about: `renamed:${tokenId}` }
}

async function show(
  deps: SettingsDeps,
  request: FastifyRequest<TokenParams>,
  reply: FastifyReply,
  refused: { readonly name: string; readonly problem: string } | null,
): Promise<unknown> {
  const now = nowOf(request)
  const row = await ownManualToken(deps, request, now)
  if (!row) return reply.callNotFound()
  const spender = await deps.db.spender.findUnique({ where: { id: spenderIdOf(row) } })
  const page = {
    viewer: viewerOf(deps, request),
    id: row.id,
    facts: await tokenFacts(deps, row, now, wordsFor(request)),
    pause: spender && pauseView(spender, now),
    rules: PAUSE_RULES,
    renamed: takeOnce(deps, request, reply, renamedPlace(request)),
    name: refused?.name ?? row.name,
    problem: refused?.problem ?? null,
    nameHelp: tokenNameHelp(wordsFor(request)),
  }
  return sendPage(reply, 'token-edit', page, refused ? 422 : 200)
}
