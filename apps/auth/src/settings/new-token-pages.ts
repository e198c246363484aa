import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { quickStart, tokenCommand, tryCommand } from '@vertexsms/contract/quick-start'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { tokenPath } from '../views/token-path.ts'
import { HOLDS_A_SECRET } from '../web/compression.ts'
import type { WebDeps } from '../web/deps.ts'
import { wordsFor } from '../web/language.ts'
import { showOnce, takeOnce } from '../web/once.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import type { SettingsDeps } from './deps.ts'
import { type Asker, createManualToken } from './manual-tokens.ts'
import { emptyTokenForm, readTokenForm, refusedTokenForm } from './new-token.ts'
import { ANY_TOKEN, ownManualToken, type TokenParams, tokenFacts } from './own-token.ts'

const NEW_PATH = `${PAGE_PATHS.tokens}/new`

/** The form of a new token, and the page that shows the value of one, once. */
export function registerNewToken(app: FastifyInstance, deps: SettingsDeps): void {
  app.get(NEW_PATH, (request, reply) =>
    sendPage(reply, 'new-token', { viewer: viewerOf(deps, request), form: emptyTokenForm(wordsFor(request)) }),
  )

  app.post(NEW_PATH, async (request, reply) => {
    const now = nowOf(request)
    const t = wordsFor(request)
    const viewer = viewerOf(deps, request)
    const judged = readTokenForm(request.body, now, t)
    if ('form' in judged) return sendPage(reply, 'new-token', { viewer, form: judged.form }, 422)
    const made = await createManualToken(deps.db, askerOf(request), judged.token, now)
    if ('value' in made) return showValue(deps, request, reply, made.id, { value: made.value, isReplaced: false })
    if (made.refused === 'made_before') return reply.redirect(tokenPath(made.id, 'value'), 303)
    if (made.refused === 'signed_out') return reply.redirect(signInPath(NEW_PATH), 303)
    return sendPage(reply, 'new-token', { viewer, form: refusedTokenForm(request.body, t) }, 422)
  })

  app.get<TokenParams>(tokenPath(ANY_TOKEN, 'value'), HOLDS_A_SECRET, async (request, reply) => {
    const now = nowOf(request)
    const row = await ownManualToken(deps, request, now)
    if (!row) return reply.callNotFound()
    const value = takeOnce(deps, request, reply, valuePlace(request, row.id))
    const examples = quickStart(deps.resources.api).filter(({ needs }) => row.permissions.includes(needs))
    return sendPage(reply, 'token-created', {
      viewer: viewerOf(deps, request),
      id: row.id,
      facts: await tokenFacts(deps, row, now, wordsFor(request)),
      isReplaced: Object.hasOwn(request.query as object, 'replaced'),
      shown:
        value === null
          ? null
          : { value, tokenCommand: tokenCommand(value), tryCommand: tryCommand(deps.resources.api, value) },
      quickStart: examples,
    })
  })
}

/** Who asks, for what is written only while their session lives. */
export function askerOf(request: FastifyRequest): Asker {
  const { account, sessionId } = signedInOf(request)
  return { accountId: account.id, sessionId }
}

/** Leads from a form to the page that shows the value it made: a reload there makes nothing. */
export function showValue(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  tokenId: string,
  made: { readonly value: string; readonly isReplaced: boolean },
): FastifyReply {
  showOnce(deps, reply, valuePlace(request, tokenId), made.value)
  return reply.redirect(tokenPath(tokenId, 'value') + (made.isReplaced ? '?replaced' : ''), 303)
}

function valuePlace(request: FastifyRequest, tokenId: string) {
  return { path: tokenPath(tokenId, 'value'), sessionId: signedInOf(request).sessionId, about: `token:${tokenId}` }
}
