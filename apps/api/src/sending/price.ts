// What a send may cost: the dearest row of the country for what is only held, the upstream's own answer where a person or
// a limit asks for the very price.
import { mac } from '@vertexsms/secrets/mac'
import { createMemory } from '@vertexsms/service/memory'
import { within } from '@vertexsms/service/within'
import type { UpstreamPrice } from '../upstream/upstream.ts'
import type { SendingDeps } from './deps.ts'
import { type Content, orderOf, type Recipient } from './request.ts'

/** A recipient and its price. */
export interface Priced extends Recipient {
  /** Null where none can be had. */
  readonly micros: bigint | null
  /** The upstream's own answer; null where it was not asked, or did not say. */
  readonly told: UpstreamPrice | null
}

/** Recipients of a list whose very price is asked for, though neither its caller nor its owner set a price for it. */
export const COST_MAX = 10

/** Prices that are asked for at the same time. */
const AT_ONCE = 8

/** An answer is used again for an hour. */
const REMEMBERED_MS = 3_600_000
const REMEMBERED_MAX = 10_000

/** Whose prices, under which of the account's tokens at the upstream: another contract has others. */
export interface Payer {
  readonly accountId: string
  readonly generation: number
}

/** The prices of recipients. */
export interface Prices {
  /** Parts times the dearest row of each country. */
  byRates(accountId: string, content: Content, recipients: readonly Recipient[]): Promise<Priced[]>
  /** The upstream's own answer, where it has one within the time that all of them together have; else as by rates. */
  byCost(payer: Payer, content: Content, recipients: readonly Recipient[]): Promise<Priced[]>
}

/** Prices of one upstream. What is remembered is kept under a keyed hash of the number. */
export function createPrices({ operator, keys, times }: Pick<SendingDeps, 'operator' | 'keys' | 'times'>): Prices {
  const remembered = createMemory<UpstreamPrice>(REMEMBERED_MAX, REMEMBERED_MS)

  async function byRates(accountId: string, content: Content, recipients: readonly Recipient[]): Promise<Priced[]> {
    const countries = [...new Set(recipients.map(({ country }) => country))]
    const rates = new Map<string, bigint | null>()
    await Promise.all(
      countries.map(async (country) => {
        rates.set(country, isFree(content) ? 0n : await operator.dearestRateMicros(accountId, country))
      }),
    )
    return recipients.map((recipient) => {
      const rate = rates.get(recipient.country) ?? null
      return { ...recipient, micros: rate === null ? null : rate * BigInt(content.parts), told: null }
    })
  }

  // Nothing that a test sends on the simulated network costs anything; on a real account it counts as paid.
  const isFree = ({ testMode }: Content) => testMode !== null && operator.name === 'sandbox'

  function keyOf(payer: Payer, { sender, coding, parts, testMode }: Content, msisdn: string): string {
    const { accountId, generation } = payer
    const written = JSON.stringify([accountId, generation, msisdn, sender, coding, parts, testMode])
    return mac(keys.quote, `price ${written}`).toString('base64')
  }

  async function ask(payer: Payer, content: Content, recipient: Recipient): Promise<UpstreamPrice | null> {
    const key = keyOf(payer, content, recipient.msisdn)
    const known = remembered.get(key)
    if (known) return known
    // What cannot be had is not known; the reason is nobody's but ours.
    const price = await operator.cost(orderOf(payer.accountId, content, recipient.msisdn)).catch(() => null)
    if (price !== null) remembered.set(key, price)
    return price
  }

  return {
    byRates,
    async byCost(payer, content, recipients) {
      const told = new Map<number, UpstreamPrice>()
      const waiting = [...recipients]
      let over = false
      const asker = async () => {
        for (let next = waiting.shift(); next !== undefined && !over; next = waiting.shift()) {
          const price = await ask(payer, content, next)
          if (price !== null) told.set(next.position, price)
        }
      }
      // Beside them, so that all is within one time; waited for only where a price is missing.
      const rates = byRates(payer.accountId, content, recipients)
      rates.catch(() => {})
      const all = Promise.all(Array.from({ length: AT_ONCE }, asker))
      await within(all, times.pricesMs)
      over = true
      const known = recipients.map((one) => {
        const price = told.get(one.position) ?? null
        return { ...one, micros: price?.micros ?? null, told: price }
      })
      if (known.every((one) => one.told !== null)) return known
      const rated = new Map((await rates).map((one) => [one.position, one]))
      return known.map((one) => (one.told === null ? (rated.get(one.position) ?? one) : one))
    },
  }
}

/** Of all of them; what has no price counts nothing. */
export function sum(priced: readonly { readonly micros: bigint | null }[]): bigint {
  return priced.reduce((total, { micros }) => total + (micros ?? 0n), 0n)
}
