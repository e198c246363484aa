// What sends or costs asks, in the statement that does it, whether its caller may still: the guard looked when the
// request began, and a body may take seconds to arrive.
//
// Lock order: account, connection, token. Auth's endings take the connection before its tokens and messages, and
// wait for a statement that holds it; their own next statement then sees, and cancels, what that statement wrote.
import { Prisma } from '@vertexsms/db/client'
import { hasRoomFor } from '../../callback-lane.ts'
import { ApiError } from '../../http/api-error.ts'
import type { Caller } from '../upstream.ts'

/**
 * Opens a statement: `live` is one row while account, connection and token all live, none otherwise, and holds them
 * until the statement is over. `admitted` is that row while the account also has room for what the callback URL will
 * owe. Close the statement with {@link ADMISSION}.
 */
export function openAdmission(caller: Caller, callbackUrl?: string): Prisma.Sql {
  return Prisma.sql`${openWithLive(caller)}, admitted AS (
    SELECT account_id FROM live WHERE ${hasRoomFor(callbackUrl, Prisma.sql`live.account_id`)}
  )`
}

function openWithLive(caller: Caller): Prisma.Sql {
  const owner = Prisma.sql`WITH owner AS (
    SELECT id FROM account WHERE id = ${caller.accountId}::uuid AND status = 'active' FOR NO KEY UPDATE
  )`
  // KEY SHARE holds up a deletion and nothing else: `last used` is written meanwhile.
  if (caller.connectionId === null) {
    return Prisma.sql`${owner}, live AS (
      SELECT t.account_id FROM owner JOIN api_token t ON t.account_id = owner.id
      WHERE t.id = ${caller.id}::uuid AND (t.expires_at IS NULL OR t.expires_at > database_now())
      FOR KEY SHARE OF t
    )`
  }
  return Prisma.sql`${owner}, granted AS (
    SELECT c.id FROM owner JOIN connection c ON c.account_id = owner.id
    WHERE c.id = ${caller.connectionId}::uuid AND c.ended_at IS NULL AND c.expires_at > database_now()
    FOR SHARE OF c
  ), live AS (
    SELECT t.account_id FROM granted JOIN api_token t ON t.connection_id = granted.id
    WHERE t.id = ${caller.id}::uuid AND (t.expires_at IS NULL OR t.expires_at > database_now())
    FOR KEY SHARE OF t
  )`
}

/** The token made by hand that a row is to remember; null for a connection, which outlives its tokens. */
export function manualTokenOf({ id, connectionId }: Caller): string | null {
  return connectionId === null ? id : null
}

/** Columns of the last SELECT of an admitting statement. */
export const ADMISSION = Prisma.sql`EXISTS (SELECT FROM live) AS live, EXISTS (SELECT FROM admitted) AS room`

/** What an admitting statement tells besides the id of what it wrote; null where it wrote nothing. */
export interface Admission {
  readonly live: boolean
  readonly room: boolean
  readonly id: bigint | null
}

const OWED_RETRY_SECONDS = 60

/**
 * The id of what was written; null where the statement had a reason of its own to write nothing. Throws TOKEN_INVALID
 * when the caller has ended, RATE_LIMITED when too many callbacks are owed already.
 */
export function admittedId(row: Admission | undefined): bigint | null {
  if (!row?.live) throw new ApiError('TOKEN_INVALID')
  if (!row.room) {
    throw new ApiError('RATE_LIMITED', {
      message: 'Too many callbacks wait for servers of this account. Let them answer, or leave the URL out.',
      headers: { 'retry-after': String(OWED_RETRY_SECONDS) },
    })
  }
  return row.id
}
