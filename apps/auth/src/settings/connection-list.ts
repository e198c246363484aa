import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { liveConnection } from '@vertexsms/db/alive'
import type { Database, Prisma } from '@vertexsms/db/client'
import { pauseOf } from '@vertexsms/db/paused'
import { scopesSpend } from '../connections/binding.ts'
import { withoutKeys } from '../connections/keys.ts'
import { lastUsedOf } from '../connections/last-used.ts'
import { spenderNamed } from '../connections/names.ts'
import { spenderIdOf } from '../connections/spenders.ts'
import { spentUnder } from '../connections/spent.ts'
import { listTokens, newestTokens, type TokenRow } from '../connections/tokens.ts'
import { inOneLine, type Naming, titleOf, whoOf } from '../connections/who.ts'
import type { ApiTokensPage, ConnectionView, IssuedTokenView } from '../views/tokens.ts'
import { PAGE_ROWS, pageOf } from '../web/paging.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { type Asked, distinct, kept, loose, type Sent } from './list-query.ts'
import { mayOfScopes } from './may.ts'

/** Connections that are shown in full; where there are more, each is a row that opens. */
const CARDS_MAX = 5
/** Of each kind of a connection's tokens. Deleting any of them ends the connection: the others need no button. */
const ISSUED_ROWS = 5

type Connection = Prisma.ConnectionGetPayload<object>
type Apps = Pick<ApiTokensPage, 'connections' | 'connectionPager' | 'connectionCount' | 'isBrief' | 'q' | 'sort'>

/** One page of the connected apps of Settings -> API, each with its tokens. */
export async function connectionList(
  db: Database,
  accountId: string,
  sent: Sent,
  now: Date,
  naming: Naming,
): Promise<Apps> {
  const { connections, ...apps } = await connectionsOf(db, accountId, sent, now, naming.t)
  return { connections: await connectionViews(db, accountId, connections, now, naming), ...apps }
}

/** One page of the connections that are found, newest first. */
async function connectionsOf(
  db: Database,
  accountId: string,
  { query, asked }: Sent,
  now: Date,
  t: Words,
): Promise<Omit<Apps, 'connections'> & { connections: Connection[] }> {
  // A connection without a token lives on: what it has scheduled goes out, and it can be disconnected.
  const where = { accountId, ...liveConnection(now) }
  const orderBy = [{ approvedAt: 'desc' as const }, { id: 'asc' as const }]
  const paged = (rows: number) => pageOf(rows, { path: PAGE_PATHS.tokens, query, name: 'apps', keep: kept(asked) })
  const connectionCount = await db.connection.count({ where })
  const told = { connectionCount, isBrief: connectionCount > CARDS_MAX, q: asked.q, sort: asked.sort }
  if (asked.q === '' && asked.sort === 'connected') {
    const { skip, pager } = paged(connectionCount)
    const connections = await db.connection.findMany({ where, orderBy, skip, take: PAGE_ROWS })
    return { connections, connectionPager: pager, ...told }
  }
  // As the person reads them, titles in words of ours included: the database knows none of those.
  const select = { id: true, spenderId: true, clientName: true, redirectHost: true }
  const places = memo((place: string) => loose(`${place}\n${titleOf(place, t).title}`))
  const wanted = loose(asked.q)
  const found = (await db.connection.findMany({ where, orderBy, select })).filter(
    ({ clientName, redirectHost }) => loose(clientName).includes(wanted) || places(redirectHost).includes(wanted),
  )
  const { skip, pager } = paged(found.length)
  const ids = (await sorted(db, found, asked.sort, now)).slice(skip, skip + PAGE_ROWS).map(({ id }) => id)
  const rows = await db.connection.findMany({ where: { ...where, id: { in: ids } } })
  const connections = ids.flatMap((id) => rows.find((row) => row.id === id) ?? [])
  return { connections, connectionPager: pager, ...told }
}

