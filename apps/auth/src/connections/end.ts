import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { endSpenders } from './spenders.ts'

/** Why a connection ended; kept beside it, so that the dashboard can say so. */
export type EndReason = 'deleted' | 'revoked' | 'refresh_reuse' | 'code_replay' | 'account' | 'replaced'

// Lock order of everything that touches a connection: the connection's row first (FOR NO KEY UPDATE, which does not
// hold up the foreign-key checks of the API's inserts), then whatever hangs on it. Ending takes the lock in a
// statement of its own, so that the next one sees what a rotation wrote while we waited for it.

// What waits to be sent is the API's: it reads the end of the connection and of its spender with every step, and cancels.
// Messages of the simulated operator's own table, from before sends had one, have nobody else to cancel them.

/**
 * Ends one connection in one transaction: its tokens, codes and used refresh tokens go, its spender ends unless another
 * connection goes on with it, and the row stays with the reason. True when this call ended it, false when it was over
 * or unknown.
 */
export function endConnection(db: Database, connectionId: string, reason: EndReason): Promise<boolean> {
  const which = Prisma.sql`id = ${connectionId}::uuid`
  return db.$transaction((tx) => endWhere(tx, which, reason))
}

/**
 * The same by the grant's id, for what is known of tokens: the person may approve the app anew at that moment, and what was
 * issued before says nothing of the new grant.
 */
export function endConnectionOfGrant(db: Database, grantId: string, reason: EndReason): Promise<boolean> {
  const which = Prisma.sql`grant_id = ${grantId}`
  return db.$transaction((tx) => endWhere(tx, which, reason))
}

/** The same in a transaction, for a connection whose place another has taken. */
export async function endReplaced(tx: Prisma.TransactionClient, connectionId: string): Promise<void> {
  await endWhere(tx, Prisma.sql`id = ${connectionId}::uuid`, 'replaced')
}

/** The same for every connection of an account, with its pending codes and authorization requests, in a transaction. */
export async function endConnectionsOfAccount(tx: Prisma.TransactionClient, accountId: string): Promise<void> {
  await endWhere(tx, Prisma.sql`account_id = ${accountId}::uuid`, 'account')
  await tx.oidcArtifact.deleteMany({ where: { accountId } })
}

async function endWhere(tx: Prisma.TransactionClient, which: Prisma.Sql, reason: EndReason): Promise<boolean> {
  await tx.$queryRaw`SELECT id::text FROM connection WHERE ${which} AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE`
  const counted = await tx.$queryRaw<[{ ended: number }]>`
      WITH gone AS (
        UPDATE connection SET ended_at = database_now(), ended_reason = ${reason}
        WHERE ${which} AND ended_at IS NULL
        RETURNING id, grant_id, account_id, coalesce(spender_id, id) AS spender_id
      ), tokens AS (
        DELETE FROM api_token USING gone WHERE api_token.connection_id = gone.id
      ), artifacts AS (
        DELETE FROM oidc_artifact USING gone WHERE oidc_artifact.grant_id = gone.grant_id
      ), used AS (
        DELETE FROM used_refresh_token USING gone WHERE used_refresh_token.connection_id = gone.id
      ), cancelled AS (
        UPDATE message SET status = 'cancelled' FROM gone
        WHERE message.connection_id = gone.id AND message.status = 'scheduled'
      ), spenders AS (${endSpenders('connection')})
      SELECT count(*)::int AS ended FROM gone`
  return counted[0].ended > 0
}
