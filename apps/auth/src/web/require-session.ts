import type { FastifyInstance, FastifyRequest } from 'fastify'
import { readSession, type SignedIn } from '../accounts/session.ts'
import type { Viewer } from '../views/pages.ts'
import type { WebDeps } from './deps.ts'
import { sessionBinding } from './forms.ts'
import { signInPath } from './return-to.ts'

const signedInBy = new WeakMap<FastifyRequest, SignedIn>()

/**
 * Every route registered on `app` after this needs a session, and every POST of it a form of that session; without a
 * session the browser is sent to sign in and then back. Throws FormRefused (403) for a form from elsewhere.
 */
export function requireSession(app: FastifyInstance, deps: WebDeps): void {
  app.addHook('preHandler', async (request, reply) => {
    const signedIn = await readSession(deps, request.headers.cookie)
    if (!signedIn) {
      const backTo = isReading(request) ? request.url : '/settings/api'
      return reply.redirect(signInPath(backTo), 303)
    }
    if (!isReading(request)) deps.forms.check(request, sessionBinding(signedIn.sessionId))
    signedInBy.set(request, signedIn)
  })
}

/** What changes nothing (RFC 9110 §9.2.1): HEAD is answered as GET is, without its page. */
function isReading({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Who is signed in, in a route behind {@link requireSession}. */
export function signedInOf(request: FastifyRequest): SignedIn {
  const signedIn = signedInBy.get(request)
  if (!signedIn) throw new Error('route without requireSession')
  return signedIn
}

/** What the frame of a dashboard page shows about the signed-in person. */
export function viewerOf(deps: WebDeps, request: FastifyRequest): Viewer {
  const { account, sessionId } = signedInOf(request)
  return { email: account.email, csrf: deps.forms.token(sessionBinding(sessionId)) }
}
