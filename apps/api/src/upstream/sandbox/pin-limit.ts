import { createHmac } from 'node:crypto'
import { type Database, Prisma } from '@vertexsms/db/client'
import { ApiError } from '../../http/api-error.ts'
import { LIMITS } from '../../limits.ts'

/** How the counters of these limits begin in the table of counters. */
export const PIN_COUNTER_PREFIX = 'sender-pin:'

const DAY_MS = 86_400_000

/** The counters of PINs and guesses, on all nodes, in days of UTC. */
export interface PinLimits {
  /**
   * Counts one PIN for a number. What an account may not have is counted against that account alone, so that it cannot
   * use up what others may send to the number. Throws RATE_LIMITED (429).
   */
  countPin(accountId: string, msisdn: string, now: Date): Promise<void>
  /** Counts one guess of an account, whatever the number. Throws RATE_LIMITED (429). */
  countGuess(accountId: string, now: Date): Promise<void>
}

/** Counters that keep neither accounts nor numbers, but a keyed hash of them. */
export function createPinLimits(db: Database, key: Uint8Array): PinLimits {
  const { perDay, perNumberAndDay, numberPerDay, numberFirstsPerDay, guessesPerDay } = LIMITS.pins

  /** The hits after this one; null, and nothing counted, where there were `limit` already. */
  async function count(what: string, limit: number, now: Date): Promise<number | null> {
    const counter = PIN_COUNTER_PREFIX + createHmac('sha256', key).update(what).digest('base64url')
    const windowAt = new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS)
    const [row] = await db.$queryRaw<{ hits: number }[]>(Prisma.sql`
      INSERT INTO rate_counter (key, window_at, hits, expires_at)
      VALUES (${counter}, ${windowAt}::timestamptz, 1, ${new Date(windowAt.getTime() + DAY_MS)}::timestamptz)
      ON CONFLICT (key, window_at) DO UPDATE SET hits = rate_counter.hits + 1 WHERE rate_counter.hits < ${limit}::int
      RETURNING hits`)
    return row?.hits ?? null
  }

  return {
    async countPin(accountId, msisdn, now) {
      if ((await count(`account ${accountId}`, perDay, now)) === null) {
        throw limited('Too many codes were sent for this account today.', now)
      }
      const own = await count(`account ${accountId} number ${msisdn}`, perNumberAndDay, now)
      // An account that has had none today finds room that the others' further ones cannot take.
      const limit = own === 1 ? numberFirstsPerDay : numberPerDay
      if (own === null || (await count(`number ${msisdn}`, limit, now)) === null) {
        throw limited('Too many codes were sent to this number today.', now)
      }
    },

    async countGuess(accountId, now) {
      if ((await count(`guesses ${accountId}`, guessesPerDay, now)) === null) {
        throw limited('Too many codes were tried for this account today.', now)
      }
    },
  }
}

function limited(message: string, now: Date): ApiError {
  const seconds = Math.ceil((DAY_MS - (now.getTime() % DAY_MS)) / 1000)
  return new ApiError('RATE_LIMITED', { message, headers: { 'retry-after': String(seconds) } })
}
