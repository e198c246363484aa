import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { clientLabel } from '@vertexsms/service/logger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { readSession, type SessionDeps, type SignedIn } from '../accounts/session.ts'
import type { LiveProvider } from '../authorization/live-provider.ts'
import { scopesSpend } from '../connections/binding.ts'
import type { InternalApi } from '../connections/internal-api.ts'
import { commonCountries } from '../connections/limits.ts'
import { spentOf } from '../connections/spent.ts'
import type { WhoView } from '../connections/who.ts'
import { appOf, namingFor } from '../connections/who.ts'
import { askerCookies, readAsker } from '../web/asker-cookie.ts'
import { FormRefused, type Forms, interactionBinding, sessionBinding } from '../web/forms.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { type AuthorizationRequest, askingApp, readAuthorizationRequest } from './authorization-request.ts'
import { readBounds } from './bounds.ts'
import { costOf } from './cost.ts'
import { type Decision, decide } from './decide.ts'
import { decisionOf, type Scene, type SceneDeps, sceneOf } from './scene.ts'
import { consentView, isWarnedOf, type Shown } from './view.ts'

/** What the consent pages need. */
export interface ConsentDeps extends SessionDeps, SceneDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
  readonly forms: Forms
  readonly provider: LiveProvider
  readonly allowLocalhost: boolean
  /** Asked for prices and the balance; it gives up within moments. */
  readonly internalApi: InternalApi
}

/**
 * `/interaction/:uid`: who asks, for what, and where the answer goes; then the person's decision. The interaction
 * cookie ties it to the browser that began, our session to the person who decides, and the form to both.
 */
export async function registerConsent(app: FastifyInstance, deps: ConsentDeps): Promise<void> {
  app.get('/interaction/:uid', async (request, reply) => {
    const asked = await findRequest(deps, request, reply)
    if (!asked) return sendEnded(deps, reply)
    const signedIn = await readSession(deps, request.headers.cookie)
    if (asked.answer) return sendAnswered(deps, reply, asked, signedIn)
    reply.header('set-cookie', askerCookies(deps, asked.uid, titleOfAsker(deps, request, asked)))
    if (!signedIn) {
      return reply.redirect(`/sign-in?return_to=/interaction/${asked.uid}`, 303)
    }
    return sendConsent(deps, reply, await sceneOf(deps, asked, signedIn, request, 'opened'), {})
  })

  app.post('/interaction/:uid', async (request, reply) => {
    const asked = await findRequest(deps, request, reply)
    if (!asked) return sendEnded(deps, reply)
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn || !formFits(deps, request, asked, signedIn)) {
      // Signed out, or somebody else by now: the page is shown again to whoever is there.
      return reply.redirect(`/interaction/${asked.uid}`, 303)
    }
    if (asked.answer) return sendAnswered(deps, reply, asked, signedIn)
    const scene = await sceneOf(deps, asked, signedIn, request, 'sent')
    const judged = decisionOf(deps, request, scene)
    if ('shown' in judged) {
      // What it goes on with may be gone because this very request was answered in between, by a first press.
      const now = judged.shown.isStale ? await findRequest(deps, request, reply) : asked
      return now?.answer ? sendAnswered(deps, reply, now, signedIn) : sendConsent(deps, reply, scene, judged.shown)
    }
    const outcome = await decide(deps, asked.uid, judged.decision)
    if (outcome.kind === 'signed_out') return reply.redirect(`/interaction/${asked.uid}`, 303)
    if (outcome.kind === 'stale')
      return sendConsent(deps, reply, await sceneOf(deps, asked, signedIn, request, 'sent'), { isStale: true })
    if (outcome.kind === 'full') return sendConsent(deps, reply, scene, { isFull: true })
    if (outcome.kind === 'wider') return sendConsent(deps, reply, scene, { wider: outcome })
    if (outcome.kind === 'decided') {
      logDecision(request, asked, outcome.answer, judged.decision)
      return sendContinue(deps, reply, asked, outcome.answer, signedIn)
    }
    // Answered in another tab meanwhile, whose answer stands.
    const answered = await findRequest(deps, request, reply)
    return answered ? sendAnswered(deps, reply, answered, signedIn) : sendEnded(deps, reply)
  })
}

/** What was asked for and what was granted, beside the id of the request (MCP security best practices, scope minimization). */
function logDecision(
  request: FastifyRequest,
  { client, scopes }: AuthorizationRequest,
  answer: 'allowed' | 'denied',
  decision: Decision,
): void {
  const granted = answer === 'allowed' && decision.kind === 'approved' ? { granted: decision.scopes.join('/') } : {}
  const members = { clientId: clientLabel(client.id), requested: scopes.join('/'), ...granted }
  request.log.info({ event: 'consent', reason: answer, ...members }, 'a person decided')
}

