import { createHash, randomUUID } from 'node:crypto'
import { accessTokenName, refreshTokenName } from '@vertexsms/contract/api-token'
import { parseScopes, permissionsOf } from '@vertexsms/contract/scopes'
import type { Database } from '@vertexsms/db/client'
import { Prisma } from '@vertexsms/db/client'
import { open, seal } from '@vertexsms/db/seal'
import { hashToken } from '@vertexsms/db/tokens'
import type { AdapterPayload } from 'oidc-provider'
import type { GrantSnapshot, UnitOfWork } from './unit-of-work.ts'

// The two statements of the token path: one joined read, one write. Everything about them is here, because they must
// agree on what a code, a refresh token and a connection look like at rest.

/** A code or refresh token as it was found, with the connection it belongs to. */
export interface FoundToken {
  readonly payload: Record<string, unknown>
  readonly consumedAt: Date | null
  readonly grant: GrantSnapshot
}

/** The key of an artifact: base64url sha256 of the value that the client holds. */
export function artifactId(value: string): string {
  return Buffer.from(hashToken(value)).toString('base64url')
}

/**
 * Stores a code of a connection; false when the connection has ended, which waits for an ending under way. The row is
 * found by the hash of the code, which it does not keep.
 */
export async function writeCode(
  db: Database,
  value: string,
  payload: AdapterPayload,
  expiresInSeconds: number,
): Promise<boolean> {
  const { jti: _, grantId, ...stored } = payload
  const written = await db.$executeRaw`
    INSERT INTO oidc_artifact (kind, id, payload, grant_id, account_id, expires_at)
    SELECT 'AuthorizationCode', ${artifactId(value)}, ${JSON.stringify({ ...stored, grantId })}::jsonb, grant_id, account_id,
           database_now() + ${expiresInSeconds} * interval '1 second'
    FROM connection WHERE grant_id = ${grantId ?? ''} AND ended_at IS NULL FOR SHARE`
  return written === 1
}

/** Finds a code or refresh token of a connection that has not ended; null when there is none. */
export async function findToken(
  db: Database,
  kind: 'AuthorizationCode' | 'RefreshToken',
  value: string,
): Promise<FoundToken | null> {
  const rows = await db.$queryRaw<FoundRow[]>`
    SELECT a.payload, a.consumed_at, c.id::text AS connection_id, c.grant_id, c.account_id::text AS account_id,
           c.client_id, c.scopes, c.approved_at, c.expires_at, o.status::text AS account_status
    FROM oidc_artifact a
    JOIN connection c ON c.grant_id = a.grant_id AND c.ended_at IS NULL
    JOIN account o ON o.id = c.account_id
    WHERE a.kind = ${kind} AND a.id = ${artifactId(value)}`
  const row = rows[0]
  if (!row) return null
  return {
    payload: row.payload,
    consumedAt: row.consumed_at,
    grant: {
      connectionId: row.connection_id,
      grantId: row.grant_id,
      accountId: row.account_id,
      accountActive: row.account_status === 'active',
      clientId: row.client_id,
      scopes: row.scopes,
      approvedAt: row.approved_at,
      expiresAt: row.expires_at,
    },
  }
}

interface FoundRow {
  payload: Record<string, unknown>
  consumed_at: Date | null
  connection_id: string
  grant_id: string
  account_id: string
  client_id: string
  scopes: string[]
  approved_at: Date
  expires_at: Date
  account_status: string
}

/** A refresh token that was rotated away: whose it was, and the sealed answer while the overlap lasts. */
export interface UsedToken {
  readonly connectionId: string
  readonly clientId: string
  readonly overlapEndsAt: Date
  readonly sealedResponse: Uint8Array | null
}

/** Looks a refresh token up among those that were rotated away. */
export function findUsedToken(db: Database, value: string): Promise<UsedToken | null> {
  return db.usedRefreshToken.findUnique({ where: { tokenHash: hashToken(value) } })
}

/** Opens the answer that was sealed for whoever presents `value` again. Throws SealError for any other value. */
export function openResponse(value: string, sealed: Uint8Array): string {
  return open(overlapKey(value), sealed, OVERLAP_CONTEXT)
}

/** How a write ended: `written`, `spent` when another request used the code or token first, `ended` when the connection is over. */
export type WriteOutcome = 'written' | 'spent' | 'ended'

/**
 * Writes everything a successful token request did, in one statement: what was presented is used up, the new refresh
 * token and the rows of both tokens stand. Each step takes its rows from the one before, so a lost race writes
 * nothing. Rejects when the database fails, and then nothing was written either.
 */
