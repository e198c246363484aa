import { fastifyCookie } from '@fastify/cookie'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { findPasswordLink, type PasswordLinkOwner, usePasswordLink } from '../accounts/password-link.ts'
import { PASSWORD_MIN_CHARS, passwordProblem } from '../accounts/password-rules.ts'
import { passwordProof } from '../accounts/proof.ts'
import { cookieName } from '../cookie-name.ts'
import { HOLDS_A_SECRET } from '../web/compression.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage, waitWords } from '../web/page.ts'
import { passwordProblemText } from '../web/password-problem.ts'
import { HOME_PATH } from '../web/return-to.ts'
import { assertAllowed, whileAllowed } from '../web/tries.ts'
import { startSession } from './sign-in.ts'

const PATH = '/set-password'
const SENT_MAX_CHARS = 1000
/** How long the page may be reloaded; the link's own end counts besides. */
const COOKIE_SECONDS = 3600

/**
 * The page behind an invitation or reset link. Opening it changes nothing, so that a link scanner cannot spend it. The
 * secret leaves the address at once, for a cookie that goes to this page alone: it stays in no history and stands in no
 * link of the page, and a reload, after a refused password too, finds it. The form has it as well, so that of two links
 * open side by side each sets the password that its page names.
 */
export function registerSetPassword(app: FastifyInstance, deps: WebDeps): void {
  app.get(PATH, HOLDS_A_SECRET, async (request, reply) => {
    const given = (request.query as { link?: unknown } | undefined)?.link
    const fromLink = typeof given === 'string' ? given.slice(0, SENT_MAX_CHARS) : null
    const secret = fromLink ?? readCookie(deps, request)
    const link = await findPasswordLink(deps.db, secret)
    if (!link) return sendSpent(request, reply)
    if (fromLink === null) return showForm(deps, request, reply, { ...link, secret })
    return reply.header('cache-control', 'no-store').header('set-cookie', cookie(deps, secret)).redirect(PATH, 303)
  })

  app.post(PATH, HOLDS_A_SECRET, async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    const secret = textField(request, 'link').slice(0, SENT_MAX_CHARS)
    const password = textField(request, 'password').slice(0, SENT_MAX_CHARS)
    const link = await findPasswordLink(deps.db, secret)
    if (!link) return sendSpent(request, reply)
    // By whose the link is: counted by address, what neighbours send would keep others from theirs.
    const isAllowed = await whileAllowed(
      assertAllowed(deps, reply, 'setPassword', { about: link.email }).then(() => true),
    )
    if (!isAllowed) {
      return showForm(deps, request, reply, { ...link, secret }, { wait: waitWords(reply, wordsFor(request)) })
    }
    const problem = passwordProblem(password, link.email)
    if (problem) {
      const error = passwordProblemText(wordsFor(request), problem)
      return showForm(deps, request, reply, { ...link, secret }, { error })
    }
    const account = await usePasswordLink(deps.db, { secret, password })
    if (!account) return sendSpent(request, reply)
    await startSession(deps, request, reply, passwordProof(account.accountId, account.passwordHash))
    reply.header('set-cookie', cookie(deps, ''))
    return reply.redirect(HOME_PATH, 303)
  })
}

function linkCookieName({ issuerUrl }: WebDeps): string {
  return cookieName(issuerUrl, '__Secure-', 'password_link')
}

/** The `Set-Cookie` value that carries the secret of a link to this page; the empty one takes it away. */
function cookie(deps: WebDeps, secret: string): string {
  return fastifyCookie.serialize(linkCookieName(deps), secret, {
    path: PATH,
    httpOnly: true,
    // Lax: a link in a mail that is read in a browser leads here from another site.
    sameSite: 'lax',
    secure: deps.issuerUrl.startsWith('https:'),
    maxAge: secret === '' ? 0 : COOKIE_SECONDS,
  })
}

function readCookie(deps: WebDeps, request: FastifyRequest): string {
  return fastifyCookie.parse(request.headers.cookie ?? '')[linkCookieName(deps)] ?? ''
}

function sendSpent(request: FastifyRequest, reply: FastifyReply): Promise<string> {
  const { title, text, another } = wordsFor(request).setPassword.spent
  // The page there tells whom to ask, where no mail is sent.
  const link = { href: PAGE_PATHS.forgotPassword, label: another }
  return sendPage(reply, 'message', { title, text, link }, 410)
}

function showForm(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, email, hasAccount }: PasswordLinkOwner & { readonly secret: string },
  shown: { readonly error?: string; readonly wait?: string } = {},
): Promise<string> {
  const csrf = deps.forms.token(deps.forms.visitor(request, reply))
  const { error = null, wait = null } = shown
  const page = { csrf, link: secret, email, hasAccount, minChars: PASSWORD_MIN_CHARS, error, wait }
  return sendPage(reply, 'set-password', page, wait ? 429 : error ? 422 : 200)
}
