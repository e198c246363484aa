import { ApiError } from '../http/api-error.ts'
import { AT_ONCE_MAX } from '../ledger/standing.ts'

/** Places with the upstream, as far as this process hands them out: who waits here asks the database for nothing. */
export interface Places {
  /**
   * Takes `count` places, one where nothing else is said, in the order of those who ask. Resolves with what gives them
   * back; with null when they were not free in time, and never so where `withinMs` is null.
   */
  take(accountId: string, withinMs: number | null, count?: number): Promise<(() => void) | null>
}

interface OfAccount {
  free: number
  users: number
  readonly waiting: { readonly count: number; readonly go: () => void }[]
}

/** As many places an account as the ledger has; what other nodes took is counted there. */
export function createPlaces(): Places {
  const accounts = new Map<string, OfAccount>()

  function leave(accountId: string, of: OfAccount): void {
    of.users--
    if (of.users === 0) accounts.delete(accountId)
  }

  function next(of: OfAccount): void {
    for (let first = of.waiting[0]; first !== undefined && first.count <= of.free; first = of.waiting[0]) {
      of.waiting.shift()
      of.free -= first.count
      first.go()
    }
  }

  return {
    take(accountId, withinMs, count = 1) {
      const of = accounts.get(accountId) ?? { free: AT_ONCE_MAX, users: 0, waiting: [] }
      accounts.set(accountId, of)
      of.users++
      let isOver = false
      const giveBack = () => {
        if (isOver) return
        isOver = true
        of.free += count
        leave(accountId, of)
        next(of)
      }
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined
        const turn = {
          count,
          go() {
            clearTimeout(timer)
            resolve(giveBack)
          },
        }
        of.waiting.push(turn)
        if (withinMs !== null) {
          timer = setTimeout(() => {
            of.waiting.splice(of.waiting.indexOf(turn), 1)
            leave(accountId, of)
            next(of)
            resolve(null)
          }, withinMs)
        }
        next(of)
      })
    },
  }
}

/** How many of one kind each account has under way in this process. */
export interface Crowd {
  /** Counts one more; gives what ends it, null where the account has as many as it may. */
  join(accountId: string): (() => void) | null
  /** Accounts that have as many as they may. */
  full(): string[]
}

/** A crowd of at most `max` an account. */
export function createCrowd(max: number): Crowd {
  const counts = new Map<string, number>()
  return {
    join(accountId) {
      const count = counts.get(accountId) ?? 0
      if (count >= max) return null
      counts.set(accountId, count + 1)
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        const left = (counts.get(accountId) ?? 1) - 1
        if (left === 0) counts.delete(accountId)
        else counts.set(accountId, left)
      }
    },
    full: () => [...counts].flatMap(([accountId, count]) => (count >= max ? [accountId] : [])),
  }
}

/** The refusal of a list while too many of the account are under way. */
export function tooManyLists(): ApiError {
  return new ApiError('RATE_LIMITED', {
    message: 'Too many lists of this account are on their way at this moment. Nothing was sent.',
    headers: { 'retry-after': '5' },
  })
}

/** The refusal of a message for which no place was free in time. */
export function noPlace(): ApiError {
  return new ApiError('RATE_LIMITED', {
    message: 'Too many messages of this account are on their way at this moment. Nothing was sent.',
    headers: { 'retry-after': '1' },
  })
}

/**
 * Does the work in a place. Where none was free in time it is given the refusal instead of a place, to be told once the
 * request is known to be no repeat: a repeat needs none.
 */
export async function inPlace<Result>(
  { places, times }: { readonly places: Places; readonly times: { readonly placeMs: number } },
  accountId: string,
  work: (refusal: ApiError | null) => Promise<Result>,
): Promise<Result> {
  const giveBack = await places.take(accountId, times.placeMs)
  if (giveBack === null) return work(noPlace())
  try {
    return await work(null)
  } finally {
    giveBack()
  }
}
