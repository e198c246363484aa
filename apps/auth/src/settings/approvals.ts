import { askedKindOf } from '@vertexsms/contract/approval'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import {
  countPendingEach,
  decideApproval,
  pendingApprovals,
  refuseAllOf,
  standsSo,
  usableApprovals,
  withdrawApproval,
} from '../connections/approval-decisions.ts'
import { type AskedApproval, BECAME, closedApprovals, findApproval, findApprovals } from '../connections/approvals.ts'
import { nameSpenders } from '../connections/names.ts'
import { pausedOf } from '../connections/spenders.ts'
import { isUuid } from '../connections/uuid.ts'
import { type Naming, ownersNaming, whoOf } from '../connections/who.ts'
import type { ApprovalsPage, AskedView } from '../views/approvals.ts'
import { textField } from '../web/fields.ts'
import { wordsFor } from '../web/language.ts'
import { showOnce, takeOnce } from '../web/once.ts'
import { sendPage } from '../web/page.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { nowOf, signedInOf, viewerOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { backFrom, withNotice } from './back.ts'
import type { SettingsDeps } from './deps.ts'

const PATH = PAGE_PATHS.approvals

/** What cannot be read must not hide the rest. */
const READABLE = { hideUnreadable: true }

/** What was decided or is over, the latest of it. */
const CLOSED_ROWS = 10

/** Why a send was asked about, in sentences, by the words in its row. */
function whyAsked({ row, withoutAskingMicros: above }: AskedApproval, { approvals, format }: Words): string {
  const words = new Set(row.reason.split(/\W+/))
  const known = [
    ...(words.has('price') ? [above === null ? approvals.dear : approvals.dearer(format.eur(above))] : []),
    ...(words.has('country') ? [approvals.newCountry] : []),
  ]
  return known.length > 0 ? known.join(' ') : approvals.youAsked
}

const VERDICTS = { approve: 'approved', refuse: 'refused', withdraw: 'withdrawn' } as const

type Outcome = NonNullable<ApprovalsPage['outcome']>
const OUTCOMES: ReadonlySet<unknown> = new Set<Outcome>([
  'approved',
  'refused',
  'withdrawn',
  'refusedAll',
  'noneWaits',
  'late',
])

interface ApprovalParams {
  Params: { approvalId: string }
}

/** `/approvals`: every send that waits for its owner, and what became of the latest that do not; `/approvals/{id}`: one. Decided there and nowhere else in a browser. */
export function registerApprovals(app: FastifyInstance, deps: SettingsDeps): void {
  app.get(PATH, async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const now = nowOf(request)
    const each = await countPendingEach(deps.db, accountId)
    const all = [...each.values()].reduce((sum, count) => sum + count, 0)
    const { skip, pager } = pageOf(all, { path: PATH, query: request.query, name: 'page' })
    const ids = await pendingApprovals(deps.db, accountId, { skip, take: PAGE_ROWS })
    const naming = await ownersNaming(deps, { accountId, now }, wordsFor(request))
    const paused = await pausedOf(deps.db, accountId)
    const viewsOf = async (ids: readonly string[], isOf: (standing: AskedView['standing']) => boolean) =>
      (await findApprovals(deps, { accountId, ids }, now, READABLE))
        .filter(({ standing }) => isOf(standing))
        .map((one) => askedView(one, paused, now, naming))
    const waiting = (await viewsOf(ids, (standing) => standing === 'pending'))
      // What can only be refused stands in nobody's way.
      .sort((one, other) => Number(one.asked === null) - Number(other.asked === null))
    const usable = await viewsOf(
      await usableApprovals(deps.db, accountId, PAGE_ROWS),
      (standing) => standing === 'approved',
    )
    const closed = await viewsOf(
      await closedApprovals(deps.db, accountId, CLOSED_ROWS),
      (standing) => standing !== 'pending' && standing !== 'approved',
    )
    const which = takeOnce(deps, request, reply, noticePlace(request))
    const page = {
      viewer: viewerOf(deps, request),
      outcome: outcomeOf(request),
      which,
      asking: byAsker(waiting, each),
      isPaused: paused.has(accountId),
      usable,
      closed,
      pager,
    }
    return sendPage(reply, 'approvals', page)
  })

  app.post(PATH, async (request, reply) => {
    const { account, sessionId } = signedInOf(request)
    const spenderId = textField(request, 'spender')
    if (!isUuid(spenderId)) return reply.callNotFound()
    const refused = await accountTransaction(deps.db, async (tx) => {
      if (!(await lockSession(tx, { accountId: account.id, sessionId }))) return null
      return refuseAllOf(tx, { accountId: account.id, spenderId })
    })
    if (refused === null) return reply.redirect(signInPath(PATH), 303)
    const of = { accountId: account.id, now: nowOf(request) }
    const naming = await ownersNaming(deps, of, wordsFor(request))
    const asker = (await nameSpenders(deps.db, account.id, [spenderId])).get(spenderId) ?? null
    const { approvals, format } = naming.t
    const { title } = whoOf(asker, naming)
    const which = refused > 0 ? `${title}: ${approvals.sends(refused, format.number(refused))}` : title
    if (asker !== null) showOnce(deps, reply, noticePlace(request), which)
    return reply.redirect(withNotice(PATH, refused > 0 ? 'refusedAll' : 'noneWaits'), 303)
  })

  app.get<ApprovalParams>(`${PATH}/:approvalId`, async (request, reply) => {
    const { approvalId: id } = request.params
    const now = nowOf(request)
    const accountId = signedInOf(request).account.id
    const found = isUuid(id) ? await findApproval(deps, { accountId, id }, now, READABLE) : null
    if (!found) return reply.callNotFound()
    const outcome = outcomeOf(request)
    return sendPage(reply, 'approval', {
      ...askedView(
        found,
        await pausedOf(deps.db, accountId),
        now,
        await ownersNaming(deps, { accountId, now }, wordsFor(request)),
      ),
      viewer: viewerOf(deps, request),
      isAnswered: outcome !== null,
      isLate: outcome === 'late',
    })
  })

  app.post<ApprovalParams>(`${PATH}/:approvalId`, async (request, reply) => {
    const { approvalId: id } = request.params
    const { account, sessionId } = signedInOf(request)
    const word = textField(request, 'decision')
    const verdict = Object.hasOwn(VERDICTS, word) ? VERDICTS[word as keyof typeof VERDICTS] : null
    const own = { accountId: account.id, id }
    const found = isUuid(id) ? await findApproval(deps, own, nowOf(request), READABLE) : null
    if (!found) return reply.callNotFound()
    const back = backFrom(request, `${PATH}/${id}`)
    const outcome = await accountTransaction(deps.db, async (tx) => {
      if (!(await lockSession(tx, { accountId: account.id, sessionId }))) return 'signed_out'
      // Another word than was given, or one too late, changes nothing; the page then says so.
      if (verdict === null) return 'late'
      // Nobody approves what nobody can read, from an older page either.
      const mayDecide = verdict !== 'approved' || found.asked !== null
      const decide = () => (verdict === 'withdrawn' ? withdrawApproval(tx, own) : decideApproval(tx, own, verdict))
      const isDone = mayDecide && (await decide())
      // A second press of the same button is answered as the first.
      return isDone || (await standsSo(tx, own, verdict)) ? verdict : 'late'
    })
    if (outcome === 'signed_out') return reply.redirect(signInPath(back), 303)
    if (back === PATH) {
      const of = { accountId: account.id, now: nowOf(request) }
      const naming = await ownersNaming(deps, of, wordsFor(request))
      showOnce(deps, reply, noticePlace(request), nameOf(found, naming))
    }
    return reply.redirect(withNotice(back, outcome), 303)
  })
}

