import { ApiError } from '../http/api-error.ts'
import { AT_ONCE_MAX } from '../ledger/standing.ts'

/** Places with the upstream, as far as this process hands them out: who waits here asks the database for nothing. */
export interface Places {
  /** Resolves with what gives the place back; with null when none was free in time. */
  take(accountId: string, withinMs: number): Promise<(() => void) | null>
}

/** As many places an account as the ledger has; what other nodes took is counted there. */
export function createPlaces(): Places {
  const taken = new Map<string, { count: number; readonly waiting: (() => void)[] }>()

  function giveBack(accountId: string): void {
    const places = taken.get(accountId)
    if (places === undefined) return
    const next = places.waiting.shift()
    if (next !== undefined) {
      next()
      return
    }
    places.count--
    if (places.count === 0) taken.delete(accountId)
  }

  return {
    take(accountId, withinMs) {
      const places = taken.get(accountId) ?? { count: 0, waiting: [] }
      taken.set(accountId, places)
      const place = () => {
        let over = false
        return () => {
          if (!over) giveBack(accountId)
          over = true
        }
      }
      if (places.count < AT_ONCE_MAX) {
        places.count++
        return Promise.resolve(place())
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          places.waiting.splice(places.waiting.indexOf(turn), 1)
          resolve(null)
        }, withinMs)
        const turn = () => {
          clearTimeout(timer)
          resolve(place())
        }
        places.waiting.push(turn)
      })
    },
  }
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
