import type { RateLimiter, Verdict } from '../../web/rate-limit.ts'

/** The machine that a URL leads to, as its fetches are counted: none of its ports and spellings has a count of its own. */
export function fetchedHost(url: string): string {
  return new URL(url).hostname.replace(/\.$/, '')
}

/** Counts a fetch of what was never seen against the address that causes it: first its share of this host, then of all. */
export async function countUnseen(limiter: RateLimiter, url: string, address: string): Promise<Verdict> {
  const ofHost = await limiter.hit('documentClientHost', { address, about: fetchedHost(url) })
  return ofHost.allowed ? limiter.hit('documentClient', { address }) : ofHost
}
