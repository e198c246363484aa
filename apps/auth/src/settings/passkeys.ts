import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Addition, addPasskey, MAX_PASSKEYS, registrationOptions } from '../accounts/passkeys.ts'
import { verifyPassword } from '../accounts/password.ts'
import { browserName } from '../web/browser-name.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { sessionBinding } from '../web/forms.ts'
import { sendPage } from '../web/page.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'
import { assertAllowed } from '../web/tries.ts'

const MAX_NAME_CHARS = 60

/** Why no passkey was added. */
const NOT_ADDED: Readonly<Record<Exclude<Addition, 'added'>, string>> = {
  refused: 'The passkey could not be added. Please try again.',
  too_many: `An account may have ${MAX_PASSKEYS} passkeys. Remove one first.`,
}

/** Settings -> Passkeys: see them, add one, remove one. Behind a session. */
export function registerPasskeys(app: FastifyInstance, deps: WebDeps): void {
  app.get('/settings/passkeys', (request, reply) => showPasskeys(deps, request, reply))

  app.post('/settings/passkeys', async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    await assertAllowed(deps, reply, 'passkey', { about: account.id })
    // A browser left open must not be enough to plant a second way in.
    const { passwordHash } = await deps.db.account.findUniqueOrThrow({ where: { id: account.id } })
    if (!(await verifyPassword(passwordHash, textField(request, 'password')))) {
      return showPasskeys(deps, request, reply, 'The password is not right. No passkey was added.')
    }
    const name = textField(request, 'name')
      .slice(0, 4 * MAX_NAME_CHARS)
      .replace(/\p{C}/gu, '')
      .trim()
      .slice(0, MAX_NAME_CHARS)
    const added = await addPasskey(deps, {
      accountId: account.id,
      sessionId,
      passwordHash,
      name: name || browserName(request.headers['user-agent'] ?? ''),
      answer: textField(request, 'credential'),
      binding: `register:${sessionBinding(sessionId)}`,
    })
    if (added !== 'added') return showPasskeys(deps, request, reply, NOT_ADDED[added])
    return reply.redirect('/settings/passkeys', 303)
  })

  app.post('/settings/passkeys/remove', async (request, reply) => {
    const accountId = signedInOf(request).account.id
    await deps.db.passkey.deleteMany({ where: { accountId, id: textField(request, 'passkey') } })
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
