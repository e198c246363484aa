import type { ApiTokenKind } from '@vertexsms/contract/api-token'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import type { Database } from '@vertexsms/db/client'
import { listTokens, type TokenRow } from '../oidc/api-tokens.ts'
import type { ConnectionView, TokenView } from '../views/pages.ts'
import { timeView } from './time-view.ts'

const KIND_WORDS: Readonly<Record<ApiTokenKind, string>> = {
  manual: 'Manual',
  oauth_access: 'OAuth access',
  oauth_refresh: 'OAuth refresh',
}

/** Every live token of the account as Settings -> API shows it: each connection with its own, and the manual ones. */
export async function tokenList(
  db: Database,
  accountId: string,
  now: Date,
): Promise<{ connections: ConnectionView[]; tokens: TokenView[] }> {
  const rows = await listTokens(db, accountId, now)
  const ids = [...new Set(rows.flatMap((row) => row.connectionId ?? []))]
  const connections = await db.connection.findMany({ where: { id: { in: ids } }, orderBy: { approvedAt: 'desc' } })
  return {
    connections: connections.map((connection) => ({
      clientName: connection.clientName,
      redirectHost: connection.redirectHost,
      approved: timeView(connection.approvedAt, now),
      expires: timeView(connection.expiresAt, now),
      tokens: rows
        .filter((row) => row.connectionId === connection.id)
        .sort((one, other) => one.kind.localeCompare(other.kind))
        .map((row) => tokenView(row, now)),
    })),
    tokens: rows.filter((row) => row.connectionId === null).map((row) => tokenView(row, now)),
  }
}

function tokenView(row: TokenRow, now: Date): TokenView {
  return {
    id: row.id,
    name: row.name,
    kind: KIND_WORDS[row.kind],
    isIssued: row.kind !== 'manual',
    permissions: row.permissions,
    hasEveryPermission: PERMISSIONS.every((permission) => row.permissions.includes(permission)),
    ipAllowList: row.ipAllowList,
    created: timeView(row.createdAt, now),
    lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    expires: row.expiresAt && timeView(row.expiresAt, now),
  }
}
