import { LRUCache } from 'lru-cache'

/**
 * A memory of at most `entriesMax` values, each for at most `ttlMs`; of more the longest unused is forgotten. It grows with
 * what is in it: `max` of the library sets every place aside at once, which for memories that seldom fill was most of
 * what a process holds and does at its start.
 */
export function createMemory<Value extends {}>(entriesMax: number, ttlMs?: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize: entriesMax, sizeCalculation: () => 1, ...(ttlMs !== undefined && { ttl: ttlMs }) })
}
