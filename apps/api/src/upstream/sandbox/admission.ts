// What sends or costs asks, in the statement that does it, whether its caller may still: the guard looked when the
// request began, and a body may take seconds to arrive.
import { Prisma } from '@vertexsms/db/client'
import { hasRoomFor, tooManyOwed } from '../../callback-lane.ts'
import { ApiError } from '../../http/api-error.ts'
import { openLive } from '../../live.ts'
import type { Caller } from '../upstream.ts'

/**
 * Opens a statement: `live` is one row while account, connection and token all live, none otherwise, and holds them
 * until the statement is over. `admitted` is that row while the account also has room for what the callback URL will
 * owe. Close the statement with {@link ADMISSION}.
 */
export function openAdmission(caller: Caller, callbackUrl?: string): Prisma.Sql {
  const { accountId, connectionId, id } = caller
  return Prisma.sql`${openLive({ accountId, connectionId, tokenId: id })}, admitted AS (
    SELECT account_id FROM live WHERE ${hasRoomFor(callbackUrl, Prisma.sql`live.account_id`)}
  )`
}

/** Columns of the last SELECT of an admitting statement. */
export const ADMISSION = Prisma.sql`EXISTS (SELECT FROM live) AS live, EXISTS (SELECT FROM admitted) AS room`

/** What an admitting statement tells besides the id of what it wrote; null where it wrote nothing. */
export interface Admission {
  readonly live: boolean
  readonly room: boolean
  readonly id: bigint | null
}

/**
 * The id of what was written; null where the statement had a reason of its own to write nothing. Throws TOKEN_INVALID
 * when the caller has ended, RATE_LIMITED when too many callbacks are owed already.
 */
export function admittedId(row: Admission | undefined): bigint | null {
  if (!row?.live) throw new ApiError('TOKEN_INVALID')
  if (!row.room) throw tooManyOwed()
  return row.id
}
