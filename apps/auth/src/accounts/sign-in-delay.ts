import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { SIZES } from '../service-limits.ts'

/** Makes tries at an account that many are guessing at wait; see {@link createSignInDelay}. */
export interface SignInDelay {
  /**
   * Resolves after the delay, or at once when the browser has gone. False, at once, when the pair already waits for as
   * many answers as it may: whoever sends more than that at a time is refused, and nobody else.
   */
  wait(pair: string, socket: Socket): Promise<boolean>
}

/**
 * A delay that cannot be used against the server: a bounded number wait at once, and whoever comes when all places are
 * taken goes on without a delay, because checking passwords has a bound of its own. Nobody is kept out by it.
 */
export function createSignInDelay(delayMs: number): SignInDelay {
  const waiting = new Map<string, number>()
  let total = 0
  return {
    async wait(pair, socket) {
      const own = waiting.get(pair) ?? 0
      if (own >= SIZES.waitingSignInsOfPair) return false
      if (total >= SIZES.waitingSignIns || delayMs === 0) return true
      const over = new AbortController()
      waiting.set(pair, own + 1)
      total += 1
      try {
        const { signal } = over
        await Promise.race([delay(delayMs, undefined, { signal }), once(socket, 'close', { signal })])
      } catch (error) {
        if (!over.signal.aborted && !socket.destroyed) throw error
      } finally {
        over.abort()
        total -= 1
        const left = (waiting.get(pair) ?? 1) - 1
        if (left > 0) waiting.set(pair, left)
        else waiting.delete(pair)
      }
      return true
    },
  }
}
