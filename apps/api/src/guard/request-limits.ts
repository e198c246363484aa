import { Buckets } from '@vertexsms/service/buckets'
import { ApiError } from '../http/api-error.ts'
import { LIMITS } from '../service-limits.ts'

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

const { requests, waits } = LIMITS

/** In memory and of one node: what is protected is a node's time. Without `paced` only waits are counted. */
export function createRequestLimits(paced: boolean): RequestLimits {
  const ofToken = new Buckets(requests.perToken, requests.remembered)
  const ofAccount = new Buckets(requests.perAccount, requests.remembered)
  const waiting = new Map<string, number>()

  return {
    take({ id, accountId }) {
      if (!paced) return
      // Refused by one, it costs the other nothing.
      const seconds = Math.max(ofToken.peek(id), ofAccount.peek(accountId))
      if (seconds > 0) throw limited(seconds)
      ofToken.take(id)
      ofAccount.take(accountId)
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
