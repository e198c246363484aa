// What a send would cost and what stands in its way. Charges, holds and sends nothing.
import { CURRENCY } from '@vertexsms/contract/limits'
import { toEurText } from '@vertexsms/contract/money'
import { QUOTE_SECONDS, type QuoteResponse } from '@vertexsms/contract/sending'
import type { Database } from '@vertexsms/db/client'
import { ApiError } from '../http/api-error.ts'
import { newCountriesOf, readSpenders } from '../ledger/spenders.ts'
import {
  approvalReasons,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
  type Refusal,
} from '../limits/judge.ts'
import { leftOf } from '../limits/shown.ts'
import { endsBefore, openLive } from '../live.ts'
import { withoutApproval } from './approval.ts'
import type { Sender, SendingDeps } from './deps.ts'
import { judgeCeiling } from './judgements.ts'
import { type Payer, type Priced, type Prices, sum } from './price.ts'
import { writeQuote } from './quote.ts'
import { digestOf, readSms, recipientsOf, type SmsBody, type SmsPlan } from './request.ts'

/** The answer of `POST /sms/quote`. Throws the refusal of all of the request. */
export async function quoteSms(
  deps: SendingDeps,
  prices: Prices,
  sender: Sender,
  body: SmsBody,
): Promise<QuoteResponse> {
  const now = sender.now()
  const plan = readSms(deps, body, now)
  if (plan.refusal) throw plan.refusal
  const { content, drafts, scheduledAt } = plan
  if (scheduledAt !== null && (await outlasts(deps.db, sender, scheduledAt))) {
    throw new ApiError('INVALID_INPUT', { reason: 'scheduled_after_end' })
  }
  const standing = await readSpenders(deps.db, sender, deps.operator.name, now)
  const { spenders, today } = standing
  const generation = await deps.operator.generation(sender.accountId)
  const payer = { accountId: sender.accountId, generation }
  const { priced, going, refused } = await priceAllowed(deps, prices, payer, plan, spenders)
  const priceMicros = sum(going)
  const digest = digestOf(deps.keys.quote, deps.operator.name, plan)
  const refusals = refusalsOfAll(deps.issuer, plan, standing, going)
  const unapproved = await judgeApproval(deps, { sender, generation, digest, priceMicros }, spenders, going)
  if (unapproved !== null) refusals.push(unapproved)
  const scope = { spenderId: sender.spenderId, upstream: deps.operator.name, generation, digest }
  const quotable = going.length > 0 && going.every(({ micros }) => micros !== null)
  const expiresAt = new Date(now.getTime() + QUOTE_SECONDS * 1000)
  return {
    coding: content.coding,
    parts: content.parts,
    messages: drafts.map((draft) => {
      const first = draft.duplicateOf === null ? draft : (drafts[draft.duplicateOf] ?? draft)
      const refusal = refused.get(first.position) ?? first.refusal
      return messageOf(first, priced.get(first.position), refusal, content.parts)
    }),
    price: toEurText(priceMicros),
    currency: CURRENCY,
    left: leftOf(spenders, today),
    refusals: refusals.map(describe),
    quoteId: quotable ? writeQuote(deps.keys.quote, scope, priceMicros, expiresAt) : null,
    expiresAt: quotable ? expiresAt.toISOString() : null,
  }
}

type Standing = Awaited<ReturnType<typeof readSpenders>>

/** The prices of the numbers that the limits allow, those that may be sent to, and why others may not; by position. */
async function priceAllowed(
  { issuer }: SendingDeps,
  prices: Prices,
  payer: Payer,
  { content, drafts }: SmsPlan,
  spenders: Standing['spenders'],
) {
  const limits = spenders.map((spender) => spender.limits)
  const refused = new Map<number, ApiError>()
  const judge = (country: string, position: number, operatorCountry = country) => {
    const refusal = judgeCountry(limits, country, issuer, operatorCountry)
    if (refusal) refused.set(position, errorOf(refusal))
    return refusal === null
  }
  // Nothing about a refused number leaves us.
  const allowed = recipientsOf(drafts).filter(({ country, position }) => judge(country, position))
  const priced = await prices.byCost(payer, content, allowed)
  const going = priced.filter(({ country, position, told }) => judge(country, position, told?.country))
  return { priced: new Map(priced.map((one) => [one.position, one])), going, refused }
}

