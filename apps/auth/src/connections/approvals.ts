import {
  APPROVAL_GOOD_SECONDS,
  APPROVAL_OPEN_SECONDS,
  type AskedSend,
  approvalContext,
  readAskedSend,
} from '@vertexsms/contract/approval'
import { type Database, Prisma } from '@vertexsms/db/client'
import { open } from '@vertexsms/secrets/seal'
import { subkey } from '@vertexsms/secrets/subkey'
import { findHolder } from './holders.ts'
import { type NamedSpender, nameSpenders } from './names.ts'
import { IS_UNKNOWN } from './outcomes.ts'

type Approval = Prisma.ApprovalGetPayload<object>

/** Where an approval stands by the clock: `expired` for one that nobody decided or used in time. */
export type ApprovalStanding = 'pending' | 'approved' | 'refused' | 'expired' | 'used'

/**
 * Where an approved send stands, and whether that is what its owner wanted: all of it waits for its time, or all that was
 * not taken back or refused does; none of it is left; some goes out at this moment; nobody knows of some whether it went
 * out; some went out and the rest did not; or all of it went out.
 */
export const BECAME = {
  waits: 'good',
  waitsPartly: 'bad',
  undone: 'bad',
  going: 'good',
  unknown: 'bad',
  partly: 'bad',
  sent: 'good',
} as const satisfies Record<string, 'good' | 'bad'>
type BecameOfSend = keyof typeof BECAME

/** Why an approval is over that nobody refused or used. */
export type OverBecause = 'gone' | 'dearer' | 'unused' | 'unanswered'

/** An approval of an account with who asks, and the recipients and the text while it waits. */
export interface AskedApproval {
  readonly row: Approval
  readonly standing: ApprovalStanding
  /** The app or token that wants to send; null once it is gone. */
  readonly asker: NamedSpender | null
  /** Why it is over, where it is: what asked has ended or run out, it became dearer, it was not sent in time, or not decided in time. */
  readonly over: OverBecause | null
  /** True where nothing is left that could ask again. */
  readonly isGone: boolean
  readonly asked: AskedSend | null
  /** What became of the send that used it; null for any other, and where that is no longer kept. */
  readonly became: BecameOfSend | null
  /** What may be spent without asking, in micro-EUR, where that is set and this costs more: the lowest that holds. */
  readonly withoutAskingMicros: bigint | null
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
  const rows = await deps.db.spender.findMany({
    where: { id: { in: [row.spenderId, row.accountId] } },
    select: { id: true, endedAt: true, askAboveMicros: true },
  })
  const spender = rows.find(({ id }) => id === row.spenderId)
  const [withoutAskingMicros = null] = rows
    .flatMap(({ askAboveMicros: above }) => (above !== null && above < row.ceilingMicros ? [above] : []))
    .sort((one, other) => Number(one - other))
  const standing = standingOf(row, { isOver: row.expiresAt <= now || Boolean(spender?.endedAt) })
  const asked =
    standing === 'pending' && row.sealedText && !withoutText
      ? readAskedSend(open(subkey(deps.operatorKey, 'send-text'), row.sealedText, approvalContext(row)))
      : null
  const asker = (await nameSpenders(deps.db, row.accountId, [row.spenderId])).get(row.spenderId) ?? null
  const holder = asker && (await findHolder(deps.db, { id: asker.id, accountId: row.accountId }, now))
  const isGone = Boolean(spender?.endedAt) || !holder?.isAlive
  const over = standing === 'expired' ? overBecause(row, { isGone }) : null
  const became = row.sendId && standing === 'used' ? await becameOf(deps.db, row.sendId) : null
  return { row, standing, asker, over, isGone, asked, became, withoutAskingMicros }
}

async function becameOf(db: Database, sendId: string): Promise<BecameOfSend | null> {
  const [row] = await db.$queryRaw<[{ became: BecameOfSend | null }]>`
    SELECT CASE
      WHEN count(*) = 0 THEN NULL
      WHEN bool_and(m.state = 'released') THEN 'undone'
      WHEN bool_and(m.state = 'scheduled') THEN 'waits'
      WHEN bool_and(m.state IN ('scheduled', 'released')) THEN 'waitsPartly'
      WHEN bool_or(${IS_UNKNOWN} OR m.state = 'unknown' AND m.was_sent_at IS NULL) THEN 'unknown'
      WHEN bool_or(m.state IN ('scheduled', 'held', 'handed_over')) THEN 'going'
      WHEN bool_or(m.state = 'released') THEN 'partly'
      ELSE 'sent' END AS became
    FROM send_message m WHERE m.send_id = ${sendId}::uuid`
  return row.became
}

/** A condition: the approval `a` of an account is in that state, its time runs, and what asked can still send. */
const isOpen = (accountId: string, state: 'pending' | 'approved' | 'used') => Prisma.sql`
  a.account_id = ${accountId}::uuid AND a.state = ${state}::approval_state AND a.expires_at > database_now()
  AND NOT EXISTS (SELECT FROM spender s WHERE s.id = a.spender_id AND s.ended_at IS NOT NULL)`
