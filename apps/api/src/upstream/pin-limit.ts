import type { Database } from '@vertexsms/db/client'
import { countHit } from '@vertexsms/db/counter'
import { mac } from '@vertexsms/secrets/mac'
import { ApiError } from '../http/api-error.ts'
import { LIMITS } from '../service-limits.ts'

/** How the counters of these limits begin in the table of counters. */
export const PIN_COUNTER_PREFIX = 'sender-pin:'

const DAY_SECONDS = 86_400

/** The counters of PINs and guesses, on all nodes, in days of UTC by the database's clock. */
export interface PinLimits {
  /**
   * Counts one PIN for a number. What an account may not have is counted against that account alone, so that it cannot
   * use up what others may send to the number. Throws RATE_LIMITED (429).
   */
  countPin(accountId: string, msisdn: string): Promise<void>
  /** Counts one guess of an account, whatever the number. Throws RATE_LIMITED (429). */
  countGuess(accountId: string): Promise<void>
}

/** Counters that keep neither accounts nor numbers, but a keyed hash of them. */
export function createPinLimits(db: Database, key: Uint8Array): PinLimits {
  const { perDay, perNumberAndDay, numberPerDay, numberFirstsPerDay, guessesPerDay } = LIMITS.pins

  /** Counts what is no more than `limit` a day; whether it is the day's first. Throws RATE_LIMITED, and nothing is counted. */
  async function count(what: string, limit: number, tooMany: string): Promise<{ isFirst: boolean }> {
    const hashed = mac(key, what).toString('base64url')
    const { hits, secondsLeft } = await countHit(db, {
      key: PIN_COUNTER_PREFIX + hashed,
      windowSeconds: DAY_SECONDS,
      max: limit,
    })
    if (hits !== null) return { isFirst: hits === 1 }
    throw new ApiError('RATE_LIMITED', { message: tooMany, headers: { 'retry-after': String(secondsLeft) } })
  }

  return {
    async countPin(accountId, msisdn) {
      const toNumber = 'Too many codes were sent to this number today.'
      await count(`account ${accountId}`, perDay, 'Too many codes were sent for this account today.')
      const { isFirst } = await count(`account ${accountId} number ${msisdn}`, perNumberAndDay, toNumber)
      // An account that has had none today finds room that the others' further ones cannot take.
      await count(`number ${msisdn}`, isFirst ? numberFirstsPerDay : numberPerDay, toNumber)
    },

    async countGuess(accountId) {
      await count(`guesses ${accountId}`, guessesPerDay, 'Too many codes were tried for this account today.')
    },
  }
}
