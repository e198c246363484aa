import {
  APPROVAL_GOOD_SECONDS,
  APPROVAL_OPEN_SECONDS,
  type AskedSend,
  approvalContext,
  readAskedSend,
} from '@vertexsms/contract/approval'
import { ACCOUNT_CHANGED } from '@vertexsms/contract/cancelled'
import type { Database, Prisma } from '@vertexsms/db/client'
import { open } from '@vertexsms/secrets/seal'
import { SealError, subkey } from '@vertexsms/secrets/subkey'
import { ASKER_SENDS, type AskerStanding, askerStandings } from './askers.ts'
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
export type OverBecause = 'gone' | 'scopeLost' | 'accountChanged' | 'withdrawn' | 'dearer' | 'unused' | 'unanswered'

/** An approval of an account with who asks, and the recipients and the text while it waits. */
export interface AskedApproval {
  readonly row: Approval
  readonly standing: ApprovalStanding
  /** The app or token that wants to send; null once it is gone. */
  readonly asker: NamedSpender | null
  /**
   * Why it is over, where it is: what asked has ended or run out, or may not send any more, the account sends by another
   * token or upstream, its owner withdrew it while it was under way, it became dearer, it was not sent in time, or not
   * decided in time.
   */
  readonly over: OverBecause | null
  /** True where nothing is left that could ask again. */
  readonly isGone: boolean
  readonly asked: AskedSend | null
  /** What became of the send that used it; null for any other, and where that is no longer kept. */
  readonly became: BecameOfSend | null
  /** What may be spent without asking, in micro-EUR, where that is set and this costs more: the lowest that holds. */
  readonly withoutAskingMicros: bigint | null
}

/** Where approvals are read, and the key that opens what they ask. */
interface ApprovalDeps {
  readonly db: Database
  readonly operatorKey: Uint8Array
}

/** With `hideUnreadable` a text that no key opens is left out, where it throws otherwise. */
interface ReadOptions {
  readonly hideUnreadable?: boolean
}

/** One approval of an account; null for what is not there, or another's. Throws SealError for a text of another key. */
export async function findApproval(
  deps: ApprovalDeps,
  { accountId, id }: { readonly accountId: string; readonly id: string },
  now: Date,
  options: ReadOptions = {},
): Promise<AskedApproval | null> {
  const [found = null] = await findApprovals(deps, { accountId, ids: [id] }, now, options)
  return found
}

/**
 * Approvals of an account in the order of their ids, without those that are not there, or another's: by the same few
 * questions one after another however many they are, so that one account's page leaves the database to the others. Throws
 * SealError for a text of another key.
 */
export async function findApprovals(
  { db, operatorKey }: ApprovalDeps,
  { accountId, ids }: { readonly accountId: string; readonly ids: readonly string[] },
  now: Date,
  { hideUnreadable = false }: ReadOptions = {},
): Promise<AskedApproval[]> {
  if (ids.length === 0) return []
  const rows = await db.approval.findMany({ where: { accountId, id: { in: [...ids] } } })
  const spenderIds = [...new Set(rows.map(({ spenderId }) => spenderId))]
  const spenders = await db.spender.findMany({
    where: { id: { in: [...spenderIds, accountId] } },
    select: { id: true, askAboveMicros: true },
  })
  const askers = await nameSpenders(db, accountId, spenderIds)
  const standings = await askerStandings(db, ids)
  const became = await becameOf(
    db,
    rows.flatMap(({ sendId, state }) => (sendId !== null && state === 'used' ? [sendId] : [])),
  )
  const readText = (row: Approval & { sealedText: NonNullable<Approval['sealedText']> }) => {
    try {
      return readAskedSend(open(subkey(operatorKey, 'send-text'), row.sealedText, approvalContext(row)))
    } catch (error) {
      if (hideUnreadable && error instanceof SealError) return null
      throw error
    }
  }
  const byId = new Map(
    rows.map((row): [string, AskedApproval] => {
      const ofAsker = standings.get(row.id) ?? 'gone'
      const isGone = ofAsker !== 'sends'
      const standing = standingOf(row, { isOver: row.expiresAt <= now || isGone })
      const { sealedText } = row
      const found = {
        row,
        standing,
        asker: askers.get(row.spenderId) ?? null,
        over: standing === 'expired' ? overBecause(row, ofAsker) : null,
        isGone,
        asked: standing === 'pending' && sealedText ? readText({ ...row, sealedText }) : null,
        became: (row.sendId !== null && standing === 'used' && became.get(row.sendId)) || null,
        withoutAskingMicros: lowestAskAbove(row, spenders),
      }
      return [row.id, found]
    }),
  )
  return ids.flatMap((id) => byId.get(id) ?? [])
}

