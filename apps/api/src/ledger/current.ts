// Whether what was accepted is still meant for where it would go now: the upstream of this installation, and the token that
// the account has there.
import { Prisma } from '@vertexsms/db/client'
import type { UpstreamName } from '../upstream/upstream.ts'

/**
 * A condition over a row with `account_id`, `upstream` and `generation` (a send, an approval): it was accepted for this
 * upstream, and for the account's present token there. The simulated operator knows no tokens, and every generation is 0.
 */
export function isCurrent(upstream: UpstreamName, row: Prisma.Sql): Prisma.Sql {
  if (upstream === 'sandbox') return Prisma.sql`(${row}.upstream = ${upstream} AND ${row}.generation = 0)`
  return Prisma.sql`(${row}.upstream = ${upstream} AND EXISTS (
    SELECT FROM upstream_account u
    WHERE u.account_id = ${row}.account_id AND u.generation = ${row}.generation AND u.sealed_token IS NOT NULL
  ))`
}
