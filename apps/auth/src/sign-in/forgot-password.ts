import { randomUUID } from 'node:crypto'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { emailSchema } from '../accounts/email.ts'
import { knownBrowser } from '../accounts/known-browser.ts'
import { MAILED_RESET_HOURS } from '../accounts/password-link.ts'
import { keepWithin, originOf } from '../storage-quota.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage, waitWords } from '../web/page.ts'
import { assertAllowed, whileAllowed } from '../web/tries.ts'

const PATH = PAGE_PATHS.forgotPassword
const EMAIL_CHARS_MAX = 1000

/**
 * "Forgot your password?": how to get a link that sets a new one. Where mail is sent, the request is noted and answered by
 * a job; the page does the same, and says the same, whether the address has an account or not. A request too many for one
 * address is not noted, which nobody can tell either: the link that was mailed before goes on working.
 */
export function registerForgotPassword(app: FastifyInstance, deps: WebDeps): void {
  app.get(PATH, (request, reply) => show(deps, request, reply, {}))

  app.post(PATH, async (request, reply) => {
    deps.forms.check(request, deps.forms.visitor(request, reply))
    if (!deps.help.sendsMail) return show(deps, request, reply, {})
    const typed = textField(request, 'email').slice(0, EMAIL_CHARS_MAX)
    const email = emailSchema.safeParse(typed).data
    if (!email) return show(deps, request, reply, { typed, error: wordsFor(request).forgotPassword.wrongEmail })
    const { ip: address } = request
    // As at signing in: what neighbours at an address ask for keeps nobody out of a browser that is known.
    const isKnown = knownBrowser(deps, request.headers.cookie, email) !== null
    const asker = isKnown ? { address, about: email } : { address }
    const isAllowed = await whileAllowed(assertAllowed(deps, reply, 'forgotPassword', asker).then(() => true))
    if (!isAllowed) return show(deps, request, reply, { typed: email, wait: waitWords(reply, wordsFor(request)) })
    const { allowed } = await deps.rateLimiter.hit('forgotPasswordAccount', { about: email })
    if (allowed) await note(deps, email, originOf(deps.operatorKey, address))
    return show(deps, request, reply, { typed: email, isSent: true })
  })
}

async function note(deps: WebDeps, email: string, origin: string): Promise<void> {
  const now = new Date()
  await deps.db.$executeRaw`
    INSERT INTO password_request (id, email, created_at, origin, next_at)
    VALUES (${randomUUID()}::uuid, ${email}, ${now}::timestamptz, ${origin}, database_now())`
  await keepWithin(deps.db, 'passwordRequests', origin)
}

function show(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: { readonly typed?: string; readonly error?: string; readonly wait?: string; readonly isSent?: boolean },
): Promise<string> {
  const { sendsMail, operatorContact } = deps.help
  const page = {
    csrf: deps.forms.token(deps.forms.visitor(request, reply)),
    sendsMail,
    contact: operatorContact,
    isSent: shown.isSent ?? false,
    hours: MAILED_RESET_HOURS,
    email: shown.typed ?? '',
    error: shown.error ?? null,
    wait: shown.wait ?? null,
  }
  return sendPage(reply, 'forgot-password', page, shown.wait ? 429 : shown.error ? 422 : 200)
}
