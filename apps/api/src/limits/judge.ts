// Whether limits allow a send, without touching anything. The admitting statement checks the caps once more where it moves
// the counters, under their locks; this side says why it refused, and what is left.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { CAPS, type Cap, CURRENCY, type SPENDERS } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { spenderPath } from '@vertexsms/contract/page-paths'
import { readPhoneText } from '@vertexsms/contract/phone-text'
import type { SpenderLimits as Limits } from '@vertexsms/contract/spender-limits'
import { pauseOf } from '@vertexsms/db/paused'
import type { OwnersDay } from './days.ts'

/** On whom a limit is set. */
export type SpenderKind = (typeof SPENDERS)[number]

/** What one spender may do, and whose it is. */
export interface SpenderLimits extends Limits {
  readonly id: string
  readonly kind: SpenderKind
  /** Of the connection that spends now; null for the account and for a token made by hand. */
  readonly connectionId: string | null
  /** A send above it wants the owner's approval; null is no limit. */
  readonly askAboveMicros: bigint | null
  readonly askNewCountry: boolean
  readonly pausedAt: Date | null
  readonly resumedAt: Date | null
  readonly autoPausedAt: Date | null
}

/** What was spent and is held. */
export interface SpenderCounters {
  /** The owner's day of the day members, `YYYY-MM-DD`. */
  readonly day: string
  readonly daySpentMicros: bigint
  readonly dayHeldMicros: bigint
  readonly dayRecipients: number
  readonly totalSpentMicros: bigint
  readonly totalHeldMicros: bigint
}

/** A spender and its counters of one upstream; null before its first send. */
export interface Spender {
  readonly limits: SpenderLimits
  readonly counters: SpenderCounters | null
}

/** A refusal by limits; `details` are those of its code in the contract. */
export interface Refusal {
  readonly code: ApiErrorCode
  readonly details: Readonly<Record<string, unknown>>
  /** In place of the code's own sentence. */
  readonly message?: string
}

/** The limit of money that refused, for the activity; null where another rule did. */
export function capOf({ details }: Refusal): Cap | null {
  return CAPS.find((cap) => cap === details.limit) ?? null
}

/** What a send asks of the caps. */
export interface Asked {
  /** Of the whole send. */
  readonly priceMicros: bigint
  readonly recipients: number
  /** Only the total counts at the acceptance of a scheduled send; its day is that of its hand-over. */
  readonly scheduled: boolean
}

/** Where the person changes a limit: the page of the very connection, token or account. */
export function manageUrl(
  issuer: string,
  { id, kind, connectionId }: Pick<SpenderLimits, 'id' | 'kind' | 'connectionId'>,
): string {
  // The spender of a token made by hand has the token's id.
  const path = spenderPath({ kind, id: connectionId ?? id })
  return new URL(path, issuer).href
}

/** CONNECTION_PAUSED while one of the spenders is paused. */
export function judgePause(spenders: readonly SpenderLimits[], issuer: string): Refusal | null {
  for (const spender of spenders) {
    const by = pauseOf(spender)
    if (by === null) continue
    return { code: 'CONNECTION_PAUSED', details: { of: spender.kind, by, manageUrl: manageUrl(issuer, spender) } }
  }
  return null
}

/**
 * DESTINATION_NOT_ALLOWED for a country that is not on a list. `country` is what the numbering plans say of the number
 * itself, so that Jersey, Kazakhstan or Jamaica is not let in by +44, +7 or +1; `operatorCountry` is what the upstream
 * says, where it was asked. With a list, a country that is not known or not the same for both is refused.
 */
export function judgeCountry(
  spenders: readonly SpenderLimits[],
  country: string | null,
  issuer: string,
  operatorCountry: string | null = country,
): Refusal | null {
  for (const spender of spenders) {
    const { countries } = spender
    if (countries.length === 0) continue
    if (country !== null && country === operatorCountry && countries.includes(country)) continue
    return { code: 'DESTINATION_NOT_ALLOWED', details: { country, manageUrl: manageUrl(issuer, spender) } }
  }
  return null
}

