// Who spends, read and held in the statement that spends.
//
// A CTE runs when it is first read, not where it stands: whatever takes a lock reads from what must be held before it.
//
// Lock order of the ledger: account, connection, token, send, messages by id, spenders by id, their counters by id.
// Auth's endings take the connection before its tokens, and wait for a statement that holds it; an ending that came first
// is seen here, for the rows are read again after the wait, and what an ending cancels it sees in its own next statement.
import { accountLives, connectionLives, tokenLives } from '@vertexsms/db/alive'
import { Prisma } from '@vertexsms/db/client'

/** Under what a send was accepted. */
export interface Grant {
  readonly accountId: string
  readonly connectionId: string | null
  /** Of the very token; null where only its connection counts, whose tokens come and go. */
  readonly tokenId: string | null
}

/**
 * Opens a statement with the CTE `live(account_id)`: one row while account, connection and token all live, none
 * otherwise; they are held until the statement is over.
 */
export function openLive({ accountId, connectionId, tokenId }: Grant): Prisma.Sql {
  const owner = Prisma.sql`WITH owner AS (
    SELECT id FROM account WHERE id = ${accountId}::uuid AND ${accountLives('account')} FOR NO KEY UPDATE
  )`
  // KEY SHARE holds up a deletion and nothing else: `last used` is written meanwhile.
  if (connectionId === null) {
    return Prisma.sql`${owner}, live AS MATERIALIZED (
      SELECT t.account_id FROM owner JOIN api_token t ON t.account_id = owner.id
      WHERE t.id = ${tokenId}::uuid AND ${tokenLives('t')}
      FOR KEY SHARE OF t
    )`
  }
  const granted = Prisma.sql`
    SELECT c.id, c.account_id FROM owner JOIN connection c ON c.account_id = owner.id
    WHERE c.id = ${connectionId}::uuid AND ${connectionLives('c')}
    FOR SHARE OF c`
  if (tokenId === null) {
    return Prisma.sql`${owner}, granted AS (${granted}), live AS MATERIALIZED (SELECT account_id FROM granted)`
  }
  return Prisma.sql`${owner}, granted AS (${granted}), live AS MATERIALIZED (
    SELECT t.account_id FROM granted JOIN api_token t ON t.connection_id = granted.id
    WHERE t.id = ${tokenId}::uuid AND ${tokenLives('t')}
    FOR KEY SHARE OF t
  )`
}