/** What waits on a page, by who asks, with how much of each waits in all; whoever asked for what ends first comes first. */
function byAsker(waiting: readonly AskedView[], each: ReadonlyMap<string, number>): ApprovalsPage['asking'] {
  const groups = new Map<string, AskedView[]>()
  for (const one of waiting) groups.set(one.spenderId, [...(groups.get(one.spenderId) ?? []), one])
  return [...groups.values()].flatMap((sends) => {
    const [first] = sends
    if (first === undefined) return []
    const { asker, spenderId } = first
    return [{ asker, spenderId, sends, waits: each.get(spenderId) ?? sends.length }]
  })
}

/** A send in the words of a notice, where it is gone from. */
function nameOf({ row, asker }: AskedApproval, naming: Naming): string {
  const { approvals, format } = naming.t
  const to = approvals.sendTo(row.recipients, format.number(row.recipients))
  const money = format.eur(row.ceilingMicros)
  const amount = row.upstream === 'sandbox' ? `${money} (${naming.t.spender.sandbox})` : money
  return `${whoOf(asker, naming).title}, ${to}, ${amount}`
}

/** What came of an answer, by the word in the address. */
function outcomeOf(request: FastifyRequest): Outcome | null {
  const { done } = request.query as { done?: unknown }
  return OUTCOMES.has(done) ? (done as Outcome) : null
}

/** Where the list says of which send. */
function noticePlace(request: FastifyRequest) {
  return { path: PATH, sessionId: signedInOf(request).sessionId, about: 'decided' }
}

function askedView(found: AskedApproval, paused: ReadonlySet<string>, now: Date, naming: Naming): AskedView {
  const { row, standing, asker, asked } = found
  return {
    formAction: `${PATH}/${row.id}`,
    kind: askedKindOf(row.reason),
    spenderId: row.spenderId,
    standing,
    asker: whoOf(asker, naming),
    stops: paused.has(row.accountId) ? 'account' : paused.has(row.spenderId) ? 'own' : null,
    why: whyAsked(found, naming.t),
    ceilingMicros: row.ceilingMicros,
    sender: row.sender,
    recipientCount: row.recipients,
    countries: row.countries,
    asked,
    upstream: row.upstream,
    goesOut: row.scheduledAt && timeView(row.scheduledAt, now),
    over: found.over,
    isGone: found.isGone,
    became: found.became,
    isGood: found.became !== null && BECAME[found.became] === 'good',
    asking: timeView(row.createdAt, now),
    ends: timeView(row.expiresAt, now),
    decided: row.decidedAt && timeView(row.decidedAt, now),
  }
}
