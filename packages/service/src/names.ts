import { type LookupAddress, promises } from 'node:dns'
import { lookup as systemLookup } from 'node:dns/promises'
import { isLoopbackHost } from './address.ts'

/** Finds all addresses of a name; rejects when there are none. */
export type Lookup = (host: string) => Promise<LookupAddress[]>

/** How names are asked for; everything has a default. */
export interface NameOptions {
  /** Name servers, as `address:port`; the machine's own when absent. */
  readonly servers?: readonly string[]
  /** For one name as a whole, in milliseconds. */
  readonly timeoutMs?: number
}

/** A public name answers in a fraction of a second; what waits for it has ten seconds as a rule. */
const TIMEOUT_MS = 5_000
/** For the first question; each repetition waits longer. */
const QUESTION_MS = 1_500
const TRIES = 2

/**
 * Asks the name servers for the addresses of a name, within a time that is this look-up's own. The system's way
 * (getaddrinfo) takes one of the few threads that look-ups, files and password hashes of a process share, for as long as
 * a name server cares to be slow: a handful of slow names would hold up everybody. Only names of this machine are asked
 * that way, because they stand in its hosts file.
 */
export function createLookup({ servers, timeoutMs = TIMEOUT_MS }: NameOptions = {}): Lookup {
  return async (host) => {
    if (isLoopbackHost(host)) return systemLookup(host, { all: true })
    const resolver = new promises.Resolver({ timeout: Math.min(QUESTION_MS, timeoutMs), tries: TRIES })
    if (servers) resolver.setServers(servers)
    const timer = setTimeout(() => resolver.cancel(), timeoutMs)
    try {
      // A name that is sound in one family serves, whatever the other one's answer is.
      const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const found = [
        ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
        ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
      ]
      if (found.length === 0 && four.status === 'rejected') throw four.reason
      return found
    } finally {
      clearTimeout(timer)
    }
  }
}
