import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { addressGroups } from '@vertexsms/service/address'
import { LIMITS, type LimitName } from '../limits.ts'

/** Who is counted: an address by its groups, something named (a client, an account, a host), or both as a pair. */
export interface Subject {
  readonly address?: string
  readonly about?: string
}

/** What a {@link RateLimiter} says: go on, or come back after so many whole seconds. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number }

/** Counts events in fixed windows that all nodes share through the database, by its clock. Subjects are stored hashed. */
export interface RateLimiter {
  /** Counts one event and judges it. What is refused by the wider ceiling leaves no row for the address itself. */
  hit(name: LimitName, subject: Subject): Promise<Verdict>
  /** Judges without counting: refused once as many were counted as are allowed. */
  look(name: LimitName, subject: Subject): Promise<Verdict>
  /** Forgets what was counted, as a success does with the failures before it. */
  forget(name: LimitName, subject: Subject): Promise<void>
}

const ALLOWED: Verdict = { allowed: true }

/** A limiter over the shared table; with `enabled: false` everything is allowed and nothing is counted. */
export function createRateLimiter({ db, enabled }: { readonly db: Database; readonly enabled: boolean }): RateLimiter {
  async function count(key: string, name: LimitName): Promise<Counted> {
    const rows = await db.$queryRaw<[Counted]>`
      INSERT INTO rate_counter (key, window_at, hits, expires_at)
      SELECT ${key}, at, 1, ends_at FROM (${windowOf(name)}) one_window
      ON CONFLICT (key, window_at) DO UPDATE SET hits = rate_counter.hits + 1
      RETURNING hits, ${SECONDS_LEFT}`
    return rows[0]
  }

  return {
    async hit(name, subject) {
      if (!enabled) return ALLOWED
      for (const { key, ceiling } of countersOf(name, subject)) {
        const counted = await count(key, name)
        if (counted.hits > ceiling) return refused(counted)
      }
      return ALLOWED
    },

    async look(name, subject) {
      if (!enabled) return ALLOWED
      const counters = countersOf(name, subject)
      const rows = await db.$queryRaw<(Counted & { key: string })[]>`
        SELECT key, hits, ${SECONDS_LEFT} FROM rate_counter
        WHERE key IN (${Prisma.join(counters.map(({ key }) => key))})
          AND window_at = (SELECT at FROM (${windowOf(name)}) one_window)`
      const over = rows.find(({ key, hits }) => counters.some((one) => one.key === key && hits >= one.ceiling))
      return over ? refused(over) : ALLOWED
    },

    async forget(name, subject) {
      if (!enabled) return
      const keys = countersOf(name, subject).map(({ key }) => key)
      await db.rateCounter.deleteMany({ where: { key: { in: keys } } })
    },
  }
}

interface Counted {
  readonly hits: number
  /** Until the window ends. */
  readonly secondsLeft: number
}

const SECONDS_LEFT = Prisma.sql`ceil(extract(epoch FROM expires_at - database_now()))::int AS "secondsLeft"`

/** The window of this moment, `at` to `ends_at`: whole multiples of its length since the epoch, alike on every node. */
function windowOf(name: LimitName): Prisma.Sql {
  const { seconds } = LIMITS[name]
  return Prisma.sql`
    SELECT at, at + ${seconds}::int * interval '1 second' AS ends_at
    FROM (SELECT to_timestamp(floor(extract(epoch FROM database_now()) / ${seconds}::int) * ${seconds}::int) AS at) began`
}

function refused({ secondsLeft }: Counted): Verdict {
  return { allowed: false, retryAfterSeconds: Math.max(1, secondsLeft) }
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
