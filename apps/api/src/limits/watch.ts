// When connections and tokens are looked at: behind their answers, a few at once, each not more often than every so long.
import type { Database } from '@vertexsms/db/client'
import { createMemory } from '@vertexsms/service/memory'
import { within } from '@vertexsms/service/within'
import type { FastifyBaseLogger } from 'fastify'
import { noteForOwner } from './owner-notices.ts'
import { type Looked, pauseIfAttacking } from './pause.ts'

/** Whose behaviour is looked at behind an answer. */
export interface Watched extends Looked {
  /**
   * Null for a token made by hand: what it does is its owner's own doing, so that it is never paused, and its limits are
   * looked at alone.
   */
  readonly connectionId: string | null
}

/** Connections and tokens that a process keeps in mind for the next look. */
const WATCHED_MAX = 10_000

/** Looks of one process that ask the database at the same time: what is sent meanwhile needs it more. */
const LOOKS_AT_ONCE = 3

/** A process that stops waits no longer for its looks; what is left the next look of that connection sees. */
const FINISH_WITHIN_MS = 2_000

/** Watches connections and tokens behind their answers. */
export interface PauseWatch {
  /** Something was sent or refused; returns at once, and a look is taken soon. */
  note(watched: Watched): void
  /** Resolves when no look is under way or due. */
  idle(): Promise<void>
  /**
   * For a process that stops: takes the looks that wait for their time at once, and begins none any more after two
   * seconds. Resolves when they are taken, or then.
   */
  finish(): Promise<void>
}

/** One look a connection or token at a time, and not more often than `everyMs`, however much it sends. */
export function createPauseWatch(db: Database, log: FastifyBaseLogger, everyMs: number): PauseWatch {
  const lookedMs = createMemory<number>(WATCHED_MAX)
  /** Connections whose next look has not begun. */
  const due = new Set<string>()
  /** Looks that are due or under way. */
  const running = new Set<Promise<void>>()
  /** Those under way, by whose they are. */
  const looking = new Map<string, Promise<void>>()
  /** Ends the waiting of each look whose time has not come. */
  const waiting = new Set<() => void>()
  /** Begins each look that waits for others to end. */
  const queue: (() => void)[] = []
  let free = LOOKS_AT_ONCE
  let isFinishing = false
  let isOver = false

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms).unref()
      waiting.add(end)
    })
  }

  async function inTurn(work: () => Promise<void>): Promise<void> {
    if (free > 0) free -= 1
    else await new Promise<void>((begin) => void queue.push(begin))
    await work()
    const next = queue.shift()
    if (next === undefined) free += 1
    else next()
  }

  async function lookSoon(watched: Watched): Promise<void> {
    const waitMs = (lookedMs.get(watched.spenderId) ?? Number.NEGATIVE_INFINITY) + everyMs - performance.now()
    if (waitMs > 0 && !isFinishing) await wait(waitMs)
    await looking.get(watched.spenderId)
    await inTurn(async () => {
      // From here on what is noted is not seen by this look any more.
      due.delete(watched.spenderId)
      lookedMs.set(watched.spenderId, performance.now())
      if (isOver) return
      const now = look(watched).finally(() => looking.delete(watched.spenderId))
      looking.set(watched.spenderId, now)
      await now
    })
  }

  /** Never throws. What the one half cannot ask does not keep the other from being asked. */
  async function look(watched: Watched): Promise<void> {
    const { connectionId } = watched
    const failed = (error: unknown) =>
      void log.warn({ connectionId, err: error as Error }, 'look at a connection failed')
    if (connectionId !== null) {
      const rule = await pauseIfAttacking(db, watched).catch(failed)
      if (rule) log.warn({ event: 'auto-pause', connectionId, reason: rule }, 'connection paused')
    }
    if (!isOver) await noteForOwner(db, watched).catch(failed)
  }

  async function idle(): Promise<void> {
    while (running.size > 0) await Promise.all(running)
  }

  return {
    note(watched) {
      if (due.has(watched.spenderId) || due.size >= WATCHED_MAX) return
      due.add(watched.spenderId)
      const soon: Promise<void> = lookSoon(watched).finally(() => running.delete(soon))
      running.add(soon)
    },
    idle,
    async finish() {
      isFinishing = true
      for (const end of waiting) end()
      await within(idle(), FINISH_WITHIN_MS)
      isOver = true
    },
  }
}
