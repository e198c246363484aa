import { APPROVAL_GOOD_SECONDS, type AskedSend, approvalContext, readAskedSend } from '@vertexsms/contract/approval'
import { type Database, Prisma } from '@vertexsms/db/client'
import { open } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import { type NamedSpender, nameSpenders } from './names.ts'

type Approval = Prisma.ApprovalGetPayload<object>

/** Where an approval stands by the clock: `expired` for one that nobody decided or used in time. */
export type ApprovalStanding = 'pending' | 'approved' | 'refused' | 'expired' | 'used'

/** An approval of an account with who asks, and the recipients and the text while it waits. */
export interface AskedApproval {
  readonly row: Approval
  readonly standing: ApprovalStanding
  /** The app or token that wants to send; null once it is gone. */
  readonly asker: NamedSpender | null
  readonly asked: AskedSend | null
}

/**
 * One approval of an account; null for what is not there, or another's. Throws SealError for a text of another key, which
 * `withoutText` leaves alone.
 */
export async function findApproval(
  deps: { readonly db: Database; readonly operatorKey: Uint8Array },
  of: { readonly accountId: string; readonly id: string },
  now: Date,
  { withoutText = false }: { readonly withoutText?: boolean } = {},
): Promise<AskedApproval | null> {
  const row = await deps.db.approval.findFirst({ where: of })
  if (!row) return null
  const spender = await deps.db.spender.findUnique({ where: { id: row.spenderId }, select: { endedAt: true } })
  const standing = spender?.endedAt ? 'expired' : standingOf(row, now)
  const asked =
    standing === 'pending' && row.sealedText && !withoutText
      ? readAskedSend(open(subkey(deps.operatorKey, 'send-text'), row.sealedText, approvalContext(row)))
      : null
  const asker = (await nameSpenders(deps.db, row.accountId, [row.spenderId])).get(row.spenderId) ?? null
  return { row, standing, asker, asked }
}

/** A condition: the approval `a` of an account waits for its owner, and what asked can still send. */
const waitsFor = (accountId: string) => Prisma.sql`
  a.account_id = ${accountId}::uuid AND a.state = 'pending' AND a.expires_at > database_now()
  AND NOT EXISTS (SELECT FROM spender s WHERE s.id = a.spender_id AND s.ended_at IS NOT NULL)`

/** How many approvals of an account wait for its owner. */
export async function countPending(db: Database, accountId: string): Promise<number> {
  const [row] = await db.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM approval a WHERE ${waitsFor(accountId)}`
  return row.count
}

/** The ids of the approvals of an account that wait for its owner, those that end first before the others. */
export async function pendingApprovals(
  db: Database,
  accountId: string,
  { skip, take }: { readonly skip: number; readonly take: number },
): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id::text AS id FROM approval a WHERE ${waitsFor(accountId)}
    ORDER BY a.expires_at, a.id OFFSET ${skip}::int LIMIT ${take}::int`
  return rows.map(({ id }) => id)
}

/**
 * The owner's word on an approval that waits, once: call it in the transaction that holds the account. Approved it is good
 * for {@link APPROVAL_GOOD_SECONDS} from now, and the recipients and the text go in either case. False when it was
 * decided before, ran out, is not the account's, or what asked has ended.
 */
export async function decideApproval(
  tx: Prisma.TransactionClient,
  { accountId, id }: { readonly accountId: string; readonly id: string },
  verdict: 'approved' | 'refused',
): Promise<boolean> {
  const decided = await tx.$executeRaw`
    UPDATE approval SET state = ${verdict}::approval_state, decided_at = database_now(), sealed_text = NULL,
           expires_at = CASE WHEN ${verdict} = 'approved'
             THEN database_now() + ${APPROVAL_GOOD_SECONDS}::int * interval '1 second' ELSE expires_at END
    WHERE id = ${id}::uuid AND account_id = ${accountId}::uuid AND state = 'pending' AND expires_at > database_now()
      AND NOT EXISTS (SELECT FROM spender s WHERE s.id = approval.spender_id AND s.ended_at IS NOT NULL)`
  return decided === 1
}

function standingOf({ state, expiresAt }: Approval, now: Date): ApprovalStanding {
  return (state === 'pending' || state === 'approved') && expiresAt <= now ? 'expired' : state
}
