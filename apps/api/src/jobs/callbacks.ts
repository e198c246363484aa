import type { Database } from '@vertexsms/db/client'
import { runningFrom } from '@vertexsms/db/clock'
import type { Job } from '@vertexsms/service/jobs'
import { LIMITS } from '../service-limits.ts'
import { claimCallbacks, type Owed } from './callback-claim.ts'

/** Posts a JSON body to a URL of a customer; true when it answered 200 with the body `OK`. Never throws. */
export type Post = (url: string, body: string) => Promise<boolean>

/** The job that posts what is owed. */
export const CALLBACKS = 'callbacks'

/** Callbacks are given up this long after they were owed. */
export const CALLBACK_LIFETIME_MS = 86_400_000

/** The pause after the first failed attempt; it is four times as long after each further one. */
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 4 * 3_600_000

/** Attempts that end within this time ask for their successors together. */
const GATHER_MS = 10

/** So many times as long as the last look took, where that is longer: looks have a fifth of the time at most. */
const GATHER_LOOKS = 4

/** How long to wait after the given number of failed attempts. */
export function pauseAfterMs(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 4 ** Math.min(attempts - 1, 20), LONGEST_PAUSE_MS)
}

/** The posts of one node. */
export interface CallbackJob extends Job {
  /** Resolves when none of its attempts is under way. */
  idle(): Promise<void>
}

/**
 * Delivers what is owed to customers' URLs until they answer `200 OK`, their tries are used up or a day has passed. No
 * attempt waits for another: one that ends makes room for the next that has a turn. A node that dies in the middle
 * leaves a lease that ends, and the post is made again: customers must take a report twice, as with every such service.
 * `wake` asks for a turn of this job.
 */
export function createCallbackJob(db: Database, post: Post, everyMs: number, wake: () => void): CallbackJob {
  const running = new Set<Promise<void>>()
  let gathering: NodeJS.Timeout | undefined
  let lookMs = 0

  async function attempt(owed: Owed, clock: () => Date): Promise<void> {
    const { id, url, body, attempts, attemptsMax, createdAt } = owed
    const endsAt = createdAt.getTime() + CALLBACK_LIFETIME_MS
    const delivered = clock().getTime() < endsAt && (await post(url, JSON.stringify(body)))
    const now = clock()
    if (delivered) {
      await db.callback.updateMany({ where: { id, deliveredAt: null }, data: { deliveredAt: now, leasedUntil: null } })
      return
    }
    const nextAt = new Date(now.getTime() + pauseAfterMs(attempts))
    const over = attempts >= attemptsMax || nextAt.getTime() > endsAt
    await db.callback.updateMany({
      where: { id, attempts, deliveredAt: null },
      data: over ? { abandonedAt: now, leasedUntil: null } : { nextAt, leasedUntil: null },
    })
  }

  function start(owed: Owed, clock: () => Date): void {
    // What could not be noted is taken up again when its lease ends.
    const attempted: Promise<void> = attempt(owed, clock)
      .catch(() => {})
      .finally(() => {
        running.delete(attempted)
        gathering ??= setTimeout(
          () => {
            gathering = undefined
            wake()
          },
          Math.max(GATHER_MS, GATHER_LOOKS * lookMs),
        )
      })
    running.add(attempted)
  }

  async function idle(): Promise<void> {
    while (running.size > 0) await Promise.all(running)
  }

  return {
    name: CALLBACKS,
    everyMs,
    async run(clock, isStopping) {
      const slots = LIMITS.posts.perNode - running.size
      if (slots <= 0) return 0
      const now = await clock()
      // Another node posts them at once; begun here they would be cut off, and come a second time.
      if (isStopping()) return 0
      const sinceThen = runningFrom(now)
      const began = performance.now()
      const owed = await claimCallbacks(db, slots, now)
      lookMs = performance.now() - began
      for (const one of owed) start(one, sinceThen)
      return owed.length
    },
    async stop() {
      await idle()
      clearTimeout(gathering)
    },
    idle,
  }
}
