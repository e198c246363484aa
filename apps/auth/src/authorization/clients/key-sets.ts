import { readJson } from '@vertexsms/service/json'
import type { Outbound } from '@vertexsms/service/outbound'
import { LRUCache } from 'lru-cache'
import type { RateLimiter } from '../../web/rate-limit.ts'
import { KEY_SET_INTERVAL_SECONDS } from '../request/unavailable.ts'
import { cheapKeySet } from './key-set-rules.ts'
import { countUnseen, fetchedHost } from './unseen-fetches.ts'

const MAX_KEY_SET_BYTES = 64 * 1024
const FETCH_TIMEOUT_MS = 4000
const CACHE_BYTES = 16 * 1024 * 1024
/** How long the last good key set serves while its host fails. */
const STALE_MS = 86_400_000

/** What is known of one URL: its last good key set, and when it may be asked for again. */
interface Known {
  readonly keys: string | null
  readonly keysAt: number
  readonly nextAt: number
}

/** Key sets of clients by their URL. */
export interface KeySets {
  /** The key set as the library wants it, for a client that names it, at the cost of `address`. Rejects where none can be had. */
  fetch(url: string, clientId: string, address: string): Promise<Response>
  /** True when the last try left us without a usable key set. */
  isMissing(url: string): boolean
}

interface KeySetDeps {
  readonly outbound: Pick<Outbound, 'fetch'>
  readonly limiter: RateLimiter
  /** True for a client that a person has approved, whose keys are fetched whatever others did. */
  readonly isConnected: (clientId: string) => Promise<boolean>
}

/**
 * The key sets of clients (`jwks_uri`, RFC 7591 §2), in the form the library wants: fetched behind the SSRF guard with a
 * bounded body, once a minute at most for a URL, one fetch at a time and a bounded number for a host, so that assertions
 * with unknown keys cannot make us ask somebody else's host again and again. While it fails the last good copy serves for a
 * day.
 */
export function createKeySets({ outbound, limiter, isConnected }: KeySetDeps): KeySets {
  const known = new LRUCache<string, Known>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ keys }, url) => url.length + (keys?.length ?? 0) + 64,
  })
  const flights = new Map<string, Promise<Known>>()
  /** What is being counted, by client and URL: many requests of one at once are one. */
  const counts = new Map<string, Promise<boolean>>()

  async function load(url: string): Promise<Known> {
    const before = known.get(url)
    const now = Date.now()
    const fetched = await fetchKeySet(outbound, url).catch(() => null)
    const usable = before && before.keysAt + STALE_MS > now ? before : { keys: null, keysAt: now }
    const kept = fetched === null ? usable : { keys: fetched, keysAt: now }
    const after = { ...kept, nextAt: now + KEY_SET_INTERVAL_SECONDS * 1000 }
    known.set(url, after)
    return after
  }

  /** What was asked for less than a minute ago. */
  function lately(url: string): Known | undefined {
    const one = known.get(url)
    const now = Date.now()
    // What may be asked for again later than that was asked for before the clock was set back.
    return one && one.nextAt > now && one.nextAt <= now + KEY_SET_INTERVAL_SECONDS * 1000 ? one : undefined
  }

  /** The keys as they are known or fetched now; null where they are not to be had, or not for this client. */
  async function keysFor(url: string, clientId: string, address: string): Promise<string | null> {
    const before = lately(url)
    if (before) return before.keys
    if (typeof known.get(url)?.keys !== 'string' && !flights.has(url)) {
      const isFree = await mayAsk(url, clientId, address)
      const meanwhile = lately(url)
      if (meanwhile) return meanwhile.keys
      if (!isFree && !flights.has(url)) {
        // It is about this client, and keeps the keys from nobody else who names them.
        known.set(url, { keys: null, keysAt: Date.now(), nextAt: 0 })
        return null
      }
    }
    const flight = flights.get(url) ?? load(url).finally(() => flights.delete(url))
    flights.set(url, flight)
    return (await flight).keys
  }

  /** False where the database is away. */
  function mayAsk(url: string, clientId: string, address: string): Promise<boolean> {
    const which = `${clientId} ${url}`
    const under = counts.get(which) ?? counted(url, clientId, address).catch(() => false)
    counts.set(which, under)
    return under.finally(() => counts.delete(which))
  }

  /**
   * Whoever registers many clients with made-up paths must not make us knock at somebody else's door at any pace, and uses
   * up its own share before the host's.
   */
  async function counted(url: string, clientId: string, address: string): Promise<boolean> {
    if (await isConnected(clientId)) return true
    const ofAddress = await countUnseen(limiter, url, address)
    return ofAddress.allowed && (await limiter.hit('keySetHost', { about: fetchedHost(url) })).allowed
  }

  return {
    isMissing: (url) => known.peek(url)?.keys === null,
    async fetch(url, clientId, address) {
      const keys = await keysFor(url, clientId, address)
      if (keys === null) throw new Error('the key set of the client cannot be had')
      // No lifetime is passed on: the library asks here again each minute, and learns of new keys.
      return new Response(keys)
    },
  }
}

/** A key set as text. Rejects for whatever is not one: the library would take a failing answer for an empty set. */
async function fetchKeySet(outbound: Pick<Outbound, 'fetch'>, url: string): Promise<string> {
  const { status, body } = await outbound.fetch(
    url,
    { headers: { accept: 'application/json' } },
    { maxBytes: MAX_KEY_SET_BYTES, timeoutMs: FETCH_TIMEOUT_MS },
  )
  const set = status === 200 ? cheapKeySet(readJson(body)) : null
  if (set === null) throw new Error('not a key set')
  return JSON.stringify(set)
}
