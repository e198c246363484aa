import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { findPasswordLink, usePasswordLink } from '../accounts/password-link.ts'
import { PASSWORD_MIN_CHARS, passwordProblem } from '../accounts/password-rules.ts'
import { passwordProof } from '../accounts/proof.ts'
import type { WebDeps } from '../web/deps.ts'
import { sendPage } from '../web/page.ts'
import { HOME_PATH } from '../web/return-to.ts'
import { assertAllowed } from '../web/tries.ts'
import { startSession } from './sign-in.ts'

const SPENT = {
  title: 'This link no longer works',
  text: 'It has been used, has expired, or was replaced by a newer one. Ask for a new link.',
  link: { href: '/sign-in', label: 'Back to sign in' },
}

/** The page behind an invitation or reset link. Opening it changes nothing, so that a link scanner cannot spend it. */
export function registerSetPassword(app: FastifyInstance, deps: WebDeps): void {
  app.get('/set-password', async (request, reply) => {
    const secret = textOf(request.query, 'link')
    const link = await findPasswordLink(deps.db, secret)
    return link ? showForm(deps, request, reply, { secret, email: link.email }) : sendPage(reply, 'message', SPENT, 410)
  })

  app.post('/set-password', async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    await assertAllowed(deps, reply, 'setPassword', { address: request.ip })
    const secret = textOf(request.body, 'link')
    const password = textOf(request.body, 'password')
    const link = await findPasswordLink(deps.db, secret)
    if (!link) return sendPage(reply, 'message', SPENT, 410)
    const error = passwordProblem(password, link.email)
    if (error) return showForm(deps, request, reply, { secret, email: link.email, error })
    const account = await usePasswordLink(deps.db, { secret, password })
    if (!account) return sendPage(reply, 'message', SPENT, 410)
    await startSession(deps, request, reply, passwordProof(account.accountId, account.passwordHash))
    return reply.redirect(HOME_PATH, 303)
  })
}

function textOf(from: unknown, name: string): string {
  const value = (from as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value.slice(0, 1000) : ''
}

function showForm(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, email, error }: { secret: string; email: string; error?: string },
): Promise<string> {
  const csrf = deps.forms.token(deps.forms.visitor(request, reply))
  const data = { csrf, link: secret, email, minChars: PASSWORD_MIN_CHARS, error: error ?? null }
  return sendPage(reply, 'set-password', data, error ? 422 : 200)
}
