import type { ApiTokenKind } from '@vertexsms/contract/api-token'
import type { Database } from '@vertexsms/db/client'

/** What the guard needs to know of a token, its account and its connection. */
export interface TokenRow {
  readonly id: string
  readonly accountId: string
  readonly connectionId: string | null
  readonly kind: ApiTokenKind
  readonly permissions: readonly string[]
  readonly ipAllowList: readonly string[]
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  readonly accountActive: boolean
  /** True when the token stands on its own, or its connection has not ended. */
  readonly connectionLive: boolean
}

/** The row of a token by the hash it is stored under; asked on every request, so that a deletion works at once. */
export async function findTokenRow(db: Database, tokenHash: Uint8Array<ArrayBuffer>): Promise<TokenRow | undefined> {
  const rows = await db.$queryRaw<TokenRow[]>`
    SELECT t.id, t.account_id AS "accountId", t.connection_id AS "connectionId", t.kind::text AS kind, t.permissions,
           t.ip_allow_list AS "ipAllowList", t.expires_at AS "expiresAt", t.last_used_at AS "lastUsedAt",
           a.status = 'active' AS "accountActive", (c.id IS NULL OR c.ended_at IS NULL) AS "connectionLive"
    FROM api_token t
    JOIN account a ON a.id = t.account_id
    LEFT JOIN connection c ON c.id = t.connection_id
    WHERE t.token_hash = ${tokenHash}`
  return rows[0]
}
