import { databaseNow } from '@vertexsms/db/clock'
import type { FastifyInstance } from 'fastify'
import { accountTransaction, lockSession } from '../accounts/account-lock.ts'
import { decideApproval, findApproval } from '../connections/approvals.ts'
import { eur } from '../connections/limit-words.ts'
import { countryName } from '../connections/limits.ts'
import type { WebDeps } from '../web/deps.ts'
import { textField } from '../web/fields.ts'
import { sendPage } from '../web/page.ts'
import { signedInOf, viewerOf } from '../web/require-session.ts'
import { signInPath } from '../web/return-to.ts'
import { timeView } from '../web/times.ts'

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** Why a send was asked about, by the words in its row. */
const REASONS: Readonly<Record<string, string>> = {
  price: 'It costs more than you let it spend without asking.',
  country: 'It goes to a country that it never sent to.',
}

function reasonsOf(words: string): string {
  const known = words.split(/\W+/).flatMap((word) => (Object.hasOwn(REASONS, word) ? [REASONS[word]] : []))
  return known.length > 0 ? known.join(' ') : 'You asked to be asked.'
}

const VERDICTS = { approve: 'approved', refuse: 'refused' } as const

interface ApprovalParams {
  Params: { approvalId: string }
}

/** `/approvals/{id}`: one send that waits for its owner, decided here and nowhere else in a browser. */
export function registerApprovals(app: FastifyInstance, deps: WebDeps): void {
  app.get<ApprovalParams>('/approvals/:approvalId', async (request, reply) => {
    const { approvalId: id } = request.params
    const now = await databaseNow(deps.db)
    const accountId = signedInOf(request).account.id
    const found = UUID.test(id) ? await findApproval(deps, { accountId, id }, now) : null
    if (!found) return reply.callNotFound()
    const { row, standing, askedBy, asked } = found
    return sendPage(reply, 'approval', {
      viewer: viewerOf(deps, request),
      formAction: `/approvals/${id}`,
      standing,
      askedBy,
      reason: reasonsOf(row.reason),
      ceiling: eur(row.ceilingMicros),
      sender: row.sender,
      recipientCount: row.recipients,
      countries: row.countries.map((code) => countryName(code) ?? code),
      asked,
      upstream: row.upstream,
      asking: timeView(row.createdAt, now),
      ends: timeView(row.expiresAt, now),
      decided: row.decidedAt && timeView(row.decidedAt, now),
    })
  })

  app.post<ApprovalParams>('/approvals/:approvalId', async (request, reply) => {
    const { approvalId: id } = request.params
    const { account, sessionId } = signedInOf(request)
    const word = textField(request, 'decision')
    const verdict = Object.hasOwn(VERDICTS, word) ? VERDICTS[word as keyof typeof VERDICTS] : null
    const own = { accountId: account.id, id }
    if (!UUID.test(id) || (await deps.db.approval.count({ where: own })) === 0) return reply.callNotFound()
    const isSignedIn = await accountTransaction(deps.db, async (tx) => {
      if (!(await lockSession(tx, { accountId: account.id, sessionId }))) return false
      // A second click, or one too late, changes nothing; the page then says how it stands.
      if (verdict) await decideApproval(tx, own, verdict)
      return true
    })
    return reply.redirect(isSignedIn ? `/approvals/${id}` : signInPath(`/approvals/${id}`), 303)
  })
}
