import type { Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { type FoundHolder, findHolder } from '../connections/holders.ts'
import { RULE_FIELDS, readRules, type TypedRules } from '../connections/rules.ts'
import { holdSpender, pauseSpender, resumeSpender, setRules } from '../connections/spenders.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { HOME_PATH, signInPath } from '../web/return-to.ts'
import { spenderPage } from './spender-page.ts'

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** What the page says after a change. */
const NOTICES = {
  limits: 'The limits are set. They hold from the next send on.',
  pause: 'Paused. Reading works; every send is refused.',
  resume: 'Resumed. It may spend within its limits.',
  ended: 'Nothing was changed: it has ended.',
} as const

interface ConnectionParams {
  Params: { connectionId: string }
}
type Change = (tx: Prisma.TransactionClient, spenderId: string) => Promise<boolean>

/** `/connections/{id}`: what one connected app may spend, what it did, and the forms that bound and pause it. */
export function registerConnections(app: FastifyInstance, deps: WebDeps): void {
  // Where a refusal under the account's own limit leads.
  app.get('/connections', (_request, reply) => reply.redirect(HOME_PATH, 303))

  app.get<ConnectionParams>('/connections/:connectionId', async (request, reply) => {
    const holder = await ownConnection(deps, request)
    return holder ? show(deps, request, reply, holder, null) : reply.callNotFound()
  })

  app.post<ConnectionParams>('/connections/:connectionId/limits', async (request, reply) => {
    const holder = await ownConnection(deps, request)
    if (!holder) return reply.callNotFound()
    const typed = typedRules(request)
    const read = readRules(typed, wordsFor(request))
    if ('problems' in read) return show(deps, request, reply, holder, { typed, errors: read.problems })
    return change(deps, request, reply, holder, 'limits', (tx, id) => setRules(tx, id, read.rules))
  })

  app.post<ConnectionParams>('/connections/:connectionId/pause', async (request, reply) => {
    const holder = await ownConnection(deps, request)
    if (!holder) return reply.callNotFound()
    return change(deps, request, reply, holder, 'pause', async (tx, id) => pauseSpender(tx, id, await databaseNow(tx)))
  })

  app.post<ConnectionParams>('/connections/:connectionId/resume', async (request, reply) => {
    const holder = await ownConnection(deps, request)
    if (!holder) return reply.callNotFound()
    return change(deps, request, reply, holder, 'resume', async (tx, id) =>
      resumeSpender(tx, id, await databaseNow(tx)),
    )
  })
}

async function ownConnection(deps: WebDeps, request: FastifyRequest<ConnectionParams>): Promise<FoundHolder | null> {
  const { connectionId: id } = request.params
  if (!UUID.test(id)) return null
  const holder = await findHolder(
    deps.db,
    { id, accountId: signedInOf(request).account.id },
    await databaseNow(deps.db),
  )
  return holder?.kind === 'connection' ? holder : null
}

/** The fields of the form; a box that is not ticked is not sent. */
function typedRules(request: FastifyRequest): TypedRules {
  const texts = RULE_FIELDS.map((field) => [field, textField(request, field)] as const)
  return {
    ...Object.fromEntries(texts),
    ask_new_country: textField(request, 'ask_new_country') === 'on' ? 'on' : 'off',
  }
}

async function change(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  holder: FoundHolder,
  what: keyof typeof NOTICES,
  work: Change,
): Promise<FastifyReply> {
  const { account, sessionId } = signedInOf(request)
  const path = `/connections/${holder.id}`
  const outcome = await accountTransaction(deps.db, async (tx) => {
    if (!(await lockSession(tx, { accountId: account.id, sessionId }))) return 'signed_out'
    const spenderId = await holdSpender(tx, account.id, holder)
    return spenderId !== null && (await work(tx, spenderId)) ? what : 'ended'
  })
  return reply.redirect(outcome === 'signed_out' ? signInPath(path) : `${path}?done=${outcome}`, 303)
}

async function show(
  deps: WebDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  holder: FoundHolder,
  refused: { readonly typed: TypedRules; readonly errors: readonly string[] } | null,
): Promise<string> {
  const { done } = request.query as { done?: unknown }
  const notice = typeof done === 'string' && Object.hasOwn(NOTICES, done) ? NOTICES[done as keyof typeof NOTICES] : null
  const page = await spenderPage(deps.db, holder, await databaseNow(deps.db), wordsFor(request))
  const form = refused ? { errors: refused.errors, values: refused.typed } : { errors: [], values: page.values }
  const formAction = `/connections/${holder.id}`
  return sendPage(
    reply,
    'spender',
    { ...page, viewer: viewerOf(deps, request), formAction, notice, form },
    refused ? 422 : 200,
  )
}
