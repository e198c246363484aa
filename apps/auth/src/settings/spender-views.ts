import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Database } from '@vertexsms/db/client'
import { type Pauses, pauseOf } from '@vertexsms/db/paused'
import { nameSpenders } from '../connections/names.ts'
import { unknownMessages } from '../connections/outcomes.ts'
import { type Naming, whoOf } from '../connections/who.ts'
import type { EndedReason, FiredRule, PauseView, UnknownView } from '../views/spender.ts'
import { timeView } from '../web/times.ts'

/** Messages of unknown outcome that a page asks about at once. */
const UNKNOWN_ROWS = 20

/** Those of an account, or of one spender of it, that its owner is asked about, the oldest first. */
export async function unknownViews(
  db: Database,
  of: { readonly accountId: string; readonly spenderId?: string },
  now: Date,
  naming: Naming,
): Promise<{ readonly unknown: UnknownView[]; readonly hasMoreUnknown: boolean }> {
  const found = await unknownMessages(db, of, UNKNOWN_ROWS + 1)
  const shown = found.slice(0, UNKNOWN_ROWS)
  const names = await nameSpenders(
    db,
    of.accountId,
    shown.map(({ spenderId }) => spenderId),
  )
  return {
    unknown: shown.map(({ id, spenderId, handedAt, ...rest }) => ({
      ...rest,
      id: String(id),
      who: whoOf(names.get(spenderId), naming),
      handed: timeView(handedAt, now),
    })),
    hasMoreUnknown: found.length > shown.length,
  }
}

/**
 * Who paused a spender, since when and why; null for one that may spend. Where a rule did as well as its owner it is the
 * rule that is shown: whoever resumes ends both, and is to have seen it.
 */
export function pauseView(row: Pauses & { readonly autoPausedReason: string | null }, now: Date): PauseView | null {
  const by = pauseOf({ ...row, pausedAt: null }) ?? pauseOf(row)
  const since = by === 'owner' ? row.pausedAt : row.autoPausedAt
  return (
    by &&
    since && { by, since: timeView(since, now), rule: ruleOf(row.autoPausedReason), lastAutomatic: row.autoPausedAt }
  )
}

function ruleOf(word: string | null): FiredRule {
  return word !== null && Object.hasOwn(PAUSE_RULES, word) ? (word as keyof typeof PAUSE_RULES) : 'other'
}

const REASONS: ReadonlySet<string> = new Set<EndedReason>([
  'deleted',
  'revoked',
  'refresh_reuse',
  'code_replay',
  'account',
  'replaced',
])

/** When a connection ended and why; null for one that goes on. */
export function endOf(
  row: { readonly endedAt: Date | null; readonly endedReason: string | null; readonly expiresAt: Date },
  now: Date,
): { readonly at: Date; readonly reason: EndedReason } | null {
  const { endedAt, endedReason, expiresAt } = row
  if (endedAt) return { at: endedAt, reason: REASONS.has(endedReason ?? '') ? (endedReason as EndedReason) : 'other' }
  return expiresAt <= now ? { at: expiresAt, reason: 'expired' } : null
}
