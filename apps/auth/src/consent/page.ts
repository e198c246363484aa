import { isScope, parseScopes, SCOPES, type Scope } from '@vertexsms/contract/scopes'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errors } from 'oidc-provider'
import { readSession, type SessionDeps, type SignedIn } from '../accounts/session.ts'
import type { LiveProvider } from '../authorization/live-provider.ts'
import { limitWords } from '../connections/limit-words.ts'
import { FormRefused, type Forms, interactionBinding, sessionBinding } from '../web/forms.ts'
import { sendPage } from '../web/page.ts'
import { type AuthorizationRequest, readAuthorizationRequest } from './authorization-request.ts'
import { type ConsentLimits, expectedLimits } from './connect.ts'
import { type Decision, decide } from './decide.ts'

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
}

/**
 * `/interaction/:uid`: who asks, for what, and where the answer goes; then the person's decision. The interaction
 * cookie ties it to the browser that began, our session to the person who decides, and the form to both.
 */
export async function registerConsent(app: FastifyInstance, deps: ConsentDeps): Promise<void> {
  app.get('/interaction/:uid', async (request, reply) => {
    const asked = await findRequest(deps, request, reply)
    if (!asked) return sendEnded(reply)
    if (asked.answered) return sendContinue(reply, asked)
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn) return reply.redirect(`/sign-in?return_to=/interaction/${asked.uid}`, 303)
    return sendConsent(deps, reply, asked, signedIn)
  })

  app.post('/interaction/:uid', async (request, reply) => {
    const asked = await findRequest(deps, request, reply)
    if (!asked) return sendEnded(reply)
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn || !formFits(deps, request, asked, signedIn)) {
      // Signed out, or somebody else by now: the page is shown again to whoever is there.
      return reply.redirect(`/interaction/${asked.uid}`, 303)
    }
    const outcome = asked.answered
      ? 'answered_before'
      : await decide(deps, asked.uid, decisionOf(deps, request, asked, signedIn))
    if (outcome === 'signed_out') return reply.redirect(`/interaction/${asked.uid}`, 303)
    return sendContinue(reply, asked)
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

/** Nothing ticked is a denial, and so is every answer but the one that allows. */
function decisionOf(
  deps: ConsentDeps,
  request: FastifyRequest,
  asked: AuthorizationRequest,
  signedIn: SignedIn,
): Decision {
  const { decision, scope } = (request.body ?? {}) as { decision?: unknown; scope?: unknown }
  const ticked = (Array.isArray(scope) ? scope : [scope]).filter((name): name is Scope => isScope(String(name)))
  const scopes = asked.scopes.filter((name) => ticked.includes(name))
  if (decision !== 'allow' || scopes.length === 0) return { kind: 'denied' }
  return {
    kind: 'approved',
    accountId: signedIn.account.id,
    sessionId: signedIn.sessionId,
    client: clientOf(asked),
    redirectHost: asked.redirectHost,
    scopes,
    lifetimeSeconds: deps.connectionSeconds,
    limits: consentLimits(deps, asked),
  }
}

function clientOf(asked: AuthorizationRequest) {
  return { id: asked.client.id, name: asked.client.name, shared: asked.client.documentHost !== null }
}

function consentLimits(deps: ConsentDeps, asked: AuthorizationRequest): ConsentLimits {
  return { initial: { ...NO_LIMITS, maxPerDayMicros: deps.maxPerDayMicros }, asked: asked.askedLimits }
}

async function sendConsent(
  deps: ConsentDeps,
  reply: FastifyReply,
  asked: AuthorizationRequest,
  signedIn: SignedIn,
): Promise<string> {
  const approval = { accountId: signedIn.account.id, client: clientOf(asked), limits: consentLimits(deps, asked) }
  const limits = await expectedLimits(deps.db, approval, await databaseNow(deps.db))
  return sendPage(reply, 'consent', {
    formAction: `/interaction/${asked.uid}`,
    csrf: deps.forms.token(binding(asked, signedIn)),
    redirectHost: asked.redirectHost,
    isLocalApp: asked.isLocalApp,
    clientName: asked.client.name,
    documentHost: asked.client.documentHost,
    accountEmail: signedIn.account.email,
    scopes: parseScopes(asked.scopes.join(' ')).map((name) => {
      const { description, billable } = SCOPES[name]
      return { name, description, billable }
    }),
    limits: limits && limitWords(limits),
    asksForLimits: asked.askedLimits !== null,
    signOut: {
      csrf: deps.forms.token(sessionBinding(signedIn.sessionId)),
      returnTo: `/interaction/${asked.uid}`,
    },
  })
}

/**
 * The way on is a page, not a redirect: with `form-action 'self'` a browser blocks a form whose answer leads to
 * another origin, and an app with a scheme of its own leaves the page standing.
 */
function sendContinue(reply: FastifyReply, asked: AuthorizationRequest): Promise<string> {
  return sendPage(reply, 'continue', { url: asked.resumeUrl, clientName: asked.client.name })
}

function sendEnded(reply: FastifyReply): Promise<string> {
  const data = {
    title: 'This request has ended',
    text: 'It was answered already, or it took too long. If your app is not connected, start again from the app.',
  }
  return sendPage(reply, 'message', data, 400)
}
