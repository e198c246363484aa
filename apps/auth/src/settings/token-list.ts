import { readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { isScope } from '@vertexsms/contract/scopes'
import { liveConnection } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { isLoopbackHost } from '@vertexsms/service/address'
import { lastUsedOf } from '../connections/last-used.ts'
import { pauseOf } from '../connections/spenders.ts'
import { spentUnder } from '../connections/spent.ts'
import { listTokens, type TokenRow } from '../connections/tokens.ts'
import type { ApiTokensPage, ConnectionView, IssuedTokenView, TimeView, TokenView } from '../views/pages.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { TOKENS_PATH } from './ended.ts'
import { mayWords } from './may.ts'

/** A row of a token is one line; a hundred are all that an account may have. */
const TOKEN_ROWS = 50
const FIND_CHARS_MAX = 60
const ORDERS = ['created', 'used', 'name', 'expires'] as const
type Order = (typeof ORDERS)[number]

type Connection = Prisma.ConnectionGetPayload<object>
type List = Omit<ApiTokensPage, 'viewer' | 'notice'>

/** One page of what can use the account as Settings -> API shows it: each connection with its tokens, and the tokens made by hand. */
export async function tokenList(db: Database, accountId: string, query: unknown, t: Words): Promise<List> {
  const now = await databaseNow(db)
  // A connection without a token lives on: what it has scheduled goes out, and it can be disconnected.
  const connected = { accountId, ...liveConnection(now) }
  const apps = pageOf(await db.connection.count({ where: connected }), { path: TOKENS_PATH, query, name: 'apps' })
  const connections = await db.connection.findMany({
    where: connected,
    orderBy: [{ approvedAt: 'desc' }, { id: 'asc' }],
    skip: apps.skip,
    take: PAGE_ROWS,
  })
  return {
    connections: await connectionViews(db, accountId, connections, now, t),
    connectionPager: apps.pager,
    ...manualTokens(await listTokens(db, accountId, now, { connectionIds: null }), query, now, t),
  }
}

async function connectionViews(
  db: Database,
  accountId: string,
  connections: readonly Connection[],
  now: Date,
  t: Words,
): Promise<ConnectionView[]> {
  const spenderIds = connections.map(spenderIdOf)
  const issued = await listTokens(db, accountId, now, { connectionIds: connections.map(({ id }) => id) })
  const used = await lastUsedOf(db, connections)
  const spent = await spentUnder(db, spenderIds, now)
  const spenders = await db.spender.findMany({ where: { id: { in: spenderIds }, accountId } })
  const labels = distinct(connections.map(({ redirectHost, clientName }) => `${redirectHost} (${clientName})`))
  return connections.map((connection, at) => {
    const { id, clientName, redirectHost, approvedAt, expiresAt, scopes } = connection
    const spender = spenders.find((row) => row.id === spenderIdOf(connection))
    return {
      id,
      title: titleOf(redirectHost, t),
      place: redirectHost,
      clientName,
      label: labels[at] ?? '',
      isPaused: spender !== undefined && pauseOf(spender) !== null,
      may: scopes.filter(isScope).map((scope) => t.scopes.may[scope]),
      approved: timeView(approvedAt, now),
      expires: timeView(expiresAt, now),
      lastUsed: timeOf(used.get(id), now),
      spent: (spent.get(spenderIdOf(connection)) ?? []).map(({ upstream, dayMicros, totalMicros }) => ({
        upstream,
        dayMicros,
        totalMicros,
      })),
      maxPerDayMicros: spender?.maxPerDayMicros ?? null,
      tokens: issuedViews(
        issued.filter((row) => row.connectionId === id),
        now,
      ),
    }
  })
}

/** Where its answers go is all that is known of an app: a host, or that it is a program on somebody's computer. */
function titleOf(redirectHost: string, t: Words): string {
  if (redirectHost.endsWith(':')) return t.access.ownLink
  return isLoopbackHost(redirectHost.replace(/:\d+$/, '')) ? t.access.localApp : redirectHost
}

function spenderIdOf({ id, spenderId }: { readonly id: string; readonly spenderId: string | null }): string {
  return spenderId ?? id
}

function timeOf(moment: Date | null | undefined, now: Date): TimeView | null {
  return moment ? timeView(moment, now) : null
}

function issuedViews(rows: readonly TokenRow[], now: Date): IssuedTokenView[] {
  const sorted = [...rows].sort((one, other) => one.kind.localeCompare(other.kind))
  const labels = distinct(sorted.map(({ name }) => name))
  return sorted.map((row, at) => ({
    id: row.id,
    name: row.name,
    label: labels[at] ?? '',
    created: timeView(row.createdAt, now),
    lastUsed: timeOf(row.lastUsedAt, now),
    expires: timeOf(row.expiresAt, now),
  }))
}

function manualTokens(
  rows: readonly TokenRow[],
  query: unknown,
  now: Date,
  t: Words,
): Pick<List, 'tokens' | 'tokenPager' | 'tokenCount' | 'find' | 'order'> {
  const sent = (query ?? {}) as { find?: unknown; order?: unknown }
  const find = typeof sent.find === 'string' ? sent.find.trim().slice(0, FIND_CHARS_MAX) : ''
  const order = ORDERS.find((name) => name === sent.order) ?? 'created'
  const found = rows.filter((row) => isFound(row, find)).sort(COMPARE[order])
  const keep = { ...(find && { find }), ...(order !== 'created' && { order }) }
  const { skip, pager } = pageOf(found.length, { path: TOKENS_PATH, query, name: 'tokens', size: TOKEN_ROWS, keep })
  const labels = new Map(
    distinct(found.map(({ name, lastFour }) => (lastFour === null ? name : `${name} …${lastFour}`))).map(
      (label, at) => [found[at]?.id, label],
    ),
  )
  return {
    tokens: found.slice(skip, skip + TOKEN_ROWS).map((row) => tokenView(row, labels.get(row.id) ?? '', now, t)),
    tokenPager: pager,
    tokenCount: rows.length,
    find,
    order,
  }
}

function isFound({ name, lastFour }: TokenRow, find: string): boolean {
  // A copied end counts with its dots. The characters of a value differ by their case, names do not.
  return name.toLowerCase().includes(find.toLowerCase()) || (lastFour !== null && lastFour === find.replace(/^…/, ''))
}

const latestFirst = (one: Date | null, other: Date | null) => (other?.getTime() ?? 0) - (one?.getTime() ?? 0)
const byName = new Intl.Collator(['en', 'lt'], { numeric: true })
const COMPARE: Readonly<Record<Order, (one: TokenRow, other: TokenRow) => number>> = {
  created: (one, other) => latestFirst(one.createdAt, other.createdAt),
  used: (one, other) => latestFirst(one.lastUsedAt, other.lastUsedAt),
  name: (one, other) => byName.compare(one.name, other.name),
  // What never expires comes last.
  expires: (one, other) => (one.expiresAt?.getTime() ?? Infinity) - (other.expiresAt?.getTime() ?? Infinity) || 0,
}

function tokenView(row: TokenRow, label: string, now: Date, t: Words): TokenView {
  const { id, name, lastFour, permissions, ipAllowList, replaced } = row
  return {
    id,
    name,
    label,
    lastFour,
    may: mayWords(permissions, t),
    permissions,
    ipAllowList,
    deadAddresses: ipAllowList.filter((entry) => readAllowListEntry(entry) === null),
    created: timeView(row.createdAt, now),
    lastUsed: timeOf(row.lastUsedAt, now),
    expires: timeOf(row.expiresAt, now),
    replaced: replaced && { lastFour: replaced.lastFour, ends: timeView(replaced.expiresAt, now) },
  }
}

/** The labels, each only once: what comes again is numbered. */
function distinct(labels: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return labels.map((label) => {
    const times = (seen.get(label) ?? 0) + 1
    seen.set(label, times)
    return times === 1 ? label : `${label} (${times})`
  })
}
