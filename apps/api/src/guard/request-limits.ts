import { LRUCache } from 'lru-cache'
import { ApiError } from '../http/api-error.ts'
import { LIMITS } from '../limits.ts'

/** What a request is counted for. */
interface Counted {
  /** Of the token's row. */
  readonly id: string
  readonly accountId: string
}

/** The pace of one node's callers, and who of them waits for a result. */
export interface RequestLimits {
  /** Counts one request of a token and its account. Throws RATE_LIMITED with the time after which one more is taken. */
  take(caller: Counted): void
  /** Counts one wait until the returned function is called. Throws RATE_LIMITED. */
  wait(caller: Counted): () => void
}

interface Bucket {
  tokens: number
  /** Milliseconds, by a clock that never goes back. */
  at: number
}

const { requests, waits } = LIMITS

/** In memory and of one node: what is protected is a node's time. Without `paced` only waits are counted. */
export function createRequestLimits(paced: boolean): RequestLimits {
  const buckets = new LRUCache<string, Bucket>({ max: requests.remembered })
  const waiting = new Map<string, number>()

  /** Fills a bucket up to now; seconds until it holds one request, 0 where it does. */
  function look(key: string, { perSecond, burst }: { perSecond: number; burst: number }, now: number): number {
    const bucket = buckets.get(key) ?? { tokens: burst, at: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond)
    bucket.at = now
    buckets.set(key, bucket)
    return bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / perSecond
  }

  return {
    take({ id, accountId }) {
      if (!paced) return
      const now = performance.now()
      const keys = [
        [`token ${id}`, requests.perToken],
        [`account ${accountId}`, requests.perAccount],
      ] as const
      // Refused by one, it costs the other nothing.
      const seconds = Math.max(...keys.map(([key, limit]) => look(key, limit, now)))
      if (seconds > 0) throw limited(Math.ceil(seconds))
      for (const [key] of keys) {
        const bucket = buckets.peek(key)
        if (bucket) bucket.tokens--
      }
    },

    wait({ id, accountId }) {
      const keys = [
        ['node', waits.perNode],
        [`account ${accountId}`, waits.perAccount],
        [`token ${id}`, waits.perToken],
      ] as const
      for (const [key, limit] of keys) if ((waiting.get(key) ?? 0) >= limit) throw limited(waits.retrySeconds)
      for (const [key] of keys) waiting.set(key, (waiting.get(key) ?? 0) + 1)
      let over = false
      return () => {
        if (over) return
        over = true
        for (const [key] of keys) {
          const left = (waiting.get(key) ?? 1) - 1
          if (left === 0) waiting.delete(key)
          else waiting.set(key, left)
        }
      }
    },
  }
}

function limited(seconds: number): ApiError {
  return new ApiError('RATE_LIMITED', { headers: { 'retry-after': String(seconds) } })
}
