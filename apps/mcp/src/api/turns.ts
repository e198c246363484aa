/** Requests of one account that may be at the API at one time, of the connections that all share. */
const AT_ONCE_PER_ACCOUNT = 64

interface Queue {
  running: number
  readonly waiting: Set<() => void>
}

/** Lets the requests of an account to the API take turns, so that however slow they are, others find a connection. */
export class Turns {
  readonly #queues = new Map<string, Queue>()

  /** Does the work when a place of the account is free; null where none was free in time. */
  async take<Result>(account: string, withinMs: number, work: () => Promise<Result>): Promise<Result | null> {
    const queue = this.#queues.get(account) ?? { running: 0, waiting: new Set() }
    this.#queues.set(account, queue)
    if (queue.running < AT_ONCE_PER_ACCOUNT) queue.running += 1
    else if (!(await isNext(queue, withinMs))) return null
    try {
      return await work()
    } finally {
      const [next] = queue.waiting
      // The place is handed over as it is, so that nobody who comes in between takes it.
      if (next !== undefined) next()
      else if (--queue.running === 0) this.#queues.delete(account)
    }
  }
}

/** True with a place that somebody gave back; false where nobody did in time. */
function isNext({ waiting }: Queue, withinMs: number): Promise<boolean> {
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
