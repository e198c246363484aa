import { createMemory } from '@vertexsms/service/memory'
import type { Caller } from '../caller/caller.ts'

/** Waiting requests to the API at one time: each holds a connection of the pool that is theirs alone. */
export const WAITS_MAX = 256

/** Of these, for one account: with every token it has together. */
export const WAITS_PER_ACCOUNT = 16

const TOKENS_MAX = 10_000

/** Shares out the requests that wait at the API, so that one account's cannot take another's place. */
export class WaitShares {
  readonly #waiting = new Map<string, number>()
  /** Whose a token made by hand is; that never changes, and says nothing of whether the token still stands. */
  readonly #accounts = createMemory<string>(TOKENS_MAX)
  #total = 0

  /**
   * Takes a place for a caller; the result gives it back, at most once. Undefined when the account's share, or the
   * whole, is used up. `describe` is asked once for each token that does not name its account itself.
   */
  async take(caller: Caller, describe: () => Promise<{ account: string }>): Promise<(() => void) | undefined> {
    const account = caller.account ?? this.#accounts.get(caller.key) ?? (await describe()).account
    if (caller.account === null) this.#accounts.set(caller.key, account)
    const own = this.#waiting.get(account) ?? 0
    if (own >= WAITS_PER_ACCOUNT || this.#total >= WAITS_MAX) return undefined
    this.#waiting.set(account, own + 1)
    this.#total += 1
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#total -= 1
      const left = (this.#waiting.get(account) ?? 1) - 1
      if (left === 0) this.#waiting.delete(account)
      else this.#waiting.set(account, left)
    }
  }
}
