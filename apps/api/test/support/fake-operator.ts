import { readMobile } from '../../src/message/number.ts'
import { readNumber } from '../../src/upstream/sandbox/numbers.ts'
import type { HandOver, SendingUpstream, SmsOrder } from '../../src/upstream/upstream.ts'

/** What one part costs, whoever asks. */
export const PART_MICROS: Readonly<Record<string, bigint>> = { LT: 39_000n, LV: 52_000n, EE: 61_000n }

/** What happens to a message that is handed over. */
export type Fate = 'accepted' | 'refused' | 'lost_charged' | 'lost'

/** An upstream that counts every hand-over and every charge. */
export interface FakeOperator extends SendingUpstream {
  /** By our id: how often it was handed over. */
  readonly handOvers: Map<bigint, number>
  /** By our id: what was charged for it, and to whom. */
  readonly charges: Map<bigint, { readonly accountId: string; readonly micros: bigint }>
  /** The numbers that came here. */
  readonly recipients: string[]
}

/** Decides by `fate`, after `pause`. */
export function fakeOperator(
  fate: (order: SmsOrder) => Fate = () => 'accepted',
  pause: (order: SmsOrder) => Promise<void> | void = () => {},
): FakeOperator {
  const handOvers = new Map<bigint, number>()
  const charges: FakeOperator['charges'] = new Map()
  const recipients: string[] = []

  const priceOf = (to: string, parts: number) => {
    const { country } = readMobile(readNumber, 'SEND_REFUSED', 'to', `+${to}`)
    return { country, micros: (PART_MICROS[country] ?? 0n) * BigInt(parts) }
  }
  const partsOf = ({ message }: Pick<SmsOrder, 'message'>) =>
    message.length <= 160 ? 1 : Math.ceil(message.length / 153)

  return {
    name: 'sandbox',
    readNumber,
    cannotLookUp: null,
    handOvers,
    charges,
    recipients,
    generation: async () => 0,
    async send(order): Promise<HandOver> {
      handOvers.set(order.messageId, (handOvers.get(order.messageId) ?? 0) + 1)
      recipients.push(order.to)
      const what = fate(order)
      const { micros } = priceOf(order.to, partsOf(order))
      if (what === 'accepted' || what === 'lost_charged')
        charges.set(order.messageId, { accountId: order.accountId, micros })
      await pause(order)
      if (what === 'refused') return { kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 }
      if (what !== 'accepted') throw new Error('connection reset')
      return { kind: 'accepted', reference: `r${order.messageId}`, parts: partsOf(order), priceMicros: micros }
    },
    hlr: async () => ({ kind: 'unknown' }),
    async cost(order) {
      const parts = partsOf(order)
      const { country, micros } = priceOf(order.to, parts)
      return { micros, parts, country, operator: null, mccmnc: '24601' }
    },
    dearestRateMicros: async (_accountId, country) => PART_MICROS[country] ?? null,
    networkRateMicros: async (_accountId, country) => PART_MICROS[country] ?? null,
    hlrPriceMicros: async () => 5_000n,
    status: async () => null,
    balanceMicros: async () => null,
  }
}
