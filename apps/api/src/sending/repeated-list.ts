// What the repeat of a list by its key is told of recipients for whom the first call wrote no message.
import { ApiError } from '../http/api-error.ts'
import { readSpenders } from '../ledger/spenders.ts'
import { judgeCountry } from '../limits/judge.ts'
import type { BatchOutcome } from './answers.ts'
import type { Sender, SendingDeps } from './deps.ts'
import { type Recipient, recipientsOf, type SmsPlan } from './request.ts'
import { type MessageRow, messagesOfFingerprints } from './rows.ts'

/** Rows by their international number. */
export function byNumber(rows: readonly MessageRow[]): Map<string, MessageRow> {
  return new Map(rows.map((row) => [row.recipient, row]))
}

/**
 * The outcome of a list whose key stands, for every recipient: the message of this send, else the one of an earlier call
 * that the first answer told of, however long ago that was; else the refusal that the limits have for its country. Never
 * `not_sent` for who got the message.
 */
export async function repeatedList(
  deps: Pick<SendingDeps, 'db' | 'operator' | 'issuer'>,
  { drafts }: SmsPlan,
  sender: Sender,
  rows: readonly MessageRow[],
  fingerprintOf: ((recipient: Recipient) => Uint8Array) | null,
): Promise<BatchOutcome> {
  const known = byNumber(rows)
  const refused = new Map<number, ApiError>()
  const without = recipientsOf(drafts).filter(({ msisdn }) => !known.has(msisdn))
  if (fingerprintOf !== null && without.length > 0) {
    const earlier = await messagesOfFingerprints(deps.db, without.map(fingerprintOf), 'any')
    for (const [number, row] of byNumber(earlier)) known.set(number, row)
  }
  const rest = without.filter(({ msisdn }) => !known.has(msisdn))
  if (rest.length > 0) {
    const { spenders } = await readSpenders(deps.db, sender, deps.operator.name, sender.now())
    const limits = spenders.map((spender) => spender.limits)
    for (const { position, country } of rest) {
      const refusal = judgeCountry(limits, country, deps.issuer)
      if (refusal !== null) refused.set(position, new ApiError(refusal.code, { details: refusal.details }))
    }
  }
  const replayed = new Set(drafts.map(({ position }) => position))
  return { sendId: rows.find(({ isEarlier }) => !isEarlier)?.sendId ?? null, drafts, rows: known, refused, replayed }
}
