import type { LRUCache } from 'lru-cache'
import { createMemory } from './memory.ts'

interface Bucket {
  tokens: number
  /** Monotonic milliseconds. */
  at: number
}

/** How fast a bucket fills, and how much it holds: what may come at once. */
export interface Pace {
  readonly perSecond: number
  readonly burst: number
}

/** The pace of so many a minute, all of which may come at once. */
export function perMinute(count: number): Pace {
  return { perSecond: count / 60, burst: count }
}

const KEYS_MAX = 50_000

/**
 * A token bucket per key in the memory of this process: full at first, refilled evenly. Bounded: of more than `keysMax` the
 * longest unused key is forgotten.
 */
export class Buckets {
  private readonly buckets: LRUCache<string, Bucket>
  private readonly pace: Pace

  constructor(pace: Pace, keysMax = KEYS_MAX) {
    this.pace = pace
    this.buckets = createMemory(keysMax)
  }

  /** Takes one token; the seconds until there is one when the bucket is empty, 0 when it was taken. */
  take(key: string): number {
    const bucket = this.refill(key)
    if (bucket.tokens < 1) return this.waitSeconds(bucket)
    bucket.tokens -= 1
    return 0
  }

  /** Gives a taken token back. */
  give(key: string): void {
    const bucket = this.buckets.get(key)
    if (bucket !== undefined) bucket.tokens = Math.min(this.pace.burst, bucket.tokens + 1)
  }

  /** The seconds until there is a token, without taking one. */
  peek(key: string): number {
    if (!this.buckets.has(key)) return 0
    const bucket = this.refill(key)
    return bucket.tokens < 1 ? this.waitSeconds(bucket) : 0
  }

  private refill(key: string): Bucket {
    const now = performance.now()
    let bucket = this.buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: this.pace.burst, at: now }
      this.buckets.set(key, bucket)
    }
    const gained = ((now - bucket.at) / 1000) * this.pace.perSecond
    bucket.tokens = Math.min(this.pace.burst, bucket.tokens + gained)
    bucket.at = now
    return bucket
  }

  private waitSeconds(bucket: Bucket): number {
    return Math.max(1, Math.ceil((1 - bucket.tokens) / this.pace.perSecond))
  }
}
