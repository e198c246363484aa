// A scheduled send at its time: judged and admitted to the day at that day's price.
import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import type { Cap } from '@vertexsms/contract/limits'
import { admitDue, type DueAdmitted } from '../ledger/due.ts'
import { toSpenders } from '../ledger/standing.ts'
import { daysAround } from '../limits/days.ts'
import {
  capOf,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
  type Refusal,
} from '../limits/judge.ts'
import type { SendingDeps } from './deps.ts'
import type { DueSend, WaitingRecipient } from './due-sends.ts'
import { COST_MAX, type Priced, type Prices, sum } from './price.ts'
import type { Content } from './request.ts'
import type { RunMessage } from './run-messages.ts'

/** Limits that refuse a send for its price. */
const OF_PRICE: ReadonlySet<ApiErrorCode> = new Set(['PRICE_UNKNOWN', 'SPEND_CAP_REACHED'])

/** A send that is due, what it says, to whom, and what it may cost at most where that was promised. */
export interface Due {
  readonly send: DueSend
  readonly content: Content
  readonly recipients: readonly WaitingRecipient[]
  readonly maxMicros: bigint | null
}

interface Refused {
  readonly code: ApiErrorCode
  readonly cap: Cap | null
  /** Where by its very price it may go: whether a limit of money refuses it, or what was allowed for it; null where it may not. */
  readonly price: 'limit' | 'allowed' | null
}

/** What comes of a send at its time; `later` where the next turn asks anew. */
export type AtItsTime =
  | { readonly kind: 'admitted'; readonly priced: readonly Pick<RunMessage, 'told' | 'heldMicros'>[] }
  | ({ readonly kind: 'refused' } & Refused)
  | { readonly kind: 'ended' }
  | { readonly kind: 'later' }

/** Judges a send that is due and admits it: by the rates, and by its very price where the rates would refuse it. */
export async function admitAtItsTime(
  deps: Pick<SendingDeps, 'db' | 'operator' | 'issuer' | 'times'>,
  prices: Prices,
  due: Due,
): Promise<AtItsTime> {
  const { send, content, recipients, maxMicros } = due
  const { accountId, spenderId } = send
  const days = daysAround(send.takenAt, send.timeZone)
  const admitAt = (priced: readonly Priced[]) =>
    admitDue(deps.db, {
      grant: send,
      ledger: { accountId, spenderId, upstream: deps.operator.name, days },
      sendId: send.id,
      generation: send.generation,
      runnerId: send.runnerId,
      limitedSender: content.sender,
      unpriced: priced.some(({ micros }) => micros === null),
      maxMicros,
      holds: priced.map(({ micros, told }, at) => ({
        id: recipients[at]?.id ?? 0n,
        parts: told?.parts ?? content.parts,
        holdMicros: micros ?? 0n,
        holdTold: told !== null,
      })),
      runnerSeconds: Math.ceil(deps.times.runnerMs / 1000),
    })
  const refusal = (priced: readonly Priced[], outcome: DueAdmitted) => refusedBy(deps.issuer, due, priced, outcome)

  let priced = await prices.byRates(accountId, content, recipients)
  let outcome = await admitAt(priced)
  let refused = refusal(priced, outcome)
  const isAboveAllowed = outcome.kind === 'dearer' || (outcome.kind === 'asks' && outcome.of === 'price')
  const isAllowedByPrice = maxMicros !== null || isAboveAllowed || recipients.length <= COST_MAX
  if (refused !== null && refused.price !== null && isAllowedByPrice) {
    // It may have been allowed by its very price, and is judged by that again.
    priced = await prices.byCost(send, content, recipients)
    refused = refusal(priced, outcome)
    if (refused === null || refused.price !== null) {
      outcome = await admitAt(priced)
      refused = refusal(priced, outcome)
    }
    if (refused?.price === 'allowed' && priced.some(({ told }) => told === null)) return { kind: 'later' }
  }
  if (refused !== null) return { kind: 'refused', ...refused }
  if (outcome.kind === 'ended') return { kind: 'ended' }
  // It, or what refused it, was changed meanwhile.
  if (outcome.kind !== 'admitted') return { kind: 'later' }
  return { kind: 'admitted', priced: priced.map(({ micros, told }) => ({ told, heldMicros: micros ?? 0n })) }
}

/** Why it may not go at these prices, by the rows that are told with the outcome; null for what does not refuse it. */
function refusedBy(
  issuer: string,
  { send, content }: Pick<Due, 'send' | 'content'>,
  priced: readonly Priced[],
  outcome: DueAdmitted,
): Refused | null {
  if (outcome.kind !== 'dearer' && outcome.kind !== 'asks' && outcome.kind !== 'refused') return null
  const { spenders, today } = toSpenders(outcome.stands, send.connectionId)
  const limits = spenders.map((spender) => spender.limits)
  const unknown = priced.find(({ micros }) => micros === null)
  const asked = { priceMicros: sum(priced), recipients: priced.length, scheduled: false }
  const refusal: Refusal | null =
    judgePause(limits, issuer) ??
    judgeSender(limits, content.sender, issuer) ??
    priced
      .map(({ country, told }) => judgeCountry(limits, country, issuer, told?.country))
      .find((one) => one !== null) ??
    (unknown ? judgeUnknownPrice(limits, unknown.country, issuer) : null) ??
    (today === null ? null : judgeCaps(spenders, asked, today, issuer))
  if (refusal) {
    return { code: refusal.code, cap: capOf(refusal), price: OF_PRICE.has(refusal.code) ? 'limit' : null }
  }
  if (outcome.kind === 'dearer') return { code: 'PRICE_CHANGED', cap: null, price: 'allowed' }
  if (outcome.kind !== 'asks') return null
  return { code: 'APPROVAL_REQUIRED', cap: null, price: outcome.of === 'price' ? 'allowed' : null }
}