/** The open request of this browser at this address; null when it ended, expired, or belongs to another browser. */
async function findRequest(
  deps: ConsentDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AuthorizationRequest | null> {
  const { uid } = request.params as { uid: string }
  try {
    return await readAuthorizationRequest(deps, uid, request.raw, reply.raw)
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return null
    throw error
  }
}

/** False for a form of ours that belongs to another session; throws FormRefused for a form that is not ours. */
function formFits(
  deps: ConsentDeps,
  request: FastifyRequest,
  asked: AuthorizationRequest,
  signedIn: SignedIn,
): boolean {
  try {
    deps.forms.check(request, binding(asked, signedIn))
    return true
  } catch (error) {
    if (error instanceof FormRefused && deps.forms.isOurs(request)) return false
    throw error
  }
}

/**
 * Who asks, for the pages that only name it: by its hosts alone, whose length is bounded, for nobody needs to have signed
 * in to be asked.
 */
function titleOfAsker(deps: ConsentDeps, request: FastifyRequest, asked: AuthorizationRequest): string {
  const t = wordsFor(request)
  const { within, passesFor } = appOf({ ...askingApp(asked), name: '' }, namingFor(deps, t))
  return passesFor === 'us' ? `${within} (${t.who.notUs})` : within
}

/** Who asks, with what it calls itself. */
function whoAsks(deps: ConsentDeps, request: FastifyRequest, asked: AuthorizationRequest): WhoView {
  return appOf(askingApp(asked), namingFor(deps, wordsFor(request)))
}

function binding(asked: AuthorizationRequest, signedIn: SignedIn): string {
  return `${interactionBinding(asked.uid)} ${sessionBinding(signedIn.sessionId)}`
}

async function sendConsent(deps: ConsentDeps, reply: FastifyReply, scene: Scene, shown: Shown): Promise<string> {
  const { asked, signedIn } = scene
  const now = await databaseNow(deps.db)
  const t = wordsFor(reply.request)
  const read = readBounds(scene.filled.bounds, scene.start, t)
  const problems = 'problems' in read ? read.problems : {}
  const { id: accountId } = signedIn.account
  const [spent, account] = await Promise.all([
    spentOf(deps.db, accountId, now),
    deps.db.spender.findFirst({ where: { id: accountId, accountId } }),
  ])
  const chosen = 'bounds' in read ? read.bounds.countries : []
  const countries = commonCountries([chosen, asked.askedLimits?.countries ?? [], account?.countries ?? []])
  const cost = scopesSpend(asked.scopes) ? await costOf(deps.internalApi, accountId, countries) : null
  const page = {
    ...consentView({ ...scene, shown, problems, spent, cost, account, now, naming: namingFor(deps, t) }),
    formAction: `/interaction/${asked.uid}`,
    csrf: deps.forms.token(binding(asked, signedIn)),
    signOut: {
      csrf: deps.forms.token(sessionBinding(signedIn.sessionId)),
      returnTo: `/interaction/${asked.uid}`,
    },
  }
  return sendPage(reply, 'consent', page, Object.keys({ ...shown, ...problems }).length > 0 ? 422 : 200)
}

/** An answer that stands. What was allowed is shown to the account that allowed it alone: nothing was connected to another. */
function sendAnswered(
  deps: ConsentDeps,
  reply: FastifyReply,
  asked: AuthorizationRequest,
  signedIn: SignedIn | null,
): Promise<string> {
  const { answer, allowedBy } = asked
  if (answer === null || (answer === 'allowed' && allowedBy !== signedIn?.account.id)) return sendEnded(deps, reply)
  return sendContinue(deps, reply, asked, answer, signedIn)
}

/**
 * The way on is a page, not a redirect: with `form-action 'self'` a browser blocks a form whose answer leads to
 * another origin, and an app with a scheme of its own leaves the page standing.
 */
function sendContinue(
  deps: ConsentDeps,
  reply: FastifyReply,
  asked: AuthorizationRequest,
  answer: 'allowed' | 'denied',
  signedIn: SignedIn | null,
): Promise<string> {
  const { resumeUrl: url } = asked
  return sendPage(reply, 'continue', {
    url,
    who: whoAsks(deps, reply.request, asked),
    isWarned: isWarnedOf(asked, namingFor(deps, wordsFor(reply.request))),
    answer,
    accountEmail: signedIn?.account.email ?? null,
  })
}

function sendEnded(deps: ConsentDeps, reply: FastifyReply): Promise<string> {
  const { consent } = wordsFor(reply.request)
  const link = { href: PAGE_PATHS.tokens, label: consent.goToSettings }
  const { headers, params } = reply.request
  const app = readAsker(deps, headers.cookie, `/interaction/${(params as { uid: string }).uid}`)
  const text = app === null ? consent.endedMore : `${consent.whoAsked(app)} ${consent.endedMore}`
  const data = { title: consent.ended, text, link }
  return sendPage(reply, 'message', data, 400)
}
