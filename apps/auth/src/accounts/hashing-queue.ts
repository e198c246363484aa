/** Whose work it is, by a name of its own; of a stranger no more is known than an address. */
export interface Whose {
  readonly name: string
  readonly isStranger: boolean
}

/** Work that is dear, as the hashing of passwords is, so that little of it runs at once. */
export interface HashingQueue {
  /**
   * Does the work when it is its turn, and those for whom work waits take turns, strangers after all others but for one turn
   * in four: how much of it one has keeps nobody else waiting. When all places are taken, whoever has the most waiting loses
   * the last of it; where nobody has more than the others, a stranger loses it to whoever is none. Throws {@link QueueFull}
   * there, and for one more of those who have as much as anybody.
   */
  run<Result>(whose: Whose, work: () => Promise<Result>): Promise<Result>
}

/** Too much waits for its turn. Answered with 503. */
class QueueFull extends Error {
  override readonly name = 'QueueFull'
  readonly statusCode = 503
}

/** Turns of others, one after the other, for which strangers are kept waiting: some that always ask would do so for ever. */
const OTHERS_IN_A_ROW = 3

interface Waiting {
  readonly begin: () => void
  readonly leave: (reason: QueueFull) => void
}

interface Line {
  readonly whose: Whose
  readonly waiting: Waiting[]
}

/** A queue of which `atOnce` run at a time, and `waitingMax` may wait. */
export function createHashingQueue({
  atOnce,
  waitingMax,
}: {
  readonly atOnce: number
  readonly waitingMax: number
}): HashingQueue {
  /** By name, in the order of their next turn; nobody is in it with nothing. */
  const lines = new Map<string, Line>()
  let running = 0
  let total = 0
  /** How many others had their turn while strangers waited, since one of these had theirs. */
  let passedOver = 0

  function wait(whose: Whose): Promise<void> {
    if (total >= waitingMax) makeRoomFor(whose)
    total += 1
    return new Promise((begin, leave) => {
      const line = lines.get(whose.name) ?? { whose, waiting: [] }
      line.waiting.push({ begin, leave })
      lines.set(whose.name, line)
    })
  }

  function makeRoomFor({ name, isStranger }: Whose): void {
    const enough = (lines.get(name)?.waiting.length ?? 0) + 1
    const loser =
      longest((line) => line.waiting.length > enough) ?? (isStranger ? null : longest((line) => line.whose.isStranger))
    if (loser === null) throw new QueueFull('All places are taken.')
    total -= 1
    loser.waiting.pop()?.leave(new QueueFull('Others come first.'))
    if (loser.waiting.length === 0) lines.delete(loser.whose.name)
  }

  function longest(may: (line: Line) => boolean): Line | null {
    let found: Line | null = null
    for (const line of lines.values()) {
      if (may(line) && line.waiting.length > (found?.waiting.length ?? 0)) found = line
    }
    return found
  }

  function first(may: (line: Line) => boolean): Line | null {
    for (const line of lines.values()) if (may(line)) return line
    return null
  }

  function nextLine(): Line | null {
    const stranger = first((line) => line.whose.isStranger)
    const other = first((line) => !line.whose.isStranger)
    if (stranger !== null && other !== null && passedOver < OTHERS_IN_A_ROW) {
      passedOver += 1
      return other
    }
    passedOver = 0
    return stranger ?? other
  }

  function passOn(): void {
    const next = nextLine()
    if (next === null) {
      running -= 1
      return
    }
    const waited = next.waiting.shift()
    lines.delete(next.whose.name)
    // Behind everybody else.
    if (next.waiting.length > 0) lines.set(next.whose.name, next)
    total -= 1
    waited?.begin()
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
