import { LRUCache } from 'lru-cache'

interface Bucket {
  tokens: number
  /** Monotonic milliseconds. */
  at: number
}

const KEYS_MAX = 50_000

/**
 * A token bucket per key in the memory of this process: full at first, refilled evenly over a minute. Bounded: the
 * longest unused key is forgotten.
 */
export class Buckets {
  private readonly buckets = new LRUCache<string, Bucket>({ max: KEYS_MAX })
  private readonly perMinute: number

  constructor(perMinute: number) {
    this.perMinute = perMinute
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
    if (bucket !== undefined) bucket.tokens = Math.min(this.perMinute, bucket.tokens + 1)
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
      bucket = { tokens: this.perMinute, at: now }
      this.buckets.set(key, bucket)
    }
    bucket.tokens = Math.min(this.perMinute, bucket.tokens + ((now - bucket.at) * this.perMinute) / 60_000)
    bucket.at = now
    return bucket
  }

  private waitSeconds(bucket: Bucket): number {
    return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60) / this.perMinute))
  }
}
