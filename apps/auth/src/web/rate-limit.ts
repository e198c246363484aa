import type { Database } from '@vertexsms/db/client'
import { countHit, forgetCounters, type Hit, readCounters, takeBackHits } from '@vertexsms/db/counter'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { addressGroups } from '@vertexsms/service/address'
import { LIMITS, type LimitName } from '../service-limits.ts'

/** Who is counted: an address by its groups, something named (a client, an account, a host), or both as a pair. */
export interface Subject {
  readonly address?: string
  readonly about?: string
}

/** What a {@link RateLimiter} says: go on, or come back after so many whole seconds. */
export type Verdict = { readonly allowed: true } | Refused
type Refused = { readonly allowed: false; readonly retryAfterSeconds: number }

/** What is said of an event that was counted; one that did not happen after all is taken back. */
export type Counted = (Verdict & { readonly allowed: true; takeBack(): Promise<void> }) | Refused

/** Counts events in fixed windows that all nodes share through the database, by its clock. Subjects are stored hashed. */
export interface RateLimiter {
  /**
   * Counts one event and judges it. What is refused by the wider ceiling leaves no row for the address itself, and what is
   * refused by that of the address uses up nothing of the wider one, which its neighbours have as well.
   */
  hit(name: LimitName, subject: Subject): Promise<Counted>
  /** Judges without counting: refused once as many were counted as are allowed. */
  look(name: LimitName, subject: Subject): Promise<Verdict>
  /** Forgets what was counted, as a success does with the failures before it. */
  forget(name: LimitName, subject: Subject): Promise<void>
}

const ALLOWED = { allowed: true } as const

/** A limiter over the shared table; with `enabled: false` everything is allowed and nothing is counted. */
export function createRateLimiter({ db, enabled }: { readonly db: Database; readonly enabled: boolean }): RateLimiter {
  async function read(name: LimitName, counters: readonly Ceiling[]): Promise<Verdict> {
    const keys = counters.map(({ key }) => key)
    const counted = await readCounters(db, keys, LIMITS[name].seconds)
    const over = counters.find(({ key, ceiling }) => (counted.get(key)?.hits ?? 0) >= ceiling)
    return over ? refused(counted.get(over.key)?.secondsLeft ?? 1) : ALLOWED
  }

  return {
    async hit(name, subject) {
      if (!enabled) return { ...ALLOWED, takeBack: async () => {} }
      const [narrow, ...wide] = countersOf(name, subject)
      const around = wide.length > 0 ? await read(name, wide) : ALLOWED
      if (!around.allowed) return around
      const counted: Hit[] = []
      for (const { key, ceiling } of [narrow, ...wide]) {
        const hit = await countHit(db, { key, windowSeconds: LIMITS[name].seconds, max: ceiling })
        if (hit.hits === null) return refused(hit.secondsLeft)
        counted.push({ key, windowAt: hit.windowAt })
      }
      return { ...ALLOWED, takeBack: () => takeBackHits(db, counted) }
    },

    async look(name, subject) {
      return enabled ? read(name, countersOf(name, subject)) : ALLOWED
    },

    async forget(name, subject) {
      if (enabled) await forgetCounters(db, keysOf(name, subject))
    },
  }
}

function refused(retryAfterSeconds: number): Refused {
  return { allowed: false, retryAfterSeconds }
}

/** A counter, and how many it lets through. */
interface Ceiling {
  readonly key: string
  readonly ceiling: number
}

/** The counters of a subject: its own, and that of the network around an IPv6 address. */
function countersOf(name: LimitName, { address, about }: Subject): [Ceiling, ...Ceiling[]] {
  const { hits, network } = LIMITS[name]
  const groups = address === undefined ? null : addressGroups(address)
  const wide = groups?.wide ? [{ key: counterKey(name, groups.wide, about), ceiling: network }] : []
  return [{ key: counterKey(name, groups?.narrow, about), ceiling: hits }, ...wide]
}

function keysOf(name: LimitName, subject: Subject): string[] {
  return countersOf(name, subject).map(({ key }) => key)
}

function counterKey(name: string, group: string | undefined, about: string | undefined): string {
  const subject = [about, group].filter((part) => part !== undefined).join('\n')
  return `${name}:${Buffer.from(hashToken(subject)).toString('base64url')}`
}
