// Who spends, read and held in the statement that spends.
//
// A CTE runs when it is first read, not where it stands: whatever takes a lock reads from what must be held before it.
//
// Lock order of the ledger: account, connection, token, send, messages by id, spenders by id, their counters by id.
// Auth's endings take the connection before its tokens, and wait for a statement that holds it; an ending that came first
// is seen here, for the rows are read again after the wait, and what an ending cancels it sees in its own next statement.
import type { Scope } from '@vertexsms/contract/scopes'
import { accountLives, connectionLives, tokenLives } from '@vertexsms/db/alive'
import { Prisma } from '@vertexsms/db/client'

/** What a connection must hold as long as something of it waits to be sent. */
const SEND_SCOPE: Scope = 'sms:send'

/**
 * A condition: the connection `alias` lives and holds the scope to send. What waits under any other is not sent: whoever
 * approves an app again without that scope takes back what it has scheduled, too.
 */
export function connectionSends(alias: string): Prisma.Sql {
  // The first condition refuses what is no alias before it stands in the text of the second.
  return Prisma.sql`(${connectionLives(alias)} AND ${SEND_SCOPE}::text = ANY (${Prisma.raw(alias)}.scopes))`
}

/** A condition: the connection `alias` lives and does not hold the scope to send any more. */
export function connectionOnlyReads(alias: string): Prisma.Sql {
  return Prisma.sql`(${connectionLives(alias)} AND NOT ${connectionSends(alias)})`
}

/** Under what a send was accepted. */
export interface Grant {
  readonly accountId: string
  readonly connectionId: string | null
  /** Of the very token; null for what waits under a connection, whose tokens come and go. */
  readonly tokenId: string | null
}

/**
 * Opens a statement with the CTE `live(account_id, ends_at)`: one row while account, connection and token all live, and
 * without a token while the connection may still send; none otherwise. They are held until the statement is over. `ends_at`
 * is when the connection, or the token made by hand, runs out; null is never.
 */
export function openLive({ accountId, connectionId, tokenId }: Grant): Prisma.Sql {
  const owner = Prisma.sql`WITH owner AS (
    SELECT id FROM account WHERE id = ${accountId}::uuid AND ${accountLives('account')} FOR NO KEY UPDATE
  )`
  // KEY SHARE holds up a deletion and nothing else: `last used` is written meanwhile.
  if (connectionId === null) {
    return Prisma.sql`${owner}, live AS MATERIALIZED (
      SELECT t.account_id, t.expires_at AS ends_at FROM owner JOIN api_token t ON t.account_id = owner.id
      WHERE t.id = ${tokenId}::uuid AND ${tokenLives('t')}
      FOR KEY SHARE OF t
    )`
  }
  // A token was issued for what it may do, and goes with the next approval; what waits has only what its connection holds.
  const holds = tokenId === null ? connectionSends('c') : connectionLives('c')
  const granted = Prisma.sql`
    SELECT c.id, c.account_id, c.expires_at AS ends_at FROM owner JOIN connection c ON c.account_id = owner.id
    WHERE c.id = ${connectionId}::uuid AND ${holds}
    FOR SHARE OF c`
  if (tokenId === null) {
    return Prisma.sql`${owner}, granted AS (${granted}), live AS MATERIALIZED (SELECT account_id, ends_at FROM granted)`
  }
  return Prisma.sql`${owner}, granted AS (${granted}), live AS MATERIALIZED (
    SELECT t.account_id, granted.ends_at FROM granted JOIN api_token t ON t.connection_id = granted.id
    WHERE t.id = ${tokenId}::uuid AND ${tokenLives('t')}
    FOR KEY SHARE OF t
  )`
}

/** Over the CTE of {@link openLive}: true where the caller will have ended when something is due; null is due at once. */
export function endsBefore(scheduledAt: Date | null): Prisma.Sql {
  return Prisma.sql`coalesce(live.ends_at <= ${scheduledAt}::timestamptz, FALSE)`
}
