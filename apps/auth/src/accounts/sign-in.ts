import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { sessionBinding } from '../forms.ts'
import { sendPage } from '../page.ts'
import { emailSchema } from './email.ts'
import { verifyPassword } from './password.ts'
import { HOME_PATH, isInteractionPath, safeReturnTo, signInPath } from './return-to.ts'
import { createSession, endSession, readSession } from './session.ts'
import type { WebDeps } from './web-deps.ts'

const credentialsSchema = z.object({
  email: z.string().max(1000),
  password: z.string().max(1000),
  return_to: z.string().optional(),
})

/** One sentence for every failure: it does not tell whether the account exists, is disabled, or was mistyped. */
const REFUSED = 'The e-mail address or the password is not right.'

/** `/`, `/sign-in` and `/sign-out`. */
export async function registerSignIn(app: FastifyInstance, deps: WebDeps): Promise<void> {
  app.get('/', async (request, reply) => {
    const signedIn = await readSession(deps, request.headers.cookie)
    return reply.redirect(signedIn ? HOME_PATH : '/sign-in', 303)
  })

  app.get('/sign-in', async (request, reply) => {
    const returnTo = safeReturnTo((request.query as { return_to?: unknown }).return_to)
    if (await readSession(deps, request.headers.cookie)) return reply.redirect(returnTo, 303)
    return showForm(deps, request, reply, { returnTo, email: '', status: 200 })
  })

  app.post('/sign-in', async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    const sent = credentialsSchema.safeParse(request.body)
    const returnTo = safeReturnTo(sent.data?.return_to)
    const email = emailSchema.safeParse(sent.data?.email).data
    const accountId = await checkCredentials(deps, email, sent.data?.password)
    if (!accountId) {
      return showForm(deps, request, reply, { returnTo, email: sent.data?.email ?? '', status: 422, error: REFUSED })
    }
    await startSession(deps, request, reply, accountId)
    return reply.redirect(returnTo, 303)
  })

  app.post('/sign-out', async (request, reply) => {
    const signedIn = await readSession(deps, request.headers.cookie)
    const returnTo = safeReturnTo((request.body as { return_to?: unknown } | undefined)?.return_to)
    if (signedIn) {
      deps.forms.check(request, sessionBinding(signedIn.sessionId))
      const session = { accountId: signedIn.account.id, sessionId: signedIn.sessionId }
      reply.header('set-cookie', await endSession(deps, session))
    }
    return reply.redirect(signInPath(returnTo), 303)
  })
}

/** Signs the browser in as the account with a fresh session, ending the one it came with (session fixation). */
export async function startSession(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  accountId: string,
): Promise<void> {
  const before = await readSession(deps, request.headers.cookie)
  if (before) await endSession(deps, { accountId: before.account.id, sessionId: before.sessionId })
  const browser = { accountId, userAgent: request.headers['user-agent'], address: request.ip }
  const { setCookie } = await createSession(deps, browser)
  reply.header('set-cookie', setCookie)
}

async function checkCredentials(
  deps: WebDeps,
  email: string | undefined,
  password: string | undefined,
): Promise<string | null> {
  const account = email ? await deps.db.account.findUnique({ where: { email } }) : null
  const fits = await verifyPassword(account?.passwordHash, password ?? '')
  return fits && account?.status === 'active' ? account.id : null
}

function showForm(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  form: { returnTo: string; email: string; status: number; error?: string },
): Promise<string> {
  const { returnTo, email, error } = form
  const csrf = deps.forms.token(deps.forms.visitor(request, reply))
  const continuesToApp = isInteractionPath(returnTo)
  return sendPage(reply, 'sign-in', { csrf, email, returnTo, continuesToApp, ...(error && { error }) }, form.status)
}
