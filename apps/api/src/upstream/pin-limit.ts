import type { Database } from '@vertexsms/db/client'
import { countHit, takeBackHit } from '@vertexsms/db/counter'
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
  /** Takes back one that was counted and surely not sent. */
  takeBackPin(accountId: string, msisdn: string): Promise<void>
  /** Counts one guess of an account, whatever the number. Throws RATE_LIMITED (429). */
  countGuess(accountId: string): Promise<void>
  /** Takes back one that was counted and that surely nobody looked at. */
  takeBackGuess(accountId: string): Promise<void>
}

/** Counters that keep neither accounts nor numbers, but a keyed hash of them. */
export function createPinLimits(db: Database, key: Uint8Array): PinLimits {
  const { perDay, perNumberAndDay, numberPerDay, numberFirstsPerDay, guessesPerDay } = LIMITS.pins

  const keyOf = (what: string) => PIN_COUNTER_PREFIX + mac(key, what).toString('base64url')
  const ofAccount = (accountId: string) => `account ${accountId}`
  const ofBoth = (accountId: string, msisdn: string) => `account ${accountId} number ${msisdn}`
  const ofNumber = (msisdn: string) => `number ${msisdn}`
  const ofGuesses = (accountId: string) => `guesses ${accountId}`

  /** Counts what is no more than `limit` a day; whether it is the day's first. Throws RATE_LIMITED, and nothing is counted. */
  async function count(what: string, limit: number, tooMany: string): Promise<{ isFirst: boolean }> {
    const { hits, secondsLeft } = await countHit(db, { key: keyOf(what), windowSeconds: DAY_SECONDS, max: limit })
    if (hits !== null) return { isFirst: hits === 1 }
    throw new ApiError('RATE_LIMITED', { message: tooMany, headers: { 'retry-after': String(secondsLeft) } })
  }

  return {
    async countPin(accountId, msisdn) {
      const toNumber = 'Too many codes were sent to this number today.'
      await count(ofAccount(accountId), perDay, 'Too many codes were sent for this account today.')
      const { isFirst } = await count(ofBoth(accountId, msisdn), perNumberAndDay, toNumber)
      // An account that has had none today finds room that the others' further ones cannot take.
      await count(ofNumber(msisdn), isFirst ? numberFirstsPerDay : numberPerDay, toNumber)
    },

    takeBackPin(accountId, msisdn) {
      const keys = [ofAccount(accountId), ofBoth(accountId, msisdn), ofNumber(msisdn)].map(keyOf)
      return takeBackHit(db, keys, DAY_SECONDS)
    },

    async countGuess(accountId) {
      await count(ofGuesses(accountId), guessesPerDay, 'Too many codes were tried for this account today.')
    },

    takeBackGuess: (accountId) => takeBackHit(db, [keyOf(ofGuesses(accountId))], DAY_SECONDS),
  }
}
