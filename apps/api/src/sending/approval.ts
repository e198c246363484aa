// Asks the owner of the account about a send, and uses up his answer.
import { randomUUID } from 'node:crypto'
import { APPROVAL_OPEN_SECONDS, type AskedKind, approvalContext, writeAskedSend } from '@vertexsms/contract/approval'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { type Database, Prisma } from '@vertexsms/db/client'
import { seal } from '@vertexsms/secrets/seal'
import { ApiError } from '../http/api-error.ts'
import type { ApprovalReason } from '../limits/judge.ts'
import type { Sender, SendingDeps } from './deps.ts'

/** Questions of one spender that may be open. */
const APPROVALS_OPEN_MAX = 5

/** What the owner is asked about. */
export interface AskedApproval {
  readonly kind: AskedKind
  readonly sender: Sender
  readonly generation: number
  readonly digest: Uint8Array
  /** A send dearer than this asks anew. */
  readonly priceMicros: bigint
  readonly reasons: readonly ApprovalReason[]
  readonly manageUrl: string
  readonly to: readonly string[]
  readonly countries: readonly string[]
  readonly from: string
  readonly text: string
  /** Null for at once. */
  readonly scheduledAt: Date | null
}

/** An approval that holds, and how the admitting statement uses it up. */
export interface Approved {
  readonly id: string
  /** An UPDATE that reads FROM fitting(hold). */
  readonly use: (sendId: string) => Prisma.Sql
}

interface Row {
  readonly id: string
  readonly state: 'pending' | 'approved' | 'refused' | 'expired' | 'used'
  readonly over: boolean
  readonly ceilingMicros: bigint
  readonly expiresAt: Date
}

/**
 * The approval of this very send. Throws APPROVAL_REQUIRED with the page on which the owner decides, APPROVAL_REFUSED while
 * his refusal holds, APPROVAL_EXPIRED once for one that was not given or used in time, TOO_MANY_WAITING.
 */
export async function requireApproval(deps: SendingDeps, asked: AskedApproval): Promise<Approved> {
  const { issuer } = deps
  const { priceMicros, manageUrl } = asked
  for (let look = 1; look <= LOOKS; look++) {
    const latest = await latestOf(deps, asked)
    if (latest?.state === 'refused' && !latest.over) {
      throw new ApiError('APPROVAL_REFUSED', { details: { approvalId: latest.id, manageUrl } })
    }
    const isOpen = latest?.state === 'pending' || latest?.state === 'approved'
    if (latest && isOpen && latest.over) {
      // Of calls that come together one is told.
      if (!(await close(deps.db, latest.id))) continue
      throw new ApiError('APPROVAL_EXPIRED', { details: { approvalId: latest.id, manageUrl } })
    }
    if (latest && isOpen && latest.ceilingMicros >= priceMicros) {
      if (latest.state === 'approved') return { id: latest.id, use: useOf(latest.id) }
      throw required(issuer, latest.id, latest.expiresAt)
    }
    // What was asked at a lower price is over: the owner is asked about this one.
    if (latest && isOpen) await close(deps.db, latest.id)
    const made = await ask(deps, asked)
    if (made) throw required(issuer, made.id, made.expiresAt)
  }
  throw new ApiError('TOO_MANY_WAITING', { details: { max: APPROVALS_OPEN_MAX, manageUrl } })
}

/** What a send that asks would be refused with; null while the owner's approval of it, at this price, waits to be used. */
export async function withoutApproval(
  deps: SendingDeps,
  asked: Pick<AskedApproval, 'sender' | 'generation' | 'digest' | 'priceMicros'>,
): Promise<'APPROVAL_REQUIRED' | 'APPROVAL_REFUSED' | null> {
  const latest = await latestOf(deps, asked)
  if (latest?.state === 'refused' && !latest.over) return 'APPROVAL_REFUSED'
  const holds = latest?.state === 'approved' && !latest.over && latest.ceilingMicros >= asked.priceMicros
  return holds ? null : 'APPROVAL_REQUIRED'
}

/** Somebody else may just have closed what is over, and where none could be made have asked the same; then it is found. */
const LOOKS = 3

async function latestOf(
  deps: SendingDeps,
  { sender, digest, generation }: Pick<AskedApproval, 'sender' | 'generation' | 'digest'>,
): Promise<Row | undefined> {
  const [latest] = await deps.db.$queryRaw<Row[]>`
    SELECT id::text AS id, state::text AS state, expires_at <= database_now() AS over, ceiling_micros AS "ceilingMicros",
           expires_at AS "expiresAt"
    FROM approval
    WHERE spender_id = ${sender.spenderId}::uuid AND digest = ${digest}::bytea AND upstream = ${deps.operator.name}
      AND generation = ${generation}::int
    ORDER BY created_at DESC, id LIMIT 1`
  return latest
}

