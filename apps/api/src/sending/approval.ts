// Asks the owner of the account about a send, and uses up his answer.
import { randomUUID } from 'node:crypto'
import { approvalContext, writeAskedSend } from '@vertexsms/contract/approval'
import { Prisma } from '@vertexsms/db/client'
import { seal } from '@vertexsms/secrets/seal'
import { ApiError } from '../http/api-error.ts'
import type { ApprovalReason } from '../limits/judge.ts'
import type { Sender, SendingDeps } from './deps.ts'

/** How long the owner may take. */
export const APPROVAL_OPEN_SECONDS = 86_400

/** Questions of one spender that may be open. */
export const APPROVALS_OPEN_MAX = 5

/** What the owner is asked about. */
export interface AskedApproval {
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
  readonly enough: boolean
  readonly expiresAt: Date
}

/**
 * The approval of this very send. Throws APPROVAL_REQUIRED with the page on which the owner decides, APPROVAL_REFUSED while
 * his refusal holds, APPROVAL_EXPIRED once for one that was not given or used in time, TOO_MANY_WAITING.
 */
export async function requireApproval(deps: SendingDeps, asked: AskedApproval): Promise<Approved> {
  const { db, issuer } = deps
  const { sender, digest, priceMicros, manageUrl } = asked
  const upstream = deps.operator.name
  const [latest] = await db.$queryRaw<Row[]>`
    SELECT id::text AS id, state::text AS state, expires_at <= database_now() AS over,
           ceiling_micros >= ${priceMicros}::bigint AS enough, expires_at AS "expiresAt"
    FROM approval
    WHERE spender_id = ${sender.spenderId}::uuid AND digest = ${digest}::bytea AND upstream = ${upstream}
      AND generation = ${asked.generation}::int
    ORDER BY created_at DESC, id LIMIT 1`
  if (latest && (latest.state === 'pending' || latest.state === 'approved')) {
    if (latest.over) {
      await db.$executeRaw`
        UPDATE approval SET state = 'expired', sealed_text = NULL
        WHERE id = ${latest.id}::uuid AND state IN ('pending', 'approved')`
      throw new ApiError('APPROVAL_EXPIRED', { details: { approvalId: latest.id, manageUrl } })
    }
    if (latest.enough && latest.state === 'approved') return { id: latest.id, use: useOf(latest.id) }
    if (latest.enough) throw required(issuer, latest.id, latest.expiresAt)
    await db.$executeRaw`
      UPDATE approval SET state = 'expired', sealed_text = NULL
      WHERE id = ${latest.id}::uuid AND state IN ('pending', 'approved')`
  }
  if (latest?.state === 'refused' && !latest.over) {
    throw new ApiError('APPROVAL_REFUSED', { details: { approvalId: latest.id, manageUrl } })
  }
  const id = randomUUID()
  const text = writeAskedSend({ to: [...asked.to], text: asked.text })
  const sealed = seal(deps.keys['send-text'], text, approvalContext({ id, accountId: sender.accountId }))
  const [made] = await db.$queryRaw<{ expiresAt: Date }[]>`
    INSERT INTO approval (id, account_id, spender_id, upstream, generation, digest, state, ceiling_micros, reason,
                          recipients, countries, sender, sealed_text, created_at, expires_at)
    SELECT ${id}::uuid, ${sender.accountId}::uuid, ${sender.spenderId}::uuid, ${upstream}, ${asked.generation}::int,
           ${digest}::bytea, 'pending', ${priceMicros}::bigint, ${asked.reasons.join(' ')}, ${asked.to.length}::int,
           ${[...asked.countries]}::text[], ${asked.from}, ${sealed}::bytea, database_now(),
           database_now() + ${APPROVAL_OPEN_SECONDS}::int * interval '1 second'
    WHERE (
      SELECT count(*) FROM approval
      WHERE spender_id = ${sender.spenderId}::uuid AND state = 'pending' AND expires_at > database_now()
    ) < ${APPROVALS_OPEN_MAX}::int
    RETURNING expires_at AS "expiresAt"`
  if (!made) throw new ApiError('TOO_MANY_WAITING', { details: { max: APPROVALS_OPEN_MAX, manageUrl } })
  throw required(issuer, id, made.expiresAt)
}

function useOf(id: string): Approved['use'] {
  return (sendId) => Prisma.sql`
    UPDATE approval a SET state = 'used', send_id = ${sendId}::uuid FROM fitting
    WHERE a.id = ${id}::uuid AND a.state = 'approved' AND a.expires_at > database_now()
      AND a.ceiling_micros >= fitting.hold
    RETURNING a.id`
}

function required(issuer: string, approvalId: string, expiresAt: Date): ApiError {
  const approvalUrl = new URL(`/approvals/${approvalId}`, issuer).href
  return new ApiError('APPROVAL_REQUIRED', { details: { approvalId, approvalUrl, expiresAt: expiresAt.toISOString() } })
}
