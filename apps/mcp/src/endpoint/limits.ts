import { Buckets, perMinute } from '@vertexsms/service/buckets'
import { createTokenLookups } from '@vertexsms/service/token-lookups'
import type { LookupLimits } from '../caller/bearer.ts'
import type { Config } from '../env.ts'

/** The paces of this server (`docs/limits.md` lists every limit), counted in the memory of one process; `RATE_LIMITS=off` ends them. */
export interface Limits extends LookupLimits {
  /** Counts one request of a connection or token; a wait in whole seconds, or 0 when it may go on. */
  call(key: string): number
}

/** The limits of one process. */
export function createLimits(config: Config): Limits {
  const lookups = createTokenLookups(config.RATE_LIMITS ? config.FAILURES_PER_MINUTE : null)
  const lookup = lookups.begin
  if (!config.RATE_LIMITS) return { call: () => 0, lookup }
  const calls = new Buckets(perMinute(config.CALLS_PER_MINUTE))
  return { call: (key) => calls.take(key), lookup }
}
