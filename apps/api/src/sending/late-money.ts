// What a report changes about money, without touching anything. Delivery is apart from money: a message that failed was
// sent all the same. A report gives back only what it shows was never accepted, lowers only what was charged by the hold,
// and charges what was sent without a price, or was given back and sent after all.
import { NEVER_ACCEPTED_CODES } from '@vertexsms/contract/api-errors'
import { hasArrived } from '@vertexsms/contract/delivery'
import { NOT_PAID, type Settlement } from '../ledger/settle.ts'

/** A message as it stands when its report comes in. */
export interface ReportedMessage {
  /** Past its lease, a message that was handed over is unknown. */
  readonly state: 'scheduled' | 'held' | 'handed_over' | 'unknown' | 'accepted' | 'released'
  readonly parts: number
  readonly holdMicros: bigint
  /** The hold is the price that the upstream told. */
  readonly holdTold: boolean
  /** Of a released one what it was priced at, where that was told; null where only the hold was known. */
  readonly toldMicros: bigint | null
  readonly chargedMicros: bigint
  /** The charge is the hold, which is nothing where no price could be had: none was told. */
  readonly chargedHold: boolean
  /** It was sent, as a report before this one said. */
  readonly wasSent: boolean
  /** Nothing is charged for it, as for a test on the simulated network. */
  readonly isFree: boolean
}

/** What a part costs, where that is known. */
export interface PartPrices {
  /** In the network that the report names. */
  readonly networkMicros: bigint | null
  /** The dearest of the country; of a lookup, what one costs. */
  readonly dearestMicros: bigint | null
}

/** Nothing changes; the settlement that does; or the report must come again, once its hand-over was answered. */
export type LateMoney = 'nothing' | 'later' | Omit<Settlement, 'messageId'>

/** What a final report with this error changes. Run again after the change, it changes nothing. */
export function lateMoney(
  { status, error }: { readonly status: number; readonly error: number },
  message: ReportedMessage,
  prices: PartPrices,
): LateMoney {
  const arrived = hasArrived(status)
  const notPaid = !arrived && error === NOT_PAID
  const neverAccepted = !arrived && NEVER_ACCEPTED_CODES.has(error)
  const givenBack = { outcome: 'released', failure: 'SEND_REFUSED', failureNumber: error } as const
  switch (message.state) {
    case 'scheduled':
    case 'held':
      return 'nothing'
    case 'handed_over':
      // Given back now, it would be charged again by the answer that is still to come.
      return neverAccepted ? 'later' : accepted(message, prices)
    case 'unknown':
      return neverAccepted ? givenBack : accepted(message, prices)
    case 'accepted': {
      // What was sent once was sent, whatever is told of it later.
      if (notPaid && !message.wasSent) return givenBack
      const rate = rateOf(message, prices.networkMicros)
      if (!message.chargedHold || rate === null || !isBetter(rate, message.chargedMicros)) return 'nothing'
      return { outcome: 'accepted', chargedMicros: rate, final: true }
    }
    case 'released': {
      if (neverAccepted) return 'nothing'
      const rate = rateOf(message, prices.networkMicros ?? prices.dearestMicros)
      return { outcome: 'accepted', chargedMicros: message.toldMicros ?? rate ?? 0n, final: true }
    }
  }
}

function accepted(message: ReportedMessage, { networkMicros }: PartPrices): LateMoney {
  const rate = message.holdTold ? null : rateOf(message, networkMicros)
  const chargedMicros = rate !== null && isBetter(rate, message.holdMicros) ? rate : null
  return { outcome: 'accepted', chargedMicros, final: true }
}

/** A rate lowers what was held for a message; where no price could be had nothing was, and the rate is its first. */
function isBetter(rate: bigint, byHold: bigint): boolean {
  return byHold === 0n ? rate > 0n : rate < byHold
}

function rateOf({ isFree, parts }: ReportedMessage, partMicros: bigint | null): bigint | null {
  if (isFree) return 0n
  return partMicros === null ? null : partMicros * BigInt(parts)
}