export async function writeTokens(
  db: Database,
  work: UnitOfWork,
  options: { readonly now: Date; readonly response: string; readonly overlapSeconds: number },
): Promise<WriteOutcome> {
  const { grant, presented, access } = work
  if (!grant || !presented || !access || !work.consumed) throw new Error('a token response without its unit of work')
  const steps =
    presented.kind === 'RefreshToken' ? refreshSteps(work, grant, options) : codeSteps(work, grant, options.now)
  const rows = await db.$queryRaw<[{ live: number; spent: number; access: number }]>`
    WITH live AS (
      SELECT id, account_id FROM connection WHERE grant_id = ${grant.grantId} AND ended_at IS NULL FOR NO KEY UPDATE
    ), ${steps}, access AS (
      INSERT INTO api_token (id, account_id, connection_id, kind, name, token_hash, permissions, ip_allow_list, created_at, expires_at)
      SELECT ${randomUUID()}::uuid, account_id, connection_id, 'oauth_access', ${accessTokenName(grant.connectionId)},
             ${hashToken(access.jti)}, ${permissionsOf(parseScopes(access.scope))}::text[], '{}', ${options.now}::timestamptz,
             ${access.expiresAt}::timestamptz
      FROM spent RETURNING 1
    ), client AS (
      UPDATE oidc_client SET last_used_at = ${options.now}::timestamptz
      FROM spent WHERE id = ${grant.clientId} AND last_used_at < ${dayBefore(options.now)}::timestamptz
    )
    SELECT (SELECT count(*) FROM live)::int AS live, (SELECT count(*) FROM spent)::int AS spent,
           (SELECT count(*) FROM access)::int AS access`
  const { live, spent, access: written } = rows[0]
  if (live === 0) return 'ended'
  return spent === 1 && written === 1 ? 'written' : 'spent'
}

/** A code is marked used and kept until it expires, so that a replay is recognised (RFC 6749 §4.1.2). */
function codeSteps(work: UnitOfWork, grant: GrantSnapshot, now: Date): Prisma.Sql {
  const spent = Prisma.sql`spent AS (
      UPDATE oidc_artifact SET consumed_at = ${now}::timestamptz FROM live
      WHERE kind = 'AuthorizationCode' AND oidc_artifact.id = ${work.presented?.id} AND grant_id = ${grant.grantId}
        AND consumed_at IS NULL
      RETURNING live.id AS connection_id, live.account_id AS account_id
    )`
  const { refresh } = work
  if (!refresh) return spent
  return Prisma.sql`${spent}, row AS (
      INSERT INTO api_token (id, account_id, connection_id, kind, name, token_hash, permissions, ip_allow_list, created_at, expires_at)
      SELECT ${randomUUID()}::uuid, account_id, connection_id, 'oauth_refresh', ${refreshTokenName(grant.connectionId)},
             ${hashToken(refresh.value)}, ${permissionsOf(parseScopes(grant.scopes.join(' ')))}::text[], '{}',
             ${now}::timestamptz, ${refresh.expiresAt}::timestamptz
      FROM spent RETURNING id
    ), artifact AS (
      INSERT INTO oidc_artifact (kind, id, payload, grant_id, account_id, expires_at, api_token_id)
      SELECT 'RefreshToken', ${artifactId(refresh.value)}, ${refresh.payload}::jsonb, ${grant.grantId}, spent.account_id,
             ${refresh.expiresAt}::timestamptz, row.id
      FROM spent, row
    )`
}

/** The old refresh token goes among the used ones; its row stays and takes the new value (one row per connection). */
function refreshSteps(
  work: UnitOfWork,
  grant: GrantSnapshot,
  { now, response, overlapSeconds }: { readonly now: Date; readonly response: string; readonly overlapSeconds: number },
): Prisma.Sql {
  const { presented, refresh } = work
  if (!presented || !refresh) throw new Error('a refresh without a new refresh token')
  const sealed = overlapSeconds > 0 ? seal(overlapKey(presented.value), response, OVERLAP_CONTEXT) : null
  const overlapEndsAt = new Date(now.getTime() + overlapSeconds * 1000)
  return Prisma.sql`spent AS (
      DELETE FROM oidc_artifact USING live
      WHERE kind = 'RefreshToken' AND oidc_artifact.id = ${presented.id} AND grant_id = ${grant.grantId}
      RETURNING live.id AS connection_id, live.account_id AS account_id, api_token_id
    ), used AS (
      INSERT INTO used_refresh_token (token_hash, connection_id, client_id, used_at, sealed_response, overlap_ends_at)
      SELECT ${hashToken(presented.value)}, connection_id, ${grant.clientId}, ${now}::timestamptz, ${sealed}::bytea,
             ${overlapEndsAt}::timestamptz
      FROM spent
    ), row AS (
      UPDATE api_token SET token_hash = ${hashToken(refresh.value)}, last_used_at = ${now}::timestamptz,
             expires_at = ${refresh.expiresAt}::timestamptz
      FROM spent WHERE api_token.id = spent.api_token_id RETURNING api_token.id
    ), artifact AS (
      INSERT INTO oidc_artifact (kind, id, payload, grant_id, account_id, expires_at, api_token_id)
      SELECT 'RefreshToken', ${artifactId(refresh.value)}, ${refresh.payload}::jsonb, ${grant.grantId}, spent.account_id,
             ${refresh.expiresAt}::timestamptz, row.id
      FROM spent, row
    )`
}

const OVERLAP_CONTEXT = 'refresh-overlap'

/** Only who holds the used token can derive this; the database has another hash of it. */
function overlapKey(value: string): Uint8Array {
  return createHash('sha256').update('refresh overlap\0').update(value).digest()
}

function dayBefore(now: Date): Date {
  return new Date(now.getTime() - 86_400_000)
}
