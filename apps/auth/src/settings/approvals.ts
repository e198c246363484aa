import { databaseNow } from '@vertexsms/db/clock'
import { SealError } from '@vertexsms/secrets/subkey'
import type { FastifyInstance } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import {
  type AskedApproval,
  countPending,
  decideApproval,
  findApproval,
  pendingApprovals,
} from '../connections/approvals.ts'
import type { ApprovalsPage, AskedView } from '../views/pages.ts'
import { textField } from '../web/fields.ts'
import { sendPage } from '../web/page.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import { timeView } from '../web/times.ts'
import { backFrom, withNotice } from './back.ts'
import type { SettingsDeps } from './deps.ts'
import { isTokenId } from './own-token.ts'
import { nameView } from './spender-names.ts'

const PATH = '/approvals'

const REASONS: ReadonlySet<string> = new Set(['price', 'country'])

/** Why a send was asked about, by the words in its row. */
function reasonsOf(words: string): AskedView['reasons'] {
  const known = words.split(/\W+/).filter((word): word is 'price' | 'country' => REASONS.has(word))
  return known.length > 0 ? known : ['asked']
}

const VERDICTS = { approve: 'approved', refuse: 'refused' } as const

const NOTICES: ReadonlySet<unknown> = new Set<ApprovalsPage['notice']>(['approved', 'refused', 'late'])

interface ApprovalParams {
  Params: { approvalId: string }
}

/** `/approvals`: every send that waits for its owner; `/approvals/{id}`: one. Decided there and nowhere else in a browser. */
export function registerApprovals(app: FastifyInstance, deps: SettingsDeps): void {
  app.get(PATH, async (request, reply) => {
    const accountId = signedInOf(request).account.id
    const now = await databaseNow(deps.db)
    const all = await countPending(deps.db, accountId)
    const { skip, pager } = pageOf(all, { path: PATH, query: request.query, name: 'page' })
    const ids = await pendingApprovals(deps.db, accountId, { skip, take: PAGE_ROWS })
    const found = await Promise.all(ids.map((id) => readableApproval(deps, { accountId, id }, now)))
    const waiting = found.flatMap((one) => (one?.standing === 'pending' ? [askedView(one, now)] : []))
    const { done } = request.query as { done?: unknown }
    const notice = NOTICES.has(done) ? (done as ApprovalsPage['notice']) : null
    return sendPage(reply, 'approvals', { viewer: viewerOf(deps, request), notice, waiting, pager })
  })

  app.get<ApprovalParams>('/approvals/:approvalId', async (request, reply) => {
    const { approvalId: id } = request.params
    const now = await databaseNow(deps.db)
    const accountId = signedInOf(request).account.id
    const found = isTokenId(id) ? await findApproval(deps, { accountId, id }, now) : null
    if (!found) return reply.callNotFound()
    const { done } = request.query as { done?: unknown }
    return sendPage(reply, 'approval', {
      ...askedView(found, now),
      viewer: viewerOf(deps, request),
      isAnswered: NOTICES.has(done),
      isLate: done === 'late',
    })
  })

  app.post<ApprovalParams>('/approvals/:approvalId', async (request, reply) => {
    const { approvalId: id } = request.params
    const { account, sessionId } = signedInOf(request)
    const word = textField(request, 'decision')
    const verdict = Object.hasOwn(VERDICTS, word) ? VERDICTS[word as keyof typeof VERDICTS] : null
    const own = { accountId: account.id, id }
    if (!isTokenId(id) || (await deps.db.approval.count({ where: own })) === 0) return reply.callNotFound()
    const back = backFrom(request, `${PATH}/${id}`)
    // Nobody approves what nobody can read, from an older page either.
    const isReadable = (await readableApproval(deps, own, await databaseNow(deps.db)))?.asked != null
    const taken = verdict === 'approved' && !isReadable ? null : verdict
    const outcome = await accountTransaction(deps.db, async (tx) => {
      if (!(await lockSession(tx, { accountId: account.id, sessionId }))) return 'signed_out'
      // A second press, on another device as well, or one too late changes nothing; the page then says so.
      return taken && (await decideApproval(tx, own, taken)) ? taken : 'late'
    })
    return reply.redirect(outcome === 'signed_out' ? signInPath(back) : withNotice(back, outcome), 303)
  })
}

/** The same as {@link findApproval}, without what was asked where it cannot be read: one of many must not hide the others. */
async function readableApproval(
  deps: SettingsDeps,
  of: { readonly accountId: string; readonly id: string },
  now: Date,
): Promise<AskedApproval | null> {
  try {
    return await findApproval(deps, of, now)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    return findApproval(deps, of, now, { withoutText: true })
  }
}

function askedView({ row, standing, asker, asked }: AskedApproval, now: Date): AskedView {
  return {
    formAction: `${PATH}/${row.id}`,
    standing,
    asker: nameView(asker),
    reasons: reasonsOf(row.reason),
    ceilingMicros: row.ceilingMicros,
    sender: row.sender,
    recipientCount: row.recipients,
    countries: row.countries,
    asked,
    upstream: row.upstream,
    asking: timeView(row.createdAt, now),
    ends: timeView(row.expiresAt, now),
    decided: row.decidedAt && timeView(row.decidedAt, now),
  }
}