/** What stands in the way of the whole send, but for its owner's word. */
function refusalsOfAll(
  issuer: string,
  { content, scheduledAt, maxPriceMicros }: SmsPlan,
  { spenders, today }: Standing,
  going: readonly Priced[],
): ApiError[] {
  const limits = spenders.map((spender) => spender.limits)
  const unknown = going.find(({ micros }) => micros === null)
  const asked = { priceMicros: sum(going), recipients: going.length, scheduled: scheduledAt !== null }
  return [
    judgePause(limits, issuer),
    judgeSender(limits, content.sender, issuer),
    (unknown ? judgeUnknownPrice(limits, unknown.country, issuer) : null) ??
      (maxPriceMicros === null ? null : judgeCeiling(spenders, going, maxPriceMicros, issuer)),
    judgeCaps(spenders, asked, today, issuer),
  ].flatMap((refusal) => (refusal === null ? [] : [errorOf(refusal)]))
}

/** That the owner would be asked or has refused, and neither why nor from which price on; null where neither is so. */
async function judgeApproval(
  deps: SendingDeps,
  asked: Parameters<typeof withoutApproval>[1],
  spenders: Standing['spenders'],
  going: readonly Priced[],
): Promise<ApiError | null> {
  const limits = spenders.map((spender) => spender.limits)
  const asksCountry = limits.some(({ askNewCountry }) => askNewCountry)
  const countries = [...new Set(going.map(({ country }) => country))]
  const newCountries = asksCountry ? await newCountriesOf(deps.db, asked.sender, deps.operator.name, countries) : []
  if (approvalReasons(limits, { priceMicros: asked.priceMicros, newCountries }).length === 0) return null
  const unapproved = await withoutApproval(deps, asked)
  return unapproved === null ? null : new ApiError(unapproved)
}

function errorOf({ code, details }: Refusal): ApiError {
  return new ApiError(code, { details })
}

/** True where what is due then outlasts the connection or token of the caller; the send itself asks it again. */
async function outlasts(db: Database, { accountId, connectionId, id }: Sender, scheduledAt: Date): Promise<boolean> {
  const [row] = await db.$queryRaw<[{ ends: boolean }?]>`
    ${openLive({ accountId, connectionId, tokenId: id })} SELECT ${endsBefore(scheduledAt)} AS ends FROM live`
  return row?.ends === true
}

/**
 * Throws DESTINATION_NOT_ALLOWED where the limits of the caller do not allow the country of a number, so that the upstream
 * is not told of it. What is wrong with the number itself is the upstream's to say.
 */
export async function refuseDestination(
  { db, operator, issuer }: SendingDeps,
  sender: Sender,
  { to, correctBy }: { readonly to: string; readonly correctBy?: string | undefined },
): Promise<void> {
  const number = operator.readNumber(to, correctBy)
  if ('fix' in number) return
  const { spenders } = await readSpenders(db, sender, operator.name, sender.now())
  const limits = spenders.map((spender) => spender.limits)
  const refusal = judgeCountry(limits, number.country, issuer)
  if (refusal) throw errorOf(refusal)
}

function messageOf(
  draft: ReturnType<typeof readSms>['drafts'][number],
  priced: Priced | undefined,
  refusal: ApiError | null,
  parts: number,
): QuoteResponse['messages'][number] {
  const micros = refusal === null ? (priced?.micros ?? null) : null
  return {
    to: draft.number?.msisdn ?? draft.written,
    country: draft.number?.country ?? null,
    operator: priced?.told?.operator ?? null,
    // Empty where VertexSMS does not say.
    mccmnc: priced?.told?.mccmnc || null,
    parts: draft.number === null ? null : (priced?.told?.parts ?? parts),
    price: micros === null ? null : toEurText(micros),
    refusals: refusal === null ? [] : [refusal.body],
  }
}

function describe(error: ApiError): QuoteResponse['refusals'][number] {
  const { code, message, details } = error.body
  return { code, message, ...(details === undefined ? {} : { details }) }
}
