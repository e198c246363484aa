import type { Database } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/db/tokens'

/** How often something may happen: `hits` in each window of `seconds`. */
export interface Limit {
  readonly hits: number
  readonly seconds: number
}

/** The limits of this app, per client address unless the name says otherwise. */
export const LIMITS = {
  registration: { hits: 60, seconds: 60 },
  token: { hits: 1200, seconds: 60 },
  introspection: { hits: 1200, seconds: 60 },
  revocation: { hits: 600, seconds: 60 },
  pushedRequest: { hits: 300, seconds: 60 },
  /** Authorization requests of clients known by a metadata document, which may make us fetch it. */
  documentClient: { hits: 60, seconds: 60 },
  /** Fetches of one metadata document. A node asks once a minute; this is for all nodes. */
  documentUrl: { hits: 4, seconds: 60 },
  /**
   * Fetches of documents that were never seen, per host. Far more than one address may cause, so that whoever makes up
   * paths uses up its own share before the host's.
   */
  documentHost: { hits: 600, seconds: 60 },
} as const satisfies Record<string, Limit>

/** What a {@link RateLimiter} says: go on, or come back after so many whole seconds. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number }

/** Counts events in fixed windows that all nodes share through the database. */
export interface RateLimiter {
  /** Counts one event of `subject` under `name` and judges it. Subjects are stored hashed. */
  hit(name: string, subject: string, limit: Limit, now?: Date): Promise<Verdict>
  /** Forgets what was counted for `subject` under `name`, as a success does with the failures before it. */
  forget(name: string, subject: string): Promise<void>
}

/** A limiter over the shared table; with `enabled: false` everything is allowed and nothing is counted. */
export function createRateLimiter({ db, enabled }: { readonly db: Database; readonly enabled: boolean }): RateLimiter {
  return {
    async hit(name, subject, limit, now = new Date()) {
      if (!enabled) return { allowed: true }
      const windowMs = limit.seconds * 1000
      const windowAt = new Date(Math.floor(now.getTime() / windowMs) * windowMs)
      const endsAt = new Date(windowAt.getTime() + windowMs)
      const key = counterKey(name, subject)
      const rows = await db.$queryRaw<[{ hits: number }]>`
        INSERT INTO rate_counter (key, window_at, hits, expires_at)
        VALUES (${key}, ${windowAt}::timestamptz, 1, ${endsAt}::timestamptz)
        ON CONFLICT (key, window_at) DO UPDATE SET hits = rate_counter.hits + 1
        RETURNING hits`
      if (rows[0].hits <= limit.hits) return { allowed: true }
      return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil((endsAt.getTime() - now.getTime()) / 1000)) }
    },

    async forget(name, subject) {
      if (enabled) await db.rateCounter.deleteMany({ where: { key: counterKey(name, subject) } })
    },
  }
}

function counterKey(name: string, subject: string): string {
  return `${name}:${Buffer.from(hashToken(subject)).toString('base64url')}`
}
