// Which approvals of an account its owner can still decide, and what becomes of one that he does. What is read of them to be
// shown is approvals.ts.
import { APPROVAL_GOOD_SECONDS, APPROVAL_OPEN_SECONDS } from '@vertexsms/contract/approval'
import { type Database, Prisma } from '@vertexsms/db/client'
import { ASKER_SENDS } from './askers.ts'

/** A condition: the approval `a` of an account is in that state, its time runs, and what asked can still use it. */
const isOpen = (accountId: string, state: 'pending' | 'approved' | 'used') => Prisma.sql`
  a.account_id = ${accountId}::uuid AND a.state = ${state}::approval_state AND a.expires_at > database_now()
  AND ${ASKER_SENDS}`
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

/**
 * The owner's word on an approval that waits, once: call it in the transaction that holds the account. Approved it is good
 * for {@link APPROVAL_GOOD_SECONDS} from now, at most until its time where it has one, and the recipients and the text go
 * in either case. False when it was decided before, ran out, is not the account's, or what asked has ended, ran out or may
 * not send.
 */
export async function decideApproval(
  tx: Prisma.TransactionClient,
  { accountId, id }: { readonly accountId: string; readonly id: string },
  verdict: 'approved' | 'refused',
): Promise<boolean> {
  const decided = await tx.$executeRaw`
    UPDATE approval a SET state = ${verdict}::approval_state, decided_at = database_now(), sealed_text = NULL,
           expires_at = CASE WHEN ${verdict} = 'approved'
             THEN least(database_now() + ${APPROVAL_GOOD_SECONDS}::int * interval '1 second', a.scheduled_at)
             ELSE a.expires_at END
    WHERE a.id = ${id}::uuid AND ${waitsFor(accountId)}`
  return decided === 1
}

/**
 * Refuses a send that was approved and has not used its approval: the row says which of the two came first, and the other
 * finds it so. The refusal holds as long as one given at once. A send that is under way uses it for the last time, for it
 * ends as it was decided: what VertexSMS refuses of it needs another approval. Call it in the transaction that holds the
 * account. False when it was sent, ran out, was never approved, is not the account's, or what asked has ended, ran out or may
 * not send.
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
        ELSE coalesce(a.decided_at, database_now()) END
    WHERE a.id = ${id}::uuid AND (${isOpen(accountId, 'approved')} OR ${isOpen(accountId, 'used')})
    RETURNING a.state = 'refused' AS "isWithdrawn"`
  return row?.isWithdrawn ?? false
}

/**
 * True where an approval of the account stands as that word leaves it: an approved one only while it may still be used, and
 * one that was withdrawn is refused.
 */
export async function standsSo(
  tx: Prisma.TransactionClient,
  { accountId, id }: { readonly accountId: string; readonly id: string },
  verdict: 'approved' | 'refused' | 'withdrawn',
): Promise<boolean> {
  const stands =
    verdict === 'approved'
      ? isOpen(accountId, verdict)
      : Prisma.sql`a.account_id = ${accountId}::uuid AND a.state = 'refused'`
  const rows = await tx.$queryRaw<unknown[]>`SELECT 1 FROM approval a WHERE a.id = ${id}::uuid AND ${stands}`
  return rows.length > 0
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
