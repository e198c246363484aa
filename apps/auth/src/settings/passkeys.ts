import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addPasskey, MAX_PASSKEYS, registrationOptions } from '../accounts/passkeys.ts'
import { tellOfWayIn } from '../accounts/way-in-notice.ts'
import { browserName } from '../web/browser-name.ts'
import type { WebDeps } from '../web/deps.ts'
import { doneOf } from '../web/done.ts'
import { textField } from '../web/fields.ts'
import { sessionBinding } from '../web/forms.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { timeView } from '../web/times.ts'
import { assertAllowed } from '../web/tries.ts'
import { changeAccount, provePassword } from './account-change.ts'

const MAX_NAME_CHARS = 60

const PATH = PAGE_PATHS.passkeys

/** Settings -> Passkeys: see them, add one, remove one. Behind a session. */
export function registerPasskeys(app: FastifyInstance, deps: WebDeps): void {
  app.get(PATH, (request, reply) => showPasskeys(deps, request, reply))

  app.post(PATH, async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    await assertAllowed(deps, reply, 'passkey', { about: account.id })
    // A browser left open must not be enough to plant a second way in.
    const proof = await provePassword(deps, request, reply)
    if (!proof) return showPasskeys(deps, request, reply, { passwordError: wordsFor(request).passkeys.wrongPassword })
    await assertAllowed(deps, reply, 'passkeyAddition', { about: account.id })
    const added = await addPasskey(deps, {
      accountId: account.id,
      sessionId,
      passwordHash: proof.passwordHash,
      name: nameOf(request),
      answer: textField(request, 'credential'),
      binding: `register:${sessionBinding(sessionId)}`,
    })
    if (added !== 'added') {
      const { passkeys: w, format } = wordsFor(request)
      const error = added === 'too_many' ? w.tooMany(format.number(MAX_PASSKEYS)) : w.notAdded
      return showPasskeys(deps, request, reply, { error })
    }
    return reply.redirect(`${PATH}?done=added`, 303)
  })

  app.get(`${PATH}/remove`, async (request, reply) => {
    const { passkey: id } = request.query as { passkey?: unknown }
    const where = { accountId: signedInOf(request).account.id, id: typeof id === 'string' ? id : '' }
    const row = await deps.db.passkey.findFirst({ where })
    if (!row) return reply.redirect(PATH, 303)
    const now = nowOf(request)
    const { name, createdAt, lastUsedAt } = row
    const times = { created: timeView(createdAt, now), lastUsed: lastUsedAt && timeView(lastUsedAt, now) }
    return sendPage(reply, 'passkey-remove', { viewer: viewerOf(deps, request), id: row.id, name, ...times })
  })

  app.post(`${PATH}/remove`, async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const id = textField(request, 'passkey')
    return changeAccount(deps, request, reply, {
      proof: null,
      page: PATH,
      async work(tx, now) {
        const { count } = await tx.passkey.deleteMany({ where: { accountId, id } })
        if (count === 1) await tellOfWayIn(tx, 'passkey_removed', accountId, now)
        return { done: 'removed' }
      },
    })
  })
}

/** As it was typed, without what no name has; the browser's own name for none. */
function nameOf(request: FastifyRequest): string {
  const typed = textField(request, 'name')
    .slice(0, 4 * MAX_NAME_CHARS)
    .replace(/\p{C}/gu, '')
    .trim()
  const name = [...typed].slice(0, MAX_NAME_CHARS).join('')
  return name || browserName(request.headers['user-agent'] ?? '', wordsFor(request))
}

async function showPasskeys(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  problems: { readonly error?: string; readonly passwordError?: string } = {},
): Promise<string> {
  const { error = null, passwordError = null } = problems
  const { wasAdded, wasRemoved } = wordsFor(request).passkeys
  const { account, sessionId } = signedInOf(request)
  const now = nowOf(request)
  const rows = await deps.db.passkey.findMany({ where: { accountId: account.id }, orderBy: { createdAt: 'desc' } })
  const data = {
    viewer: viewerOf(deps, request),
    notice: doneOf(request, { added: wasAdded, removed: wasRemoved }),
    error,
    passwordError,
    options: await registrationOptions(deps, account, `register:${sessionBinding(sessionId)}`),
    suggestedName: nameOf(request),
    passkeys: rows.map((row) => ({
      id: row.id,
      name: row.name,
      created: timeView(row.createdAt, now),
      lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    })),
  }
  return sendPage(reply, 'passkeys', data, error || passwordError ? 422 : 200)
}
