// What an app may cost, for the page that is asked to allow it. The API knows; where it cannot be had in a moment the page
// says so and works all the same.

import { readEurText } from '@vertexsms/contract/money'
import type { Rate } from '@vertexsms/contract/rest'
import type { InternalApi } from '../connections/internal-api.ts'

/** What one part of an SMS costs, from the cheapest network to the dearest. */
export interface PriceRange {
  readonly lowestMicros: bigint
  readonly highestMicros: bigint
}

/** What is known of the money of an account. */
export interface Cost {
  /** Null where the API could not be asked in time, or has no price for these countries; `none` where none may be sent to. */
  readonly prices: PriceRange | 'none' | null
  /** Null where nobody tells it. */
  readonly balanceMicros: bigint | null
}

/** A person waits for the page: longer than this no price is worth. */
export const COST_TIMEOUT_MS = 1500

/**
 * Asks what the account pays in some countries, or in all where none is named, and what it has. Null countries: none is
 * allowed, so nothing can be sent and there is no price. Never throws.
 */
export async function costOf(api: InternalApi, accountId: string, countries: readonly string[] | null): Promise<Cost> {
  const [rates, balance] = await Promise.all([api.ask('rates', { accountId }), api.ask('balance', { accountId })])
  return {
    prices: countries === null ? 'none' : rates && rangeOf(rates.rates, countries),
    balanceMicros: balance?.balance == null ? null : readEurText(balance.balance),
  }
}

function rangeOf(rates: readonly Rate[], countries: readonly string[]): PriceRange | null {
  const prices = rates
    .filter(({ CountryCode: country }) => countries.length === 0 || countries.includes(country))
    .flatMap(({ Rate: rate }) => readEurText(rate) ?? [])
    .sort((one, other) => (one < other ? -1 : 1))
  const [lowestMicros] = prices
  const highestMicros = prices.at(-1)
  return lowestMicros === undefined || highestMicros === undefined ? null : { lowestMicros, highestMicros }
}
