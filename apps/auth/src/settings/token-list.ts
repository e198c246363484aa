import type { ApiTokenKind } from '@vertexsms/contract/api-token'
import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { isScope, SCOPES } from '@vertexsms/contract/scopes'
import { liveConnection, liveToken } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { lastUsedOf } from '../connections/last-used.ts'
import { eur } from '../connections/limit-words.ts'
import { spentUnder } from '../connections/spent.ts'
import { listTokens, type TokenRow } from '../connections/tokens.ts'
import type { ApiTokensPage, TimeView, TokenView } from '../views/pages.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { timeView } from '../web/times.ts'

const KIND_WORDS: Readonly<Record<ApiTokenKind, string>> = {
  manual: 'Manual',
  oauth_access: 'OAuth access',
  oauth_refresh: 'OAuth refresh',
}

const PATH = '/settings/api'

/** One page of the account's live tokens as Settings -> API shows it: each connection with its own, and the manual ones. */
export async function tokenList(
  db: Database,
  accountId: string,
  query: unknown,
): Promise<Pick<ApiTokensPage, 'connections' | 'tokens' | 'connectionPager' | 'tokenPager'>> {
  const now = await databaseNow(db)
  const connected = { accountId, ...liveConnection(now), apiTokens: { some: liveToken(now) } }
  const apps = pageOf(await db.connection.count({ where: connected }), { path: PATH, query, name: 'apps' })
  const manual = { accountId, connectionId: null, ...liveToken(now) }
  const own = pageOf(await db.apiToken.count({ where: manual }), { path: PATH, query, name: 'tokens' })
  const connections = await db.connection.findMany({
    where: connected,
    orderBy: [{ approvedAt: 'desc' }, { id: 'asc' }],
    skip: apps.skip,
    take: PAGE_ROWS,
  })
  const issued = await listTokens(db, accountId, now, { connectionIds: connections.map(({ id }) => id) })
  const used = await lastUsedOf(db, connections)
  const spent = await spentUnder(db, connections.map(spenderIdOf), now)
  const tokens = await listTokens(db, accountId, now, { connectionIds: null, skip: own.skip, take: PAGE_ROWS })
  return {
    connections: connections.map((connection) => ({
      id: connection.id,
      clientName: connection.clientName,
      redirectHost: connection.redirectHost,
      approved: timeView(connection.approvedAt, now),
      expires: timeView(connection.expiresAt, now),
      lastUsed: timeOf(used.get(connection.id), now),
      may: connection.scopes.filter(isScope).map((scope) => SCOPES[scope].description),
      spent: (spent.get(spenderIdOf(connection)) ?? []).map(({ upstream, dayMicros, totalMicros }) => ({
        upstream,
        today: eur(dayMicros),
        total: eur(totalMicros),
      })),
      tokens: issued
        .filter((row) => row.connectionId === connection.id)
        .sort((one, other) => one.kind.localeCompare(other.kind))
        .map((row) => tokenView(row, now)),
    })),
    tokens: tokens.map((row) => tokenView(row, now)),
    connectionPager: apps.pager,
    tokenPager: own.pager,
  }
}

function spenderIdOf({ id, spenderId }: { readonly id: string; readonly spenderId: string | null }): string {
  return spenderId ?? id
}

function timeOf(moment: Date | undefined, now: Date): TimeView | null {
  return moment ? timeView(moment, now) : null
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
    deadAddresses: row.ipAllowList.filter((entry) => readAllowListEntry(entry) === null),
    created: timeView(row.createdAt, now),
    lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    expires: row.expiresAt && timeView(row.expiresAt, now),
  }
}