/** In the order that is asked for, those that are alike as they came. An account has a bounded number of connections. */
async function sorted<Row extends { readonly id: string; readonly spenderId: string | null }>(
  db: Database,
  rows: readonly Row[],
  sort: Asked['sort'],
  now: Date,
): Promise<readonly Row[]> {
  if (sort === 'connected') return rows
  const used = sort === 'used' ? await lastUsedOf(db, rows) : null
  const spent = sort === 'spent' ? await spentUnder(db, rows.map(spenderIdOf), now) : null
  const today = (row: Row) => (spent?.get(spenderIdOf(row)) ?? []).reduce((sum, { dayMicros }) => sum + dayMicros, 0n)
  const rank = new Map(rows.map((row) => [row, Number(used ? (used.get(row.id) ?? 0) : today(row))]))
  return [...rows].sort((one, other) => (rank.get(other) ?? 0) - (rank.get(one) ?? 0))
}

/** The same function, asked once for each text. */
function memo(work: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    const value = known.get(text) ?? work(text)
    known.set(text, value)
    return value
  }
}

async function connectionViews(
  db: Database,
  accountId: string,
  connections: readonly Connection[],
  now: Date,
  naming: Naming,
): Promise<ConnectionView[]> {
  const spenderIds = connections.map(spenderIdOf)
  const ids = connections.map(({ id }) => id)
  const tokens = async () => {
    const newest = await newestTokens(db, ids, now, ISSUED_ROWS)
    return { newest, issued: await listTokens(db, accountId, now, newest) }
  }
  const [{ newest, issued }, keyless, used, spent, spenders] = await Promise.all([
    tokens(),
    withoutKeys(db, ids, now),
    lastUsedOf(db, connections),
    spentUnder(db, spenderIds, now),
    db.spender.findMany({ where: { id: { in: spenderIds }, accountId } }),
  ])
  const whos = connections.map((connection) => whoOf(spenderNamed(connection), naming))
  const labels = distinct(whos.map(inOneLine))
  return connections.map((connection, at) => {
    const { id, approvedAt, expiresAt, scopes } = connection
    const spender = spenders.find((row) => row.id === spenderIdOf(connection))
    const lastUsed = used.get(id)
    const label = labels[at] ?? ''
    return {
      id,
      who: whos[at] ?? whoOf(null, naming),
      label,
      isPaused: spender !== undefined && pauseOf(spender) !== null,
      may: mayOfScopes(scopes, naming.t),
      spends: scopesSpend(scopes),
      approved: timeView(approvedAt, now),
      expires: timeView(expiresAt, now),
      lastUsed: lastUsed ? timeView(lastUsed, now) : null,
      spent: (spent.get(spenderIdOf(connection)) ?? []).map(({ upstream, dayMicros, totalMicros, heldMicros }) => {
        return { upstream, dayMicros, totalMicros, heldMicros }
      }),
      maxPerDayMicros: scopesSpend(scopes) ? (spender?.maxPerDayMicros ?? null) : null,
      hasNoKeys: keyless.has(id),
      tokenCount: newest.counts.get(id) ?? 0,
      tokens: issuedViews(
        issued.filter((row) => row.connectionId === id),
        label,
        now,
        naming.t,
      ),
    }
  })
}

function issuedViews(rows: readonly TokenRow[], connection: string, now: Date, t: Words): IssuedTokenView[] {
  const views = (kind: TokenRow['kind'], titled: (number: string) => string) =>
    rows
      .filter((row) => row.kind === kind)
      .map((row, at) => issuedView(row, titled(t.format.number(at + 1)), connection, now))
  return [...views('oauth_access', t.access.accessKey), ...views('oauth_refresh', t.access.renewalKey)]
}

/** What the list calls a token of a connection; by its name one that is older than those the list shows. */
export async function titleOfIssued(
  db: Database,
  { id, accountId, connectionId, name }: Pick<TokenRow, 'id' | 'name'> & { accountId: string; connectionId: string },
  now: Date,
  t: Words,
): Promise<string> {
  const newest = await newestTokens(db, [connectionId], now, ISSUED_ROWS)
  const views = issuedViews(await listTokens(db, accountId, now, newest), '', now, t)
  return views.find((view) => view.id === id)?.title ?? name
}

function issuedView(row: TokenRow, title: string, connection: string, now: Date): IssuedTokenView {
  return {
    id: row.id,
    title,
    name: row.name,
    label: `${title}, ${connection}`,
    created: timeView(row.createdAt, now),
    lastUsed: row.lastUsedAt && timeView(row.lastUsedAt, now),
    expires: row.expiresAt && timeView(row.expiresAt, now),
  }
}
