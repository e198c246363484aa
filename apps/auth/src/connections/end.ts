import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'

/** Why a connection ended; kept beside it, so that the dashboard can say so. */
export type EndReason = 'deleted' | 'revoked' | 'refresh_reuse' | 'code_replay' | 'account'

// Lock order of everything that touches a connection: the connection's row first (FOR NO KEY UPDATE, which does not
// hold up the foreign-key checks of the API's inserts), then whatever hangs on it. Ending takes the lock in a
// statement of its own, so that the next one sees what a rotation wrote while we waited for it.

/**
 * Ends one connection in one transaction: its tokens, codes and used refresh tokens go, its unsent scheduled messages
 * are cancelled, and the row stays with the reason. True when this call ended it, false when it was over or unknown.
 */
export function endConnection(db: Database, connectionId: string, reason: EndReason, now: Date): Promise<boolean> {
  return db.$transaction((tx) => endWhere(tx, Prisma.sql`id = ${connectionId}::uuid`, reason, now))
}

/** The same by the grant's id, which is all the protocol library knows. */
export function endConnectionOfGrant(db: Database, grantId: string, reason: EndReason, now: Date): Promise<boolean> {
  return db.$transaction((tx) => endWhere(tx, Prisma.sql`grant_id = ${grantId}`, reason, now))
}

/** The same for every connection of an account, with its pending codes and authorization requests, in a transaction. */
export async function endConnectionsOfAccount(
  tx: Prisma.TransactionClient,
  accountId: string,
  now: Date,
): Promise<void> {
  await endWhere(tx, Prisma.sql`account_id = ${accountId}::uuid`, 'account', now)
  await tx.oidcArtifact.deleteMany({ where: { accountId } })
}

async function endWhere(
  tx: Prisma.TransactionClient,
  which: Prisma.Sql,
  reason: EndReason,
  now: Date,
): Promise<boolean> {
  await tx.$queryRaw`SELECT id::text FROM connection WHERE ${which} AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE`
  const counted = await tx.$queryRaw<[{ ended: number }]>`
      WITH ended AS (
        UPDATE connection SET ended_at = ${now}::timestamptz, ended_reason = ${reason}
        WHERE ${which} AND ended_at IS NULL RETURNING id, grant_id
      ), tokens AS (
        DELETE FROM api_token USING ended WHERE api_token.connection_id = ended.id
      ), artifacts AS (
        DELETE FROM oidc_artifact USING ended WHERE oidc_artifact.grant_id = ended.grant_id
      ), used AS (
        DELETE FROM used_refresh_token USING ended WHERE used_refresh_token.connection_id = ended.id
      ), cancelled AS (
        UPDATE message SET status = 'cancelled' FROM ended
        WHERE message.connection_id = ended.id AND message.status = 'scheduled'
      )
      SELECT count(*)::int AS ended FROM ended`
  return counted[0].ended > 0
}
