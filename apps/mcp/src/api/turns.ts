/** Requests of one account that may be at the API at one time, of the connections that all share. */
const AT_ONCE_PER_ACCOUNT = 64
/**
 * Accounts that are remembered while nothing of them is under way: a map that is always given and robbed of the same few is
 * built anew every few requests, and its former tables hold what they held until a full collection.
 */
const KEPT_MAX = 1_000

interface Queue {
  running: number
  /** Made for the first that waits: most accounts never have one. */
  waiting: Set<() => void> | undefined
}

/** Lets the requests of an account to the API take turns, so that however slow they are, others find a connection. */
export class Turns {
  readonly #queues = new Map<string, Queue>()

  /** True with a place of the account, which whoever has it gives back; false where none is free. */
  take(account: string): boolean {
    const queue = this.#queues.get(account)
    if (queue === undefined) this.#queues.set(account, { running: 1, waiting: undefined })
    else if (queue.running === AT_ONCE_PER_ACCOUNT) return false
    else queue.running += 1
    return true
  }

  /** True with a place that was given back; false where none was in time. */
  wait(account: string, withinMs: number): Promise<boolean> {
    const queue = this.#queues.get(account) as Queue
    queue.waiting ??= new Set()
    const { waiting } = queue
    return new Promise((resolve) => {
      const leave = (isNow: boolean) => {
        clearTimeout(timer)
        waiting.delete(go)
        resolve(isNow)
      }
      const go = () => leave(true)
      const timer = setTimeout(leave, withinMs, false)
      waiting.add(go)
    })
  }

  giveBack(account: string): void {
    const queue = this.#queues.get(account) as Queue
    const [next] = queue.waiting ?? []
    // The place is handed over as it is, so that nobody who comes in between takes it.
    if (next !== undefined) next()
    else if (--queue.running === 0 && this.#queues.size > KEPT_MAX) this.#queues.delete(account)
  }
}
