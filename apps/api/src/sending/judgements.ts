// The limits and ceilings of a request, as errors; each refusal is noted in the activity.
import { CURRENCY } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { ApiError } from '../http/api-error.ts'
import type { Standings } from '../ledger/spenders.ts'
import {
  capOf,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
  manageUrl,
  type Refusal,
} from '../limits/judge.ts'
import { type Sender, type SendingDeps, whose } from './deps.ts'
import type { Entry } from './entry.ts'
import { inBackground } from './hand-over.ts'
import { type Priced, sum } from './price.ts'
import { checkQuote } from './quote.ts'
import type { Recipient } from './request.ts'

/** Throws the refusal of a pause or of the sender, which is one of all recipients. */
export function judgeAll(deps: SendingDeps, entry: Entry, { spenders }: Pick<Standings, 'spenders'>): void {
  const limits = spenders.map((spender) => spender.limits)
  const refusal =
    judgePause(limits, deps.issuer) ??
    (entry.limitedSender === null ? null : judgeSender(limits, entry.limitedSender, deps.issuer))
  if (refusal) throw refusalOf(deps, entry, refusal)
}

/** Those that may go; the refusals of the others are noted. Throws the refusal of the only one. */
export function judgeEach<One extends Recipient>(
  deps: SendingDeps,
  entry: Entry,
  { spenders }: Pick<Standings, 'spenders'>,
  recipients: readonly (One & { readonly told?: Priced['told'] })[],
  refused: Map<number, ApiError>,
): One[] {
  const limits = spenders.map((spender) => spender.limits)
  return recipients.filter(({ position, country, told }) => {
    const refusal = judgeCountry(limits, country, deps.issuer, told?.country)
    if (refusal === null) return true
    const error = refusalOf(deps, entry, refusal, country)
    if (entry.single) throw error
    refused.set(position, error)
    return false
  })
}

/** Throws the refusal that the limits have for these prices: one that is unknown, or a cap that they would pass. */
export function judgePrice(
  deps: SendingDeps,
  entry: Entry,
  { spenders, today }: Standings,
  priced: readonly Priced[],
): void {
  const limits = spenders.map((spender) => spender.limits)
  const unknown = priced.find(({ micros }) => micros === null)
  const refusal =
    (unknown ? unknownPrice(deps, entry, judgeUnknownPrice(limits, unknown.country, deps.issuer)) : null) ??
    judgeCaps(
      spenders,
      { priceMicros: sum(priced), recipients: priced.length, scheduled: entry.how === 'scheduled' },
      today,
      deps.issuer,
    )
  if (refusal) throw refusalOf(deps, entry, refusal, unknown?.country ?? null)
}

/**
 * The most that was allowed for the whole send, null where nothing was said. Throws PRICE_CHANGED above it, QUOTE_EXPIRED for
 * a quote that is over or for another.
 */
export function checkCeilings(
  deps: SendingDeps,
  entry: Entry,
  { spenders }: Standings,
  priced: readonly Priced[],
  generation: number,
): bigint | null {
  if (entry.maxPriceMicros === null && entry.quoteId === null) return null
  const ceilings = entry.maxPriceMicros === null ? [] : [entry.maxPriceMicros]
  if (entry.quoteId !== null) {
    const scope = {
      spenderId: entry.sender.spenderId,
      upstream: deps.operator.name,
      generation,
      digest: entry.digest(),
    }
    const quote = checkQuote(deps.keys.quote, scope, entry.quoteId, entry.sender.now())
    if (quote.kind !== 'ok') throw new ApiError('QUOTE_EXPIRED')
    ceilings.push(quote.priceMicros)
  }
  const ceiling = ceilings.reduce(lesser)
  const refusal = judgeCeiling(spenders, priced, ceiling, deps.issuer)
  if (refusal === null) return ceiling
  if (refusal.code !== 'PRICE_UNKNOWN') throw new ApiError(refusal.code, { details: refusal.details })
  throw refusalOf(deps, entry, refusal, priced.find(({ micros }) => micros === null)?.country ?? null)
}

/** PRICE_CHANGED where all of them cost more than this, PRICE_UNKNOWN where one of them has no price. */
export function judgeCeiling(
  [own]: Standings['spenders'],
  priced: readonly Priced[],
  ceilingMicros: bigint,
  issuer: string,
): Refusal | null {
  const unknown = priced.find(({ micros }) => micros === null)
  if (unknown && own) {
    return { code: 'PRICE_UNKNOWN', details: { country: unknown.country, manageUrl: manageUrl(issuer, own.limits) } }
  }
  const price = sum(priced)
  if (price <= ceilingMicros) return null
  const details = { price: toEurText(price), maxPrice: toEurText(ceilingMicros), currency: CURRENCY }
  return { code: 'PRICE_CHANGED', details }
}

/** Who sent is looked at behind the answer: of what is not settled yet it is not known whether it was a send. */
export function watch(
  { watch, operator }: SendingDeps,
  { connectionId, accountId, spenderId }: Pick<Sender, 'connectionId' | 'accountId' | 'spenderId'>,
): void {
  watch.note({ accountId, spenderId, connectionId, upstream: operator.name })
}

/** What a lookup costs is told by nobody but the owner of the account: where they can say so, beside the limit. */
function unknownPrice({ issuer }: SendingDeps, { kind }: Entry, refusal: Refusal | null): Refusal | null {
  if (refusal === null || kind !== 'hlr') return refusal
  const details = { ...refusal.details, manageUrl: issuer + PAGE_PATHS.upstreamAccount }
  return { ...refusal, message: LOOKUP_PRICE_UNKNOWN, details }
}

const LOOKUP_PRICE_UNKNOWN =
  'What a lookup costs is not known, so no limit can be kept: the owner of the account sets it in Settings -> Sending account. Nothing was asked or charged.'

/** The refusal as an error; it is noted in the activity, which nobody waits for. */
export function refusalOf(deps: SendingDeps, entry: Entry, refusal: Refusal, country: string | null = null): ApiError {
  const { sender, kind } = entry
  const { code, details, message } = refusal
  const noted = deps.refusals
    .note({
      accountId: sender.accountId,
      spenderId: sender.spenderId,
      what: kind,
      outcome: code,
      cap: capOf(refusal),
      country,
      upstream: deps.operator.name,
    })
    .then(() => watch(deps, sender))
    .catch((error: Error) => deps.log.warn({ ...whose(sender), err: error }, 'refusal not noted'))
  inBackground(deps, sender, noted)
  return new ApiError(code, { details, ...(message === undefined ? {} : { message }) })
}

function lesser(left: bigint, right: bigint): bigint {
  if (left < right) return left
  return right
}
