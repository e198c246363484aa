import { Readable } from 'node:stream'
import { PAGE_PATHS, spenderPath } from '@vertexsms/contract/page-paths'
import type { Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { type FoundHolder, findHolder, holderOfAccount } from '../connections/holders.ts'
import { RULE_FIELDS, readRules, type TypedRules } from '../connections/rules.ts'
import { holdSpender, pauseSpender, resumeSpender, setRules } from '../connections/spenders.ts'
import { isUuid } from '../connections/uuid.ts'
import type { SpenderNotice } from '../views/spender.ts'
import { hasField, textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { sendPage } from '../web/page.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { HOME_PATH, signInPath } from '../web/return-to.ts'
import type { Words } from '../words/words.ts'
import { activityCsv } from './activity-csv.ts'
import { backFrom, noticeOf, withNotice } from './back.ts'
import type { SettingsDeps } from './deps.ts'
import { ANY_TOKEN } from './own-token.ts'
import { activityOf, spenderPage } from './spender-page.ts'

/** False where it has ended; what came of it instead, where that is not what was asked. */
type Change = (tx: Prisma.TransactionClient, spenderId: string) => Promise<boolean | SpenderNotice>
type Find = (request: FastifyRequest) => Promise<FoundHolder | null>

/**
 * What may spend, each on a page of its own: a connection, a token made by hand, and the whole account. Its limits, what it
 * spent and did, and the forms that bound and pause it.
 */
export function registerConnections(app: FastifyInstance, deps: SettingsDeps): void {
  // Where a refusal of an earlier release under the account's own limit leads.
  app.get('/connections', (_request, reply) => reply.redirect(HOME_PATH, 303))

  registerSpender(app, deps, spenderPath({ kind: 'connection', id: ':connectionId' }), (request) =>
    ownHolder(deps, request, 'connection', (request.params as { connectionId: string }).connectionId),
  )
  registerSpender(app, deps, spenderPath({ kind: 'token', id: ANY_TOKEN }), (request) =>
    ownHolder(deps, request, 'token', (request.params as { tokenId: string }).tokenId),
  )
  registerSpender(app, deps, PAGE_PATHS.accountLimits, async (request) => holderOfAccount(signedInOf(request).account))
}

function registerSpender(app: FastifyInstance, deps: SettingsDeps, path: string, find: Find): void {
  app.get(path, async (request, reply) => {
    const holder = await find(request)
    return holder ? show(deps, request, reply, holder, null) : reply.callNotFound()
  })

  app.get(`${path}/activity.csv`, async (request, reply) => {
    const holder = await find(request)
    if (!holder) return reply.callNotFound()
    const pieces = activityCsv(deps.db, activityOf(holder))
    const today = nowOf(request).toISOString().slice(0, 10)
    return reply
      .headers({
        'content-type': 'text/csv; charset=utf-8; header=present',
        'content-disposition': `attachment; filename="vertexsms-activity-${today}.csv"`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .send(Readable.from(pieces))
  })

  app.post(`${path}/limits`, async (request, reply) => {
    const holder = await find(request)
    if (!holder) return reply.callNotFound()
    const typed = typedRules(request)
    const read = readRules(typed, wordsFor(request))
    if ('problems' in read) return show(deps, request, reply, holder, typed)
    return change(deps, request, reply, holder, 'limits', (tx, id) => setRules(tx, id, read.rules))
  })

  app.post(`${path}/pause`, async (request, reply) => {
    const holder = await find(request)
    if (!holder) return reply.callNotFound()
    return change(deps, request, reply, holder, 'pause', async (tx, id) => pauseSpender(tx, id, await databaseNow(tx)))
  })

  app.post(`${path}/resume`, async (request, reply) => {
    const holder = await find(request)
    if (!holder) return reply.callNotFound()
    const seen = seenOf(request)
    return change(deps, request, reply, holder, 'resume', async (tx, id) => {
      const isResumed = await resumeSpender(tx, id, await databaseNow(tx), seen)
      // Whoever resumes has looked: a pause of ours that began since is shown first. The spender is held, and has not ended.
      return isResumed || (seen !== null && 'pause')
    })
  })
}

/** Up to when automatic pauses were shown beside a form, as it says; null where it says nothing. */
function seenOf(request: FastifyRequest): Date | null {
  const text = textField(request, 'seen')
  return /^\d{1,13}$/.test(text) ? new Date(Number(text)) : null
}

async function ownHolder(
  deps: SettingsDeps,
  request: FastifyRequest,
  kind: FoundHolder['kind'],
  id: string,
): Promise<FoundHolder | null> {
  if (!isUuid(id)) return null
  const of = { id, accountId: signedInOf(request).account.id }
  const holder = await findHolder(deps.db, of, nowOf(request))
  return holder?.kind === kind ? holder : null
}

/**
 * The fields of the form that its sender changed: one that is left out, or still says what the page showed, changes
 * nothing, so that a page opened earlier brings back no limit that was set since. A box that is not ticked is not sent.
 */
function typedRules(request: FastifyRequest): TypedRules {
  const sent = RULE_FIELDS.filter((field) => hasField(request, field))
  const texts = sent.map((field) => [field, textField(request, field)] as const)
  const box = ['ask_new_country', hasField(request, 'ask_new_country') ? 'on' : 'off'] as const
  const isChanged = ([field, text]: readonly [string, string]) =>
    !hasField(request, `was_${field}`) || textField(request, `was_${field}`) !== text
  return Object.fromEntries([...texts.filter(([field]) => field !== box[0]), box].filter(isChanged))
}

/** What is wrong with each field by itself. */
function problemsOf(typed: TypedRules, t: Words): Record<string, string> {
  return Object.fromEntries(
    RULE_FIELDS.flatMap((field) => {
      const text = typed[field]
      const read = text === undefined ? null : readRules({ [field]: text }, t)
      return read && 'problems' in read ? [[field, read.problems.join(' ')]] : []
    }),
  )
}

async function change(
  deps: SettingsDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  holder: FoundHolder,
  what: SpenderNotice,
  work: Change,
): Promise<FastifyReply> {
  const { account, sessionId } = signedInOf(request)
  const back = backFrom(request, spenderPath(holder))
  const outcome = await accountTransaction(deps.db, async (tx) => {
    if (!(await lockSession(tx, { accountId: account.id, sessionId }))) return 'signed_out'
    const spenderId = await holdSpender(tx, account.id, holder)
    const came = spenderId !== null && (await work(tx, spenderId))
    return came === true ? what : came || 'ended'
  })
  return reply.redirect(outcome === 'signed_out' ? signInPath(back) : withNotice(back, outcome), 303)
}

async function show(
  deps: SettingsDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  holder: FoundHolder,
  refused: TypedRules | null,
): Promise<string> {
  const t = wordsFor(request)
  const { values, ...page } = await spenderPage(deps, holder, request.query, nowOf(request), t)
  const form = { errors: refused ? problemsOf(refused, t) : {}, was: values, values: { ...values, ...refused } }
  const viewer = viewerOf(deps, request)
  return sendPage(
    reply,
    'spender',
    { ...page, viewer, notice: noticeOf(request, page.pause !== null), form },
    refused ? 422 : 200,
  )
}
