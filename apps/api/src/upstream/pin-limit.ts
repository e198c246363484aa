import type { Database } from '@vertexsms/db/client'
import { countHit, type Hit, takeBackHits } from '@vertexsms/db/counter'
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
   * use up what others may send to the number. What is given back is for a PIN that was surely not sent. Throws
   * RATE_LIMITED (429).
   */
  countPin(accountId: string, msisdn: string): Promise<TakeBack>
  /**
   * Counts one guess of an account, whatever the number. What is given back is for one that surely nobody looked at. Throws
   * RATE_LIMITED (429).
   */
  countGuess(accountId: string): Promise<TakeBack>
}

/** Takes back what was counted; where that cannot be noted it stays counted. Never throws. */
export type TakeBack = () => Promise<void>

/** Counters that keep neither accounts nor numbers, but a keyed hash of them. */
export function createPinLimits(db: Database, key: Uint8Array): PinLimits {
  const { perDay, perNumberAndDay, numberPerDay, numberFirstsPerDay, guessesPerDay } = LIMITS.pins

  const takeBackOf =
    (...hits: Hit[]): TakeBack =>
    () =>
      takeBackHits(db, hits).catch(() => {})

  /** Counts what is no more than `limit` a day; whether it is the day's first. Throws RATE_LIMITED, and nothing is counted. */
  async function count(what: string, limit: number, tooMany: string): Promise<Hit & { readonly isFirst: boolean }> {
    const hashed = PIN_COUNTER_PREFIX + mac(key, what).toString('base64url')
    const hit = { key: hashed, windowSeconds: DAY_SECONDS, max: limit }
    const { hits, secondsLeft, windowAt } = await countHit(db, hit)
    if (hits !== null) return { key: hashed, windowAt, isFirst: hits === 1 }
    throw new ApiError('RATE_LIMITED', { message: tooMany, headers: { 'retry-after': String(secondsLeft) } })
  }

  return {
    async countPin(accountId, msisdn) {
      const toNumber = 'Too many codes were sent to this number today.'
      const ofAccount = await count(`account ${accountId}`, perDay, 'Too many codes were sent for this account today.')
      const ofBoth = await count(`account ${accountId} number ${msisdn}`, perNumberAndDay, toNumber)
      // An account that has had none today finds room that the others' further ones cannot take.
      const ofNumber = await count(`number ${msisdn}`, ofBoth.isFirst ? numberFirstsPerDay : numberPerDay, toNumber)
      return takeBackOf(ofAccount, ofBoth, ofNumber)
    },

    async countGuess(accountId) {
      const tooMany = 'Too many codes were tried for this account today.'
      return takeBackOf(await count(`guesses ${accountId}`, guessesPerDay, tooMany))
    },
  }
}
