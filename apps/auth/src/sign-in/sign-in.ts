import { fastifyCookie } from '@fastify/cookie'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { isAccountAlive } from '@vertexsms/db/alive'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { accountTransaction, lockAccount } from '../accounts/account-lock.ts'
import { emailSchema } from '../accounts/email.ts'
import { knownBrowser, knownBrowserCookie } from '../accounts/known-browser.ts'
import { signInOptions } from '../accounts/passkeys.ts'
import { type Proof, passwordProof } from '../accounts/proof.ts'
import { createSession, endSession, readSession, sessionMark } from '../accounts/session.ts'
import { readAsker } from '../web/asker-cookie.ts'
import type { WebDeps } from '../web/deps.ts'
import { sessionBinding } from '../web/forms.ts'
import { languageOf, wordsFor } from '../web/language.ts'
import { sendPage, waitWords } from '../web/page.ts'
import { countPasswordTry, type PasswordTry } from '../web/password-tries.ts'
import { isInteractionPath, safeReturnTo, signInPath } from '../web/return-to.ts'
import { whileAllowed } from '../web/tries.ts'

const credentialsSchema = z.object({
  email: z.string().max(1000),
  password: z.string().max(1000),
  return_to: z.string().optional(),
})

/**
 * Holds the mark of the session whose end this browser was told of. The session cookie itself is left alone: another tab
 * may have signed in meanwhile, whose cookie would go with it.
 */
const TOLD_COOKIE = 'vertexsms_told'
const TOLD_SECONDS = 30 * 86_400

function toldCookie({ issuerUrl }: Pick<WebDeps, 'issuerUrl'>, mark: string): string {
  const secure = issuerUrl.startsWith('https:')
  return fastifyCookie.serialize(TOLD_COOKIE, mark, {
    ...{ path: PAGE_PATHS.signIn, maxAge: TOLD_SECONDS, httpOnly: true, sameSite: 'lax' as const },
    secure,
  })
}

/** `/sign-in` and `/sign-out`. */
export function registerSignIn(app: FastifyInstance, deps: WebDeps): void {
  app.get(PAGE_PATHS.signIn, async (request, reply) => {
    const returnTo = safeReturnTo((request.query as { return_to?: unknown }).return_to)
    if (await readSession(deps, request.headers.cookie)) return reply.redirect(returnTo, 303)
    // Said once, to whoever holds the cookie of a session, whatever ended it: nobody learns of an account by it.
    const mark = sessionMark(deps, request.headers.cookie)
    const hasEnded = mark !== null && fastifyCookie.parse(request.headers.cookie ?? '')[TOLD_COOKIE] !== mark
    if (hasEnded && request.method === 'GET') reply.header('set-cookie', toldCookie(deps, mark))
    return showSignIn(deps, request, reply, { returnTo, email: '', status: 200, hasEnded })
  })

  app.post(PAGE_PATHS.signIn, async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    const sent = credentialsSchema.safeParse(request.body)
    const returnTo = safeReturnTo(sent.data?.return_to)
    const email = emailSchema.safeParse(sent.data?.email).data
    const tries = await whileAllowed(countPasswordTry(deps, request, reply, email ?? ''))
    if (!tries) {
      // What was typed and where it leads stay: nobody begins the app's request anew for having to wait.
      const error = waitWords(reply, wordsFor(request))
      return showSignIn(deps, request, reply, { returnTo, email: sent.data?.email ?? '', status: 429, error })
    }
    const proof = await checkCredentials(deps, email, sent.data?.password, tries)
    if (!proof || !(await startSession(deps, request, reply, proof))) {
      const error = wordsFor(request).signIn.refused
      return showSignIn(deps, request, reply, { returnTo, email: sent.data?.email ?? '', status: 422, error })
    }
    await tries.forget()
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

/**
 * Signs the browser in with a fresh session, ending the one it came with (session fixation). False, and nothing is
 * changed, when the account was reset or disabled since the proof was made.
 */
export async function startSession(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  proof: Proof,
): Promise<boolean> {
  const { accountId } = proof
  const before = await readSession(deps, request.headers.cookie)
  const started = await accountTransaction(deps.db, async (tx) => {
    const account = await lockAccount(tx, accountId)
    if (!account?.active || !(await proof.stillHolds(tx, account))) return null
    // Mails are written in the language that this person was first met in, until another is chosen.
    const language = languageOf(request.headers)
    await tx.account.updateMany({ where: { id: accountId, language: null }, data: { language } })
    const within = { ...deps, db: tx }
    if (before) await endSession(within, { accountId: before.account.id, sessionId: before.sessionId })
    const browser = { accountId, userAgent: request.headers['user-agent'], address: request.ip }
    return { email: account.email, ...(await createSession(within, browser)) }
  })
  if (!started) return false
  reply.header('set-cookie', started.setCookie)
  const { email } = started
  if (!knownBrowser(deps, request.headers.cookie, email)) reply.header('set-cookie', knownBrowserCookie(deps, email))
  return true
}

/** What a sign-in challenge of this visitor is bound to. */
export function passkeyBinding(visitor: string): string {
  return `sign-in:${visitor}`
}

/** The sign-in page, empty or with what went wrong. */
export async function showSignIn(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  form: { returnTo: string; email: string; status: number; error?: string; hasEnded?: boolean },
): Promise<string> {
  const { returnTo, email, error, hasEnded = false } = form
  const visitor = deps.forms.visitor(request, reply)
  const data = {
    csrf: deps.forms.token(visitor),
    email,
    returnTo,
    continuesToApp: isInteractionPath(returnTo),
    asker: readAsker(deps, request.headers.cookie, returnTo),
    passkeyOptions: await signInOptions(deps, passkeyBinding(visitor)),
    error: error ?? null,
    hasEnded,
  }
  return sendPage(reply, 'sign-in', data, form.status)
}

async function checkCredentials(
  deps: WebDeps,
  email: string | undefined,
  password: string | undefined,
  tries: PasswordTry,
): Promise<Proof | null> {
  const account = email ? await deps.db.account.findUnique({ where: { email } }) : null
  const fits = await tries.verify(account?.passwordHash, password ?? '')
  return fits && account && isAccountAlive(account) ? passwordProof(account.id, account.passwordHash) : null
}