/** SENDER_NOT_ALLOWED for a sender that is not on a list; names are compared letter by letter, numbers by their digits. */
export function judgeSender(spenders: readonly SpenderLimits[], from: string, issuer: string): Refusal | null {
  for (const spender of spenders) {
    const { senders } = spender
    if (senders.length === 0 || senders.some((allowed) => senderKey(allowed) === senderKey(from))) continue
    return { code: 'SENDER_NOT_ALLOWED', details: { from, manageUrl: manageUrl(issuer, spender) } }
  }
  return null
}

function senderKey(sender: string): string {
  const read = readPhoneText(sender)
  return typeof read === 'string' ? sender.trim() : read.digits
}

/** Whether a limit of money stands, so that a send whose price cannot be had must not go. */
function isCapped({ maxPerSendMicros, maxPerDayMicros, maxTotalMicros, askAboveMicros }: SpenderLimits): boolean {
  return [maxPerSendMicros, maxPerDayMicros, maxTotalMicros, askAboveMicros].some((limit) => limit !== null)
}

/** PRICE_UNKNOWN where a limit of money stands: nothing that cannot be counted passes it. */
export function judgeUnknownPrice(
  spenders: readonly SpenderLimits[],
  country: string | null,
  issuer: string,
): Refusal | null {
  const capped = spenders.find(isCapped)
  return capped ? { code: 'PRICE_UNKNOWN', details: { country, manageUrl: manageUrl(issuer, capped) } } : null
}

/**
 * SPEND_CAP_REACHED or RECIPIENTS_REACHED where the counters and what is asked would pass a limit together. Must say the
 * same as the admitting statement: spent and held count alike, a later day begins at nothing, and reaching a limit to the
 * last micro is allowed.
 */
export function judgeCaps(
  spenders: readonly Spender[],
  asked: Asked,
  today: OwnersDay,
  issuer: string,
): Refusal | null {
  for (const { limits, counters } of spenders) {
    const { day, total, recipients } = usedOf(counters, today)
    const url = manageUrl(issuer, limits)
    const used = { per_send: 0n, per_day: day, total }
    const max = { per_send: limits.maxPerSendMicros, per_day: limits.maxPerDayMicros, total: limits.maxTotalMicros }
    for (const limit of CAPS) {
      const most = max[limit]
      if (most === null || (limit === 'per_day' && asked.scheduled) || used[limit] + asked.priceMicros <= most) continue
      return {
        code: 'SPEND_CAP_REACHED',
        details: {
          limit,
          of: limits.kind,
          max: toEurText(most),
          spent: toEurText(used[limit]),
          price: toEurText(asked.priceMicros),
          currency: CURRENCY,
          resetsAt: limit === 'per_day' ? today.endsAt.toISOString() : null,
          manageUrl: url,
        },
      }
    }
    const most = limits.recipientsPerDay
    if (most !== null && !asked.scheduled && recipients + asked.recipients > most) {
      const resetsAt = today.endsAt.toISOString()
      const details = {
        of: limits.kind,
        max: most,
        used: recipients,
        asked: asked.recipients,
        resetsAt,
        manageUrl: url,
      }
      return { code: 'RECIPIENTS_REACHED', details }
    }
  }
  return null
}

/** Why the owner wants to be asked first. */
export type ApprovalReason = 'price' | 'country'

/** The reasons for which the owner of one of the spenders must be asked; `newCountries` are those never sent to before. */
export function approvalReasons(
  spenders: readonly SpenderLimits[],
  { priceMicros, newCountries }: { readonly priceMicros: bigint; readonly newCountries: readonly string[] },
): ApprovalReason[] {
  const price = spenders.some(({ askAboveMicros }) => askAboveMicros !== null && priceMicros > askAboveMicros)
  const country = newCountries.length > 0 && spenders.some(({ askNewCountry }) => askNewCountry)
  return [...(price ? (['price'] as const) : []), ...(country ? (['country'] as const) : [])]
}

/** Spent and held together. A counter of a later day than today's still counts: the owner's day never goes back. */
export function usedOf(
  counters: SpenderCounters | null,
  today: OwnersDay,
): { readonly day: bigint; readonly total: bigint; readonly recipients: number } {
  if (counters === null) return { day: 0n, total: 0n, recipients: 0 }
  const total = counters.totalSpentMicros + counters.totalHeldMicros
  if (counters.day < today.date) return { day: 0n, total, recipients: 0 }
  return { day: counters.daySpentMicros + counters.dayHeldMicros, total, recipients: counters.dayRecipients }
}