/** Its time is over as well: what ends before it does so for its price. False where it was closed, decided or used before. */
async function close(db: Database, id: string): Promise<boolean> {
  const closed = await db.$executeRaw`
    UPDATE approval SET state = 'expired', sealed_text = NULL, expires_at = least(expires_at, database_now())
    WHERE id = ${id}::uuid AND state IN ('pending', 'approved')`
  return closed > 0
}

/**
 * Asks the owner; undefined where the same is asked already, too much is asked, or he has refused it, as he may while what is
 * too low for it is closed.
 */
async function ask(deps: SendingDeps, asked: AskedApproval): Promise<Pick<Row, 'id' | 'expiresAt'> | undefined> {
  const { db } = deps
  const { sender, digest, priceMicros, generation } = asked
  const id = randomUUID()
  const reason = [...asked.reasons, ...(asked.kind === 'sms' ? [] : [asked.kind])].join(' ')
  const text = writeAskedSend({ to: [...asked.to], text: asked.text })
  const sealed = seal(deps.keys['send-text'], text, approvalContext({ id, accountId: sender.accountId }))
  // The lock in a statement of its own: the next one then sees what others asked while this one waited.
  const [, [made]] = await db.$transaction([
    db.$queryRaw`SELECT id::text FROM spender WHERE id = ${sender.spenderId}::uuid FOR NO KEY UPDATE`,
    db.$queryRaw<Pick<Row, 'id' | 'expiresAt'>[]>`
      INSERT INTO approval (id, account_id, spender_id, upstream, generation, digest, state, ceiling_micros, reason,
                            recipients, countries, sender, scheduled_at, sealed_text, created_at, expires_at)
      SELECT ${id}::uuid, ${sender.accountId}::uuid, ${sender.spenderId}::uuid, ${deps.operator.name}, ${generation}::int,
             ${digest}::bytea, 'pending', ${priceMicros}::bigint, ${reason}, ${asked.to.length}::int,
             ${[...asked.countries]}::text[], ${asked.from}, ${asked.scheduledAt}::timestamptz, ${sealed}::bytea, database_now(),
             least(database_now() + ${APPROVAL_OPEN_SECONDS}::int * interval '1 second', ${asked.scheduledAt}::timestamptz)
      WHERE (
        SELECT count(*) FROM approval
        WHERE spender_id = ${sender.spenderId}::uuid AND state = 'pending' AND expires_at > database_now()
      ) < ${APPROVALS_OPEN_MAX}::int AND NOT EXISTS (
        SELECT FROM approval
        WHERE spender_id = ${sender.spenderId}::uuid AND digest = ${digest}::bytea AND upstream = ${deps.operator.name}
          AND generation = ${generation}::int AND state IN ('pending', 'approved', 'refused')
          AND expires_at > database_now()
      )
      RETURNING id::text AS id, expires_at AS "expiresAt"`,
  ])
  return made
}

/** Removes the texts of approvals that are over, and of those whose spender has ended. Returns how many those were. */
export function forgetAskedTexts(db: Database, rows: number): Promise<number> {
  return db.$executeRaw`
    UPDATE approval SET sealed_text = NULL WHERE id IN (
      SELECT a.id FROM approval a WHERE a.sealed_text IS NOT NULL AND (
        a.expires_at <= database_now()
        OR EXISTS (SELECT FROM spender s WHERE s.id IN (a.spender_id, a.account_id) AND s.ended_at IS NOT NULL))
      LIMIT ${rows}::int FOR UPDATE OF a SKIP LOCKED)`
}

function useOf(id: string): Approved['use'] {
  return (sendId) => Prisma.sql`
    UPDATE approval a SET state = 'used', send_id = ${sendId}::uuid FROM fitting
    WHERE a.id = ${id}::uuid AND a.state = 'approved' AND a.expires_at > database_now()
      AND a.ceiling_micros >= fitting.hold
    RETURNING a.id`
}

function required(issuer: string, approvalId: string, expiresAt: Date): ApiError {
  const approvalUrl = new URL(`${PAGE_PATHS.approvals}/${approvalId}`, issuer).href
  return new ApiError('APPROVAL_REQUIRED', { details: { approvalId, approvalUrl, expiresAt: expiresAt.toISOString() } })
}
