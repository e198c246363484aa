/** Requests of one account that may be at the API at one time, of the connections that all share. */
const AT_ONCE_PER_ACCOUNT = 64

interface Queue {
  running: number
  readonly waiting: (() => void)[]
}

/** Lets the requests of an account to the API take turns, so that however slow they are, others find a connection. */
export class Turns {
  readonly #queues = new Map<string, Queue>()

  /** Does the work when a place of the account is free, telling it for how many milliseconds it waited for that. */
  async take<Result>(account: string, work: (waitedMs: number) => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(account) ?? { running: 0, waiting: [] }
    this.#queues.set(account, queue)
    let waitedMs = 0
    if (queue.running < AT_ONCE_PER_ACCOUNT) queue.running += 1
    else {
      const from = performance.now()
      // The place is handed over as it is, so that nobody who comes in between takes it.
      await new Promise<void>((resolve) => queue.waiting.push(resolve))
      waitedMs = performance.now() - from
    }
    try {
      return await work(waitedMs)
    } finally {
      const next = queue.waiting.shift()
      if (next !== undefined) next()
      else if (--queue.running === 0) this.#queues.delete(account)
    }
  }
}
