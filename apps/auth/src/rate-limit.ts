import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { addressGroups } from '@vertexsms/service/address'
import { LIMITS, type LimitName } from './limits.ts'

/** Who is counted: an address by its groups, something named (a client, an account, a host), or both as a pair. */
export interface Subject {
  readonly address?: string
  readonly about?: string
}

/** What a {@link RateLimiter} says: go on, or come back after so many whole seconds. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number }

/** Counts events in fixed windows that all nodes share through the database. Subjects are stored hashed. */
export interface RateLimiter {
  /** Counts one event and judges it. What is refused by the wider ceiling leaves no row for the address itself. */
  hit(name: LimitName, subject: Subject, now?: Date): Promise<Verdict>
  /** Judges without counting: refused once as many were counted as are allowed. */
  look(name: LimitName, subject: Subject, now?: Date): Promise<Verdict>
  /** Forgets what was counted, as a success does with the failures before it. */
  forget(name: LimitName, subject: Subject): Promise<void>
}

const ALLOWED: Verdict = { allowed: true }

/** A limiter over the shared table; with `enabled: false` everything is allowed and nothing is counted. */
export function createRateLimiter({ db, enabled }: { readonly db: Database; readonly enabled: boolean }): RateLimiter {
  async function count(key: string, window: Window): Promise<number> {
    const rows = await db.$queryRaw<[{ hits: number }]>`
      INSERT INTO rate_counter (key, window_at, hits, expires_at)
      VALUES (${key}, ${window.at}::timestamptz, 1, ${window.endsAt}::timestamptz)
      ON CONFLICT (key, window_at) DO UPDATE SET hits = rate_counter.hits + 1
      RETURNING hits`
    return rows[0].hits
  }

  return {
    async hit(name, subject, now = new Date()) {
      if (!enabled) return ALLOWED
      const window = windowOf(name, now)
      for (const { key, ceiling } of countersOf(name, subject)) {
        if ((await count(key, window)) > ceiling) return refused(window, now)
      }
      return ALLOWED
    },

    async look(name, subject, now = new Date()) {
      if (!enabled) return ALLOWED
      const window = windowOf(name, now)
      const counters = countersOf(name, subject)
      const rows = await db.$queryRaw<{ key: string; hits: number }[]>`
        SELECT key, hits FROM rate_counter
        WHERE key IN (${Prisma.join(counters.map(({ key }) => key))}) AND window_at = ${window.at}::timestamptz`
      const over = rows.some(({ key, hits }) => counters.some((one) => one.key === key && hits >= one.ceiling))
      return over ? refused(window, now) : ALLOWED
    },

    async forget(name, subject) {
      if (!enabled) return
      const keys = countersOf(name, subject).map(({ key }) => key)
      await db.rateCounter.deleteMany({ where: { key: { in: keys } } })
    },
  }
}

interface Window {
  readonly at: Date
  readonly endsAt: Date
}

function windowOf(name: LimitName, now: Date): Window {
  const windowMs = LIMITS[name].seconds * 1000
  const at = new Date(Math.floor(now.getTime() / windowMs) * windowMs)
  return { at, endsAt: new Date(at.getTime() + windowMs) }
}

function refused({ endsAt }: Window, now: Date): Verdict {
  return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil((endsAt.getTime() - now.getTime()) / 1000)) }
}

/** The counters of a subject, the widest first. */
function countersOf(name: LimitName, { address, about }: Subject): { key: string; ceiling: number }[] {
  const { hits, network } = LIMITS[name]
  const groups = address === undefined ? null : addressGroups(address)
  const wide = groups?.wide ? [{ key: counterKey(name, groups.wide, about), ceiling: network }] : []
  return [...wide, { key: counterKey(name, groups?.narrow, about), ceiling: hits }]
}

function counterKey(name: string, group: string | undefined, about: string | undefined): string {
  const subject = [about, group].filter((part) => part !== undefined).join('\n')
  return `${name}:${Buffer.from(hashToken(subject)).toString('base64url')}`
}
