/** Work of which little runs at once. */
export interface Turns {
  /**
   * Does the work when it is its turn, and those for whom work waits take turns: how much of it one has keeps nobody else
   * waiting. When all places are taken, whoever has the most waiting loses the last of it. Throws {@link TurnsTaken} there,
   * and for one more of those who have as much as anybody.
   */
  run<Result>(whose: string, work: () => Promise<Result>): Promise<Result>
}

/** Too much waits for its turn. Answered with 503. */
class TurnsTaken extends Error {
  override readonly name = 'TurnsTaken'
  readonly statusCode = 503
}

interface Waiting {
  readonly begin: () => void
  readonly leave: (reason: TurnsTaken) => void
}

/** Turns for `atOnce` at a time, for which `waitingMax` may wait. */
export function createTurns({ atOnce, waitingMax }: { readonly atOnce: number; readonly waitingMax: number }): Turns {
  /** In the order of their next turn; nobody is in it with nothing. */
  const waiting = new Map<string, Waiting[]>()
  let running = 0
  let total = 0

  function wait(whose: string): Promise<void> {
    if (total >= waitingMax) makeRoomFor(whose)
    total += 1
    return new Promise((begin, leave) => {
      const own = waiting.get(whose)
      if (own === undefined) waiting.set(whose, [{ begin, leave }])
      else own.push({ begin, leave })
    })
  }

  function makeRoomFor(whose: string): void {
    const most = [...waiting.values()].reduce((one, other) => (other.length > one.length ? other : one))
    if (most.length <= (waiting.get(whose)?.length ?? 0) + 1) throw new TurnsTaken('All places are taken.')
    total -= 1
    most.pop()?.leave(new TurnsTaken('Others have less waiting.'))
  }

  function passOn(): void {
    const [next] = waiting
    if (next === undefined) {
      running -= 1
      return
    }
    const [whose, [first, ...rest]] = next
    waiting.delete(whose)
    // Behind everybody else.
    if (rest.length > 0) waiting.set(whose, rest)
    total -= 1
    first?.begin()
  }

  return {
    async run(whose, work) {
      if (running >= atOnce) await wait(whose)
      else running += 1
      try {
        return await work()
      } finally {
        passOn()
      }
    },
  }
}
