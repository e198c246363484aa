import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readSession, type SignedIn } from '../accounts/session.ts'
import { countPending } from '../connections/approval-decisions.ts'
import type { Viewer } from '../views/frame.ts'
import type { WebDeps } from './deps.ts'
import { sessionBinding } from './forms.ts'
import { pageAddress } from './language.ts'
import { signInPath } from './return-to.ts'

/** Who is signed in, and how many sends wait for their approval. */
interface Present {
  readonly signedIn: SignedIn
  readonly waiting: number
}

/** What the database's client says of a row that must be there and is not. */
const NOT_FOUND = 'P2025'

const presentBy = new WeakMap<FastifyRequest, Present>()

/**
 * Every route registered on `app` after this needs a session, and every POST of it a form of that session; without a
 * session the browser is sent to sign in and then back, as it is where a request fails because its session ended with the
 * account. Throws FormRefused (403) for a form from elsewhere.
 */
export function requireSession(app: FastifyInstance, deps: WebDeps): void {
  app.addHook('preHandler', async (request, reply) => {
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn) return toSignIn(request, reply)
    if (!isReading(request)) deps.forms.check(request, sessionBinding(signedIn.sessionId))
    presentBy.set(request, { signedIn, waiting: await countPending(deps.db, signedIn.account.id) })
  })
  app.setErrorHandler(async (error: Error & { readonly code?: unknown }, request, reply) => {
    // Of an account that was deleted since its session was read nothing is found any more.
    const isGone =
      error.code === NOT_FOUND && (await readSession(deps, request.headers.cookie).catch(() => undefined)) === null
    if (isGone) return toSignIn(request, reply)
    throw error
  })
}

/** The browser signs in, and goes back to the page that it asked for, or whose form it sent. */
function toSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.redirect(signInPath(pageAddress(request)), 303)
}

/** What changes nothing (RFC 9110 §9.2.1): HEAD is answered as GET is, without its page. */
function isReading({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** What time it is by the database's clock, in a route behind {@link requireSession}. */
export function nowOf(request: FastifyRequest): Date {
  return signedInOf(request).now()
}

/** Who is signed in, in a route behind {@link requireSession}. */
export function signedInOf(request: FastifyRequest): SignedIn {
  return presentOf(request).signedIn
}

/** What the frame of a dashboard page shows about the signed-in person. */
export function viewerOf(deps: WebDeps, request: FastifyRequest): Viewer {
  const { signedIn, waiting } = presentOf(request)
  const csrf = deps.forms.token(sessionBinding(signedIn.sessionId))
  return { email: signedIn.account.email, csrf, waiting }
}

/** The same for an answer that belongs to no route behind a session; null for whoever is not signed in. */
export async function viewerIfSignedIn(deps: WebDeps, request: FastifyRequest): Promise<Viewer | null> {
  if (presentBy.has(request)) return viewerOf(deps, request)
  const signedIn = await readSession(deps, request.headers.cookie)
  if (!signedIn) return null
  presentBy.set(request, { signedIn, waiting: await countPending(deps.db, signedIn.account.id) })
  return viewerOf(deps, request)
}

function presentOf(request: FastifyRequest): Present {
  const present = presentBy.get(request)
  if (!present) throw new Error('route without requireSession')
  return present
}
