import type { ApiTokenKind } from '@vertexsms/contract/api-token'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import type { Database } from '@vertexsms/db/client'
import type { ConnectionView, TokenView } from '../views/pages.ts'
import { timeView } from './time-view.ts'

const KIND_WORDS: Readonly<Record<ApiTokenKind, string>> = {
  manual: 'Manual',
  oauth_access: 'OAuth access',
  oauth_refresh: 'OAuth refresh',
}

/** Every live token of the account: those of a connection under it, the newest connection first, and the manual ones. */
export async function listTokens(
  db: Database,
  accountId: string,
  now: Date,
): Promise<{ connections: ConnectionView[]; tokens: TokenView[] }> {
  const rows = await db.apiToken.findMany({
    where: { accountId, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    include: { connection: true },
  })
  const view = (row: (typeof rows)[number]): TokenView => ({
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
  })

  const connections = new Map<
    string,
    { connection: NonNullable<(typeof rows)[number]['connection']>; tokens: typeof rows }
  >()
  for (const row of rows) {
    if (!row.connection) continue
    const group = connections.get(row.connection.id) ?? { connection: row.connection, tokens: [] }
    connections.set(row.connection.id, { ...group, tokens: [...group.tokens, row] })
  }
  return {
    connections: [...connections.values()]
      .sort((one, other) => other.connection.approvedAt.getTime() - one.connection.approvedAt.getTime())
      .map(({ connection, tokens }) => ({
        clientName: connection.clientName,
        redirectHost: connection.redirectHost,
        approved: timeView(connection.approvedAt, now),
        expires: timeView(connection.expiresAt, now),
        tokens: tokens.sort((one, other) => one.kind.localeCompare(other.kind)).map(view),
      })),
    tokens: rows.filter((row) => !row.connection).map(view),
  }
}
