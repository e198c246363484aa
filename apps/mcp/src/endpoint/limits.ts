import { Buckets, perMinute } from '@vertexsms/service/buckets'
import { createTokenLookups } from '@vertexsms/service/token-lookups'
import type { LookupLimits } from '../caller/bearer.ts'
import type { Config } from '../env.ts'

/**
 * Every limit of this server; all are counted in the memory of one process, and `RATE_LIMITS=off` ends them.
 * Requests without credentials and access tokens that do not verify are not limited: they cost no look-up, and a 401
 * is what starts or renews a connection.
 *
 * | what is counted | setting | for one | why |
 * | --- | --- | --- | --- |
 * | requests with a token | `CALLS_PER_MINUTE` | connection, or token made by hand | a looping client; a refresh does not renew it |
 * | failed look-ups | `FAILURES_PER_MINUTE` | IPv4 address, IPv6 /64 | guessing of tokens |
 * | failed look-ups | 8 times that | IPv6 /48 | guessing from many lines of one network |
 * | failed look-ups | 20, at most the setting | token | a dead token in a loop uses up its own share, not its address's |
 * | requests at the API | 64, and 256 together, 64 of them for accounts with few | account | a slow answer to one holds up no other; above it they take turns (`api/client.ts`, never off) |
 * | lookups waited for | 16, and 256 together | account | each holds a connection to the API; above it a lookup answers `pending` at once (`api/wait-shares.ts`, never off) |
 */
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