function lowestAskAbove(
  { spenderId, accountId, ceilingMicros }: Approval,
  spenders: readonly { readonly id: string; readonly askAboveMicros: bigint | null }[],
): bigint | null {
  const [lowest = null] = spenders
    .filter(({ id }) => id === spenderId || id === accountId)
    .flatMap(({ askAboveMicros: above }) => (above !== null && above < ceilingMicros ? [above] : []))
    .sort((one, other) => Number(one - other))
  return lowest
}

async function becameOf(db: Database, sendIds: readonly string[]): Promise<ReadonlyMap<string, BecameOfSend>> {
  if (sendIds.length === 0) return new Map()
  const rows = await db.$queryRaw<{ sendId: string; became: BecameOfSend }[]>`
    SELECT m.send_id::text AS "sendId", CASE
      WHEN bool_and(m.state = 'released') THEN 'undone'
      WHEN bool_and(m.state = 'scheduled') THEN 'waits'
      WHEN bool_and(m.state IN ('scheduled', 'released')) THEN 'waitsPartly'
      WHEN bool_or(${IS_UNKNOWN} OR m.state = 'unknown' AND m.was_sent_at IS NULL) THEN 'unknown'
      WHEN bool_or(m.state IN ('scheduled', 'held', 'handed_over')) THEN 'going'
      WHEN bool_or(m.state = 'released') THEN 'partly'
      ELSE 'sent' END AS became
    FROM send_message m WHERE m.send_id = ANY(${[...sendIds]}::uuid[]) GROUP BY m.send_id`
  return new Map(rows.map(({ sendId, became }) => [sendId, became]))
}

/** The ids of the approvals of an account that neither wait nor can be used any more, the latest first. */
export async function closedApprovals(db: Database, accountId: string, take: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT a.id::text AS id FROM approval a LEFT JOIN spender s ON s.id = a.spender_id
    WHERE a.account_id = ${accountId}::uuid
      AND (a.state IN ('refused', 'used') OR a.expires_at <= database_now() OR NOT ${ASKER_SENDS})
    ORDER BY coalesce(a.decided_at, least(a.expires_at, s.ended_at)) DESC, a.id LIMIT ${take}::int`
  return rows.map(({ id }) => id)
}

function overBecause(
  { state, reason, createdAt, decidedAt, expiresAt, scheduledAt }: Approval,
  ofAsker: AskerStanding,
): OverBecause {
  if (ofAsker !== 'sends') return ofAsker === 'gone' ? 'gone' : 'scopeLost'
  if (reason.split(' ').includes(ACCOUNT_CHANGED)) return 'accountChanged'
  // As withdrawApproval leaves it.
  if (decidedAt?.getTime() === expiresAt.getTime()) return 'withdrawn'
  const [since, seconds] = decidedAt ? [decidedAt, APPROVAL_GOOD_SECONDS] : [createdAt, APPROVAL_OPEN_SECONDS]
  const ownEnd = Math.min(since.getTime() + seconds * 1_000, scheduledAt?.getTime() ?? Number.POSITIVE_INFINITY)
  // What its caller finds over is closed at its own time, what it finds too low before that.
  if (state === 'expired' && expiresAt.getTime() < ownEnd) return 'dearer'
  return decidedAt ? 'unused' : 'unanswered'
}

/** What was sent or refused stays so, whatever became of what asked. */
function standingOf({ state }: Approval, { isOver }: { readonly isOver: boolean }): ApprovalStanding {
  return (state === 'pending' || state === 'approved') && isOver ? 'expired' : state
}
