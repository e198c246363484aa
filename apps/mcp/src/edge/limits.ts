import { LRUCache } from 'lru-cache'
import type { Config } from '../env.ts'

/** Counts what one client does; a wait in whole seconds, or 0 when the request may go on. */
export interface Limits {
  /** One call of a connection or token. */
  call(key: string): number
  /** One request without credentials or with refused ones, by the client's address. */
  failure(address: string): number
  /** Seconds to wait before an address with too many failures may try a credential that is not known to work; 0 if none. */
  blocked(address: string, credentialKey: string): number
  /** Remembers that a credential was accepted, so that failures of others behind one address do not hold it up. */
  accepted(credentialKey: string): void
}

interface Bucket {
  tokens: number
  /** Monotonic milliseconds. */
  at: number
}

const CLIENTS_MAX = 50_000
const KNOWN_CREDENTIALS_MAX = 50_000

/** A token bucket per key, full at first, refilled evenly; bounded, the longest unused key is forgotten. */
class Buckets {
  readonly #buckets = new LRUCache<string, Bucket>({ max: CLIENTS_MAX })
  readonly #perMinute: number

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** Takes one token; the seconds until there is one when the bucket is empty. */
  take(key: string): number {
    const bucket = this.#refill(key)
    if (bucket.tokens < 1) return this.#wait(bucket)
    bucket.tokens -= 1
    return 0
  }

  /** The seconds until there is a token, without taking one. */
  peek(key: string): number {
    if (!this.#buckets.has(key)) return 0
    const bucket = this.#refill(key)
    return bucket.tokens < 1 ? this.#wait(bucket) : 0
  }

  #refill(key: string): Bucket {
    const now = performance.now()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: this.#perMinute, at: now }
      this.#buckets.set(key, bucket)
    }
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + ((now - bucket.at) * this.#perMinute) / 60_000)
    bucket.at = now
    return bucket
  }

  #wait(bucket: Bucket): number {
    return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60) / this.#perMinute))
  }
}

const UNLIMITED: Limits = { call: () => 0, failure: () => 0, blocked: () => 0, accepted: () => {} }

/** The limits of one process, in memory. `RATE_LIMITS=off` switches them off. */
export function createLimits(config: Config): Limits {
  if (!config.RATE_LIMITS) return UNLIMITED
  const calls = new Buckets(config.CALLS_PER_MINUTE)
  const failures = new Buckets(config.FAILURES_PER_MINUTE)
  const known = new LRUCache<string, true>({ max: KNOWN_CREDENTIALS_MAX })
  return {
    call: (key) => calls.take(key),
    failure: (address) => failures.take(address),
    blocked: (address, credentialKey) => (known.has(credentialKey) ? 0 : failures.peek(address)),
    accepted: (credentialKey) => {
      if (!known.has(credentialKey)) known.set(credentialKey, true)
    },
  }
}
