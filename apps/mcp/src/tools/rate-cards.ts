import type { Rate } from '@vertexsms/contract/rest'
import { createMemory } from '@vertexsms/service/memory'

/** The rates of one account by country, and when they were read of whoever makes them. */
export interface RateCard {
  readonly byCountry: ReadonlyMap<string, readonly Rate[]>
  /** Milliseconds since the epoch. */
  readonly readAt: number
}

/** How long a rate card is served from memory. */
const RATE_CARD_SECONDS = 3600
const CARDS_MAX = 256

/**
 * Rate cards by account, because prices are an account's own. Bounded; nothing here decides whether a caller may see a card.
 */
export class RateCards {
  readonly #cards = createMemory<RateCard>(CARDS_MAX)

  /** An account's card that is still fresh. */
  find(account: string): RateCard | undefined {
    const card = this.#cards.get(account)
    // One that was read later than now was read before the clock was set back: how old it is nobody can tell.
    if (card !== undefined && card.readAt <= Date.now() && ageSeconds(card) < RATE_CARD_SECONDS) return card
    this.#cards.delete(account)
    return undefined
  }

  /** Keeps a card just read for an account, which the API has known for so long. */
  keep(account: string, rates: readonly Rate[], knownSeconds: number): RateCard {
    const byCountry = new Map<string, Rate[]>()
    for (const rate of rates) {
      const country = rate.CountryCode.toUpperCase()
      const rows = byCountry.get(country)
      if (rows === undefined) byCountry.set(country, [rate])
      else rows.push(rate)
    }
    const card = { byCountry, readAt: Date.now() - knownSeconds * 1000 }
    this.#cards.set(account, card)
    return card
  }
}

/** Whole seconds since a card was read. */
export function ageSeconds(card: RateCard): number {
  return Math.max(0, Math.floor((Date.now() - card.readAt) / 1000))
}