const waitsFor = (accountId: string) => isOpen(accountId, 'pending')

/** How many approvals of an account wait for its owner. */
export async function countPending(db: Database, accountId: string): Promise<number> {
  const [row] = await db.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM approval a WHERE ${waitsFor(accountId)}`
  return row.count
}

/** The same of each spender that asks. */
export async function countPendingEach(db: Database, accountId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await db.$queryRaw<{ spenderId: string; count: number }[]>`
    SELECT a.spender_id::text AS "spenderId", count(*)::int AS count FROM approval a WHERE ${waitsFor(accountId)}
    GROUP BY a.spender_id`
  return new Map(rows.map(({ spenderId, count }) => [spenderId, count]))
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

/** The ids of the approvals of an account that may still be used, and so be withdrawn; those that end first before the others. */
export async function usableApprovals(db: Database, accountId: string, take: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id::text AS id FROM approval a WHERE ${isOpen(accountId, 'approved')}
    ORDER BY a.expires_at, a.id LIMIT ${take}::int`
  return rows.map(({ id }) => id)
}

/** The ids of the approvals of an account that neither wait nor can be used any more, the latest first. */
export async function closedApprovals(db: Database, accountId: string, take: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id::text AS id FROM approval a LEFT JOIN spender s ON s.id = a.spender_id
    WHERE a.account_id = ${accountId}::uuid
      AND (a.state IN ('refused', 'used') OR a.expires_at <= database_now() OR s.ended_at IS NOT NULL)
    ORDER BY coalesce(a.decided_at, least(a.expires_at, s.ended_at)) DESC, a.id LIMIT ${take}::int`
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
    UPDATE approval a SET state = ${verdict}::approval_state, decided_at = database_now(), sealed_text = NULL,
           expires_at = CASE WHEN ${verdict} = 'approved'
             THEN database_now() + ${APPROVAL_GOOD_SECONDS}::int * interval '1 second' ELSE a.expires_at END
    WHERE a.id = ${id}::uuid AND ${waitsFor(accountId)}`
  return decided === 1
}

/**
 * Refuses a send that was approved and has not used its approval: the row says which of the two came first, and the other
 * finds it so. The refusal holds as long as one given at once. A send that is under way uses it for the last time: what
 * VertexSMS refuses of it needs another approval. Call it in the transaction that holds the account. False when it was
 * sent, ran out, was never approved, is not the account's, or what asked has ended.
 */
export async function withdrawApproval(
  tx: Prisma.TransactionClient,
  { accountId, id }: { readonly accountId: string; readonly id: string },
): Promise<boolean> {
  // One statement: a send may begin or be refused while this one waits for the row, and each arm reads it as it is then.
  const [row] = await tx.$queryRaw<{ isWithdrawn: boolean }[]>`
    UPDATE approval a SET
      state = CASE a.state WHEN 'approved' THEN 'refused' ELSE a.state END,
      decided_at = CASE a.state WHEN 'approved' THEN database_now() ELSE a.decided_at END,
      expires_at = CASE a.state
        WHEN 'approved' THEN greatest(a.expires_at, a.created_at + ${APPROVAL_OPEN_SECONDS}::int * interval '1 second')
        ELSE database_now() END
    WHERE a.id = ${id}::uuid AND (${isOpen(accountId, 'approved')} OR ${isOpen(accountId, 'used')})
    RETURNING a.state = 'refused' AS "isWithdrawn"`
  return row?.isWithdrawn ?? false
}

/**
 * Refuses everything that one spender of an account has waiting. Call it in the transaction that holds the account. Returns
 * how many sends those were.
 */
export function refuseAllOf(
  tx: Prisma.TransactionClient,
  { accountId, spenderId }: { readonly accountId: string; readonly spenderId: string },
): Promise<number> {
  return tx.$executeRaw`
    UPDATE approval a SET state = 'refused', decided_at = database_now(), sealed_text = NULL
    WHERE a.spender_id = ${spenderId}::uuid AND ${waitsFor(accountId)}`
}

function overBecause(
  { state, createdAt, decidedAt, expiresAt }: Approval,
  { isGone }: { readonly isGone: boolean },
): OverBecause {
  if (isGone) return 'gone'
  const [since, seconds] = decidedAt ? [decidedAt, APPROVAL_GOOD_SECONDS] : [createdAt, APPROVAL_OPEN_SECONDS]
  // What its caller finds over is closed at its own time, what it finds too low before that.
  if (state === 'expired' && expiresAt.getTime() < since.getTime() + seconds * 1_000) return 'dearer'
  return decidedAt ? 'unused' : 'unanswered'
}

/** What was sent or refused stays so, whatever became of what asked. */
function standingOf({ state }: Approval, { isOver }: { readonly isOver: boolean }): ApprovalStanding {
  return (state === 'pending' || state === 'approved') && isOver ? 'expired' : state
}
