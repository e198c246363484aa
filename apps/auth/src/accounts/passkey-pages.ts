import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sessionBinding } from '../forms.ts'
import { sendPage } from '../page.ts'
import { timeView } from '../time-view.ts'
import { assertAllowed } from './limits.ts'
import { type Addition, addPasskey, checkPasskey, MAX_PASSKEYS, registrationOptions } from './passkeys.ts'
import { verifyPassword } from './password.ts'
import { signedInOf, viewerOf } from './require-session.ts'
import { safeReturnTo } from './return-to.ts'
import { passkeyBinding, showSignIn, startSession } from './sign-in.ts'
import { browserName } from './user-agent.ts'
import type { WebDeps } from './web-deps.ts'

const MAX_NAME_CHARS = 60

/** Why no passkey was added. */
const NOT_ADDED: Readonly<Record<Exclude<Addition, 'added'>, string>> = {
  refused: 'The passkey could not be added. Please try again.',
  too_many: `An account may have ${MAX_PASSKEYS} passkeys. Remove one first.`,
}

/** Signing in with a passkey; the form is on the sign-in page. */
export function registerPasskeySignIn(app: FastifyInstance, deps: WebDeps): void {
  app.post('/sign-in/passkey', async (request, reply) => {
    const visitor = deps.forms.visitor(request, reply)
    deps.forms.check(request, visitor)
    await assertAllowed(deps, reply, 'passkey', { address: request.ip })
    const returnTo = safeReturnTo(field(request, 'return_to'))
    const proof = await checkPasskey(deps, field(request, 'credential'), passkeyBinding(visitor))
    if (!proof || !(await startSession(deps, request, reply, proof))) {
      const error = 'That passkey was not accepted. Try again, or use your password.'
      return showSignIn(deps, request, reply, { returnTo, email: '', status: 422, error })
    }
    return reply.redirect(returnTo, 303)
  })
}

/** Settings -> Passkeys: see them, add one, remove one. Behind a session. */
export function registerPasskeySettings(app: FastifyInstance, deps: WebDeps): void {
  app.get('/settings/passkeys', (request, reply) => showPasskeys(deps, request, reply))

  app.post('/settings/passkeys', async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    await assertAllowed(deps, reply, 'passkey', { about: account.id })
    // A browser left open must not be enough to plant a second way in.
    const { passwordHash } = await deps.db.account.findUniqueOrThrow({ where: { id: account.id } })
    if (!(await verifyPassword(passwordHash, field(request, 'password')))) {
      return showPasskeys(deps, request, reply, 'The password is not right. No passkey was added.')
    }
    const name = field(request, 'name')
      .slice(0, 4 * MAX_NAME_CHARS)
      .replace(/\p{C}/gu, '')
      .trim()
      .slice(0, MAX_NAME_CHARS)
    const added = await addPasskey(deps, {
      accountId: account.id,
      sessionId,
      passwordHash,
      name: name || browserName(request.headers['user-agent'] ?? ''),
      answer: field(request, 'credential'),
      binding: `register:${sessionBinding(sessionId)}`,
    })
    if (added !== 'added') return showPasskeys(deps, request, reply, NOT_ADDED[added])
    return reply.redirect('/settings/passkeys', 303)
  })

  app.post('/settings/passkeys/remove', async (request, reply) => {
    const accountId = signedInOf(request).account.id
    await deps.db.passkey.deleteMany({ where: { accountId, id: field(request, 'passkey') } })
    return reply.redirect('/settings/passkeys', 303)
  })
}

async function showPasskeys(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  error: string | null = null,
): Promise<string> {
  const { account, sessionId } = signedInOf(request)
  const now = new Date()
  const rows = await deps.db.passkey.findMany({ where: { accountId: account.id }, orderBy: { createdAt: 'desc' } })
  const data = {
    viewer: viewerOf(deps, request),
    error,
    options: await registrationOptions(deps, account, `register:${sessionBinding(sessionId)}`),
    suggestedName: browserName(request.headers['user-agent'] ?? ''),
    passkeys: rows.map((row) => ({
      id: row.id,
      name: row.name,
      created: timeView(row.createdAt, now),
      lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    })),
  }
  return sendPage(reply, 'passkeys', data, error ? 422 : 200)
}

function field(request: FastifyRequest, name: string): string {
  const value = (request.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}
