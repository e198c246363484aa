/**
 * Callers that are remembered while nothing of them is under way: a map that is always given and robbed of the same few is
 * built anew every few requests, and its former tables hold what they held until a full collection.
 */
const REMEMBERED_MAX = 1_000

/** How many calls may be under way at one time. */
export interface FairSemaphoreOptions {
  /** Of one caller. */
  readonly each: number
  /** Of all together: as many as there are connections, so that no call waits for one after it had its turn. */
  readonly all: number
  /** Of `all`, those that are left to callers with less than `few` under way: some that take all they may jam nobody else. */
  readonly kept?: number
  readonly few?: number
}

interface Line {
  running: number
  /** Made for the first that waits: most callers never have one. */
  waiting: Set<() => void> | undefined
}

/**
 * Lets calls to another service take turns, so that however slow those of one caller are, or of some, others find a
 * connection. Where all are taken, each that gets free goes to the next caller in turn, however many calls of one wait.
 */
export class FairSemaphore {
  readonly #each: number
  readonly #all: number
  /** As many may be under way before what is left is kept for those with few. */
  readonly #forAnybody: number
  readonly #few: number
  readonly #lines = new Map<string, Line>()
  /**
   * Those whose calls wait for nothing but the end of others', whose turn is next first. While there is room, none has few
   * under way: so many are few.
   */
  readonly #next = new Set<Line>()
  #running = 0

  constructor({ each, all, kept = 0, few = 0 }: FairSemaphoreOptions) {
    this.#each = each
    this.#all = all
    this.#forAnybody = all - kept
    this.#few = few
  }

  /** True with a place of the caller, which whoever has it gives back; false where none is free. */
  take(caller: string): boolean {
    const line = this.#lines.get(caller)
    if (!this.#hasRoom(line?.running ?? 0)) return false
    if (line === undefined) this.#lines.set(caller, { running: 1, waiting: undefined })
    else line.running += 1
    this.#running += 1
    return true
  }

  /** Whether a caller with so many under way may have one more. */
  #hasRoom(running: number): boolean {
    return running < this.#each && this.#running < (running < this.#few ? this.#all : this.#forAnybody)
  }

  /** For whom {@link take} had no place: true with one that was given back; false where none was in time, or before `gone` aborts. */
  wait(caller: string, withinMs: number, gone?: AbortSignal): Promise<boolean> {
    if (gone?.aborted) return Promise.resolve(false)
    const line = this.#lines.get(caller) ?? { running: 0, waiting: undefined }
    this.#lines.set(caller, line)
    line.waiting ??= new Set()
    const { waiting } = line
    return new Promise((resolve) => {
      const leave = (isNow: boolean) => {
        clearTimeout(timer)
        gone?.removeEventListener('abort', giveUp)
        waiting.delete(go)
        if (waiting.size === 0) this.#next.delete(line)
        resolve(isNow)
      }
      const go = () => leave(true)
      const giveUp = () => {
        leave(false)
        this.#forget(caller, line)
      }
      const timer = setTimeout(giveUp, withinMs)
      gone?.addEventListener('abort', giveUp)
      waiting.add(go)
      this.#queue(line)
    })
  }

  giveBack(caller: string): void {
    const line = this.#lines.get(caller) as Line
    line.running -= 1
    this.#running -= 1
    this.#queue(line)
    if (this.#next.size > 0) this.#handOver()
    this.#forget(caller, line)
  }

  /**
   * At once, so that nobody who comes in between takes the place. One that gets free may be two: for anybody, and one of those
   * kept, for whoever has few from now on.
   */
  #handOver(): void {
    for (const line of this.#next) {
      if (this.#running >= this.#all) return
      const [go] = line.waiting ?? []
      if (go === undefined || !this.#hasRoom(line.running)) continue
      this.#next.delete(line)
      line.running += 1
      this.#running += 1
      go()
      // Behind all others, where it is looked at once more.
      this.#queue(line)
    }
  }

  #queue(line: Line): void {
    if (line.waiting !== undefined && line.waiting.size > 0 && line.running < this.#each) this.#next.add(line)
  }

  #forget(caller: string, line: Line): void {
    const isIdle = line.running === 0 && !line.waiting?.size
    if (isIdle && this.#lines.size > REMEMBERED_MAX) this.#lines.delete(caller)
  }
}
