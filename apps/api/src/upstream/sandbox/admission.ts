// What sends or costs asks, in the statement that does it, whether its caller may still: the guard looked when the
// request began, and a body may take seconds to arrive.
//
// Lock order: account, connection, token. Auth's endings take the connection before its tokens and messages, and
// wait for a statement that holds it; their own next statement then sees, and cancels, what that statement wrote.
import { Prisma } from '@vertexsms/db/client'
import { ApiError } from '../../api-error.ts'
import type { Caller } from '../upstream.ts'

/**
 * Opens a statement: `live` is one row while account, connection and token all live, none otherwise, and holds them
 * until the statement is over.
 */
export function openWithLive(caller: Caller, now: Date): Prisma.Sql {
  const owner = Prisma.sql`WITH owner AS (
    SELECT id FROM account WHERE id = ${caller.accountId}::uuid AND status = 'active' FOR NO KEY UPDATE
  )`
  // KEY SHARE holds up a deletion and nothing else: `last used` is written meanwhile.
  if (caller.connectionId === null) {
    return Prisma.sql`${owner}, live AS (
      SELECT t.account_id FROM owner JOIN api_token t ON t.account_id = owner.id
      WHERE t.id = ${caller.id}::uuid AND (t.expires_at IS NULL OR t.expires_at > ${now}::timestamptz)
      FOR KEY SHARE OF t
    )`
  }
  return Prisma.sql`${owner}, granted AS (
    SELECT c.id FROM owner JOIN connection c ON c.account_id = owner.id
    WHERE c.id = ${caller.connectionId}::uuid AND c.ended_at IS NULL AND c.expires_at > ${now}::timestamptz
    FOR SHARE OF c
  ), live AS (
    SELECT t.account_id FROM granted JOIN api_token t ON t.connection_id = granted.id
    WHERE t.id = ${caller.id}::uuid AND (t.expires_at IS NULL OR t.expires_at > ${now}::timestamptz)
    FOR KEY SHARE OF t
  )`
}

/** The token made by hand that a row is to remember; null for a connection, which outlives its tokens. */
export function manualTokenOf({ id, connectionId }: Caller): string | null {
  return connectionId === null ? id : null
}

/** What every admitting statement tells besides its own. */
export interface Admitted {
  readonly live: boolean
}

/** Throws TOKEN_INVALID when the statement found its caller ended. */
export function assertLive(row: Admitted | undefined): asserts row is Admitted {
  if (!row?.live) throw new ApiError('TOKEN_INVALID')
}
