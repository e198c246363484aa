import type { Rate } from '@vertexsms/contract/rest'
import { createMemory } from '@vertexsms/service/memory'
import type { Caller } from '../caller/caller.ts'

/** The rates of one account by country, and when they were read of whoever makes them. */
export interface RateCard {
  readonly byCountry: ReadonlyMap<string, readonly Rate[]>
  /** Milliseconds since the epoch. */
  readonly readAt: number
}

/** How long a rate card is served from memory. */
const RATE_CARD_SECONDS = 3600
const CARDS_MAX = 256
const ACCOUNTS_MAX = 10_000

/**
 * Rate cards by account, because prices are an account's own. A token made by hand does not tell its account, so the
 * first card read with one waits under the token's key until the API has named the account. Bounded; nothing here
 * decides whether a caller may see a card.
 */
export class RateCards {
  readonly #cards = createMemory<RateCard>(CARDS_MAX)
  readonly #accounts = createMemory<string>(ACCOUNTS_MAX)

  /** A card that is still fresh, found under the caller's account or, while that is unknown, under its token. */
  find(caller: Caller): RateCard | undefined {
    const place = this.#place(caller)
    const card = this.#cards.get(place)
    if (card !== undefined && ageSeconds(card) < RATE_CARD_SECONDS) return card
    this.#cards.delete(place)
    return undefined
  }

  /** Keeps a card just read with this caller's token, which the API has known for so long. */
  keep(caller: Caller, rates: readonly Rate[], knownSeconds: number): RateCard {
    const byCountry = new Map<string, Rate[]>()
    for (const rate of rates) {
      const country = rate.CountryCode.toUpperCase()
      const rows = byCountry.get(country)
      if (rows === undefined) byCountry.set(country, [rate])
      else rows.push(rate)
    }
    const card = { byCountry, readAt: Date.now() - knownSeconds * 1000 }
    this.#cards.set(this.#place(caller), card)
    return card
  }

  /** The API has named the token's account: true when the card found for this caller is that account's. */
  belongs(caller: Caller, account: string): boolean {
    const place = this.#place(caller)
    if (place === accountPlace(account)) return true
    const card = this.#cards.get(place)
    if (caller.account !== null || this.#accounts.has(caller.key) || card === undefined) return false
    this.#accounts.set(caller.key, account)
    this.#cards.delete(place)
    this.#cards.set(accountPlace(account), card)
    return true
  }

  #place({ account, key }: Caller): string {
    const known = account ?? this.#accounts.get(key)
    return known === undefined ? `token ${key}` : accountPlace(known)
  }
}

/** Whole seconds since a card was read. */
export function ageSeconds(card: RateCard): number {
  return Math.max(0, Math.floor((Date.now() - card.readAt) / 1000))
}

function accountPlace(account: string): string {
  return `account ${account}`
}
