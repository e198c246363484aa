import { createHmac } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { ApiError } from '../../api-error.ts'

/** PINs that go to one number in a day, whoever asks: guessing stays hopeless and nobody's phone is flooded. */
export const PINS_PER_DAY = 10

/** How the counters of this limit begin in the table of counters. */
export const PIN_COUNTER_PREFIX = 'sender-pin:'

const DAY_MS = 86_400_000

/** Counts one PIN for a number on all nodes. The number is kept as a keyed hash. Throws RATE_LIMITED (429). */
export async function countPin(db: Database, key: Uint8Array, msisdn: string, now: Date): Promise<void> {
  const windowAt = new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS)
  const endsAt = new Date(windowAt.getTime() + DAY_MS)
  const counter = PIN_COUNTER_PREFIX + createHmac('sha256', key).update(msisdn).digest('base64url')
  const [row] = await db.$queryRaw<{ hits: number }[]>`
    INSERT INTO rate_counter (key, window_at, hits, expires_at)
    VALUES (${counter}, ${windowAt}::timestamptz, 1, ${endsAt}::timestamptz)
    ON CONFLICT (key, window_at) DO UPDATE SET hits = rate_counter.hits + 1
    RETURNING hits`
  if (!row || row.hits > PINS_PER_DAY) {
    const seconds = Math.ceil((endsAt.getTime() - now.getTime()) / 1000)
    throw new ApiError('RATE_LIMITED', {
      message: 'Too many codes were sent to this number today.',
      headers: { 'retry-after': String(seconds) },
    })
  }
}
