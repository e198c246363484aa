import { isScope, type Scope } from '@vertexsms/contract/scopes'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { readSession, type SessionDeps, type SignedIn } from '../accounts/session.ts'
import type { LiveProvider } from '../authorization/live-provider.ts'
import type { InternalApi } from '../connections/internal-api.ts'
import { spentOf } from '../connections/spent.ts'
import { askerCookie } from '../web/asker-cookie.ts'
import { oneText, textField } from '../web/fields.ts'
import { FormRefused, type Forms, interactionBinding, sessionBinding } from '../web/forms.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { askerOf } from './asker.ts'
import { type AuthorizationRequest, readAuthorizationRequest } from './authorization-request.ts'
import { readBounds, type Start, type TypedBounds } from './bounds.ts'
import { costOf } from './cost.ts'
import { type Decision, decide } from './decide.ts'
import { type Earlier, earlierConnections } from './earlier.ts'
import { consentView, type Filled, READING_SCOPES, type Shown } from './view.ts'
import { ownDomains } from './warnings.ts'

/** What the consent pages need. */
export interface ConsentDeps extends SessionDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
  readonly forms: Forms
  readonly provider: LiveProvider
  readonly connectionSeconds: number
  /** What a connection that begins may spend a day; null is no limit. */
  readonly maxPerDayMicros: bigint | null
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
    if (!asked) return sendEnded(reply)
    if (asked.answer) return sendContinue(reply, asked, asked.answer)
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn) {
      const { title } = askerOf(asked, wordsFor(request))
      reply.header('set-cookie', askerCookie(deps.issuerUrl, asked.uid, title))
      return reply.redirect(`/sign-in?return_to=/interaction/${asked.uid}`, 303)
    }
    return sendConsent(deps, reply, await sceneOf(deps, asked, signedIn), {})
  })

  app.post('/interaction/:uid', async (request, reply) => {
    const asked = await findRequest(deps, request, reply)
    if (!asked) return sendEnded(reply)
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn || !formFits(deps, request, asked, signedIn)) {
      // Signed out, or somebody else by now: the page is shown again to whoever is there.
      return reply.redirect(`/interaction/${asked.uid}`, 303)
    }
    if (asked.answer) return sendContinue(reply, asked, asked.answer)
    const scene = await sceneOf(deps, asked, signedIn, request)
    const judged = decisionOf(deps, request, scene)
    if ('shown' in judged) return sendConsent(deps, reply, scene, judged.shown)
    const outcome = await decide(deps, asked.uid, judged.decision)
    if (outcome.kind === 'signed_out') return reply.redirect(`/interaction/${asked.uid}`, 303)
    if (outcome.kind === 'wider') return sendConsent(deps, reply, scene, { wider: outcome })
    if (outcome.kind === 'decided') return sendContinue(reply, asked, outcome.answer, signedIn)
    // Answered in another tab meanwhile, whose answer stands.
    const answered = await findRequest(deps, request, reply)
    return answered?.answer ? sendContinue(reply, answered, answered.answer) : sendEnded(reply)
  })
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

function binding(asked: AuthorizationRequest, signedIn: SignedIn): string {
  return `${interactionBinding(asked.uid)} ${sessionBinding(signedIn.sessionId)}`
}

/** The person, what the app has already, and what was filled in so far. */
interface Scene {
  readonly asked: AuthorizationRequest
  readonly signedIn: SignedIn
  readonly earlier: readonly Earlier[]
  readonly filled: Filled
  readonly start: Start
}

async function sceneOf(
  deps: ConsentDeps,
  asked: AuthorizationRequest,
  signedIn: SignedIn,
  sent?: FastifyRequest,
): Promise<Scene> {
  const { id: clientId, isShared } = asked.client
  const of = { accountId: signedIn.account.id, clientId, isShared }
  const earlier = await earlierConnections(deps.db, of, await databaseNow(deps.db))
  const filled = sent ? filledIn(sent, asked, earlier) : untouched(asked, earlier)
  const before = isShared ? earlier.find(({ id }) => id === filled.replaces) : earlier[0]
  const initial = { ...NO_LIMITS, maxPerDayMicros: deps.maxPerDayMicros }
  const start = {
    limits: before?.limits ?? initial,
    asked: asked.askedLimits,
    isEarlier: before !== undefined,
    connectionSeconds: deps.connectionSeconds,
  }
  return { asked, signedIn, earlier, filled, start }
}

/** A page that is opened: everything ticked, and the only connection of a shared client about to be replaced. */
function untouched(asked: AuthorizationRequest, earlier: readonly Earlier[]): Filled {
  const [only, another] = asked.client.isShared ? earlier : []
  return { scopes: asked.scopes, bounds: {}, replaces: only && !another ? only.id : null }
}

/** A field that is missing stays as the page would start; one that was sent twice is no value that it takes. */
function filledIn(request: FastifyRequest, asked: AuthorizationRequest, earlier: readonly Earlier[]): Filled {
  const sent = (request.body ?? {}) as Record<string, unknown>
  const field = (name: keyof TypedBounds) => oneText(sent[name])
  const ticked = [sent.scope].flat().filter((name): name is Scope => isScope(String(name)))
  const replaces = textField(request, 'replaces')
  return {
    scopes: asked.scopes.filter((name) => ticked.includes(name)),
    bounds: {
      limit: field('limit'),
      own_limit: field('own_limit'),
      countries: field('countries'),
      lasts: field('lasts'),
    },
    replaces: earlier.some(({ id }) => id === replaces) ? replaces : null,
  }
}

/** Only the word that denies denies; an answer that cannot be taken as it is leads to the page again. */
function decisionOf(
  deps: ConsentDeps,
  request: FastifyRequest,
  scene: Scene,
): { decision: Decision } | { shown: Shown } {
  const { asked, signedIn, filled, start } = scene
  const word = textField(request, 'decision')
  if (word === 'deny') return { decision: { kind: 'denied' } }
  const read = readBounds(filled.bounds, start, wordsFor(request))
  if ('problems' in read) return { shown: { problems: read.problems } }
  if (word !== 'allow' && word !== 'reading') return { shown: {} }
  const scopes = word === 'allow' ? filled.scopes : filled.scopes.filter((name) => READING_SCOPES.includes(name))
  if (scopes.length === 0) return { shown: { nothingTicked: true } }
  const { maxPerDayMicros, countries, lifetimeSeconds } = read.bounds
  return {
    decision: {
      kind: 'approved',
      accountId: signedIn.account.id,
      sessionId: signedIn.sessionId,
      client: { id: asked.client.id, name: asked.client.name, shared: asked.client.isShared },
      redirectHost: asked.redirectHost,
      scopes,
      lifetimeSeconds,
      limits: {
        initial: { ...NO_LIMITS, maxPerDayMicros: deps.maxPerDayMicros },
        asked: asked.askedLimits,
        chosen: { maxPerDayMicros, countries },
        confirmed: textField(request, 'confirmed') || null,
      },
      ...(filled.replaces !== null && { replaces: filled.replaces }),
    },
  }
}

async function sendConsent(deps: ConsentDeps, reply: FastifyReply, scene: Scene, shown: Shown): Promise<string> {
  const { asked, signedIn } = scene
  const now = await databaseNow(deps.db)
  const t = wordsFor(reply.request)
  const read = readBounds(scene.filled.bounds, scene.start, t)
  const countries = 'bounds' in read ? read.bounds.countries : []
  const [spent, cost] = await Promise.all([
    spentOf(deps.db, signedIn.account.id, now),
    costOf(deps.internalApi, signedIn.account.id, countries),
  ])
  const page = {
    ...consentView({ ...scene, shown, spent, cost, own: ownDomains(deps.issuerUrl), now, t }),
    formAction: `/interaction/${asked.uid}`,
    csrf: deps.forms.token(binding(asked, signedIn)),
    signOut: {
      csrf: deps.forms.token(sessionBinding(signedIn.sessionId)),
      returnTo: `/interaction/${asked.uid}`,
    },
  }
  return sendPage(reply, 'consent', page, Object.keys(shown).length > 0 ? 422 : 200)
}

/**
 * The way on is a page, not a redirect: with `form-action 'self'` a browser blocks a form whose answer leads to
 * another origin, and an app with a scheme of its own leaves the page standing.
 */
function sendContinue(
  reply: FastifyReply,
  asked: AuthorizationRequest,
  answer: 'allowed' | 'denied',
  signedIn?: SignedIn,
): Promise<string> {
  const { resumeUrl: url, client } = asked
  return sendPage(reply, 'continue', {
    url,
    clientName: client.name,
    answer,
    accountEmail: signedIn?.account.email ?? null,
  })
}

function sendEnded(reply: FastifyReply): Promise<string> {
  const { consent } = wordsFor(reply.request)
  const link = { href: '/settings/api', label: consent.goToSettings }
  const data = { title: consent.ended, text: consent.endedMore, link }
  return sendPage(reply, 'message', data, 400)
}
