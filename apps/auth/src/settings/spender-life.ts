import { spenderPath } from '@vertexsms/contract/page-paths'
import type { Database, Prisma } from '@vertexsms/db/client'
import type { FoundHolder } from '../connections/holders.ts'
import { withoutKeys } from '../connections/keys.ts'
import { lastUsedOf } from '../connections/last-used.ts'
import { appNamed } from '../connections/named-app.ts'
import { type Naming, wholeAccount, whoOf } from '../connections/who.ts'
import type { EndedReason, SpenderPage } from '../views/spender.ts'
import { timeView } from '../web/times.ts'
import { endOf } from './spender-views.ts'

type Connection = Prisma.ConnectionGetPayload<object>

interface Found {
  readonly holder: FoundHolder
  /** Of a connection. */
  readonly connection: Connection | null
  readonly row: { readonly endedAt: Date | null } | null
  /** Of its page. */
  readonly path: string
}

/** Who a holder is, since when, whether it goes on, and what came of it. */
export async function lifeView(
  db: Database,
  { holder, connection, row, path }: Found,
  now: Date,
  naming: Naming,
): Promise<Pick<SpenderPage, 'who' | 'times' | 'disconnect' | 'hasNoKeys' | 'isAlive' | 'ended' | 'successor'>> {
  const lives = connection !== null && holder.isAlive
  const ended = endOfHolder(holder, connection, row, now)
  return {
    who: whoOfHolder(holder, connection, ended?.reason, naming),
    times: connection && (await timesOf(db, connection, now)),
    disconnect: lives ? `${path}/disconnect` : null,
    hasNoKeys: lives && (await withoutKeys(db, [connection.id], now)).size > 0,
    isAlive: holder.isAlive && !row?.endedAt,
    ended: ended && { at: timeView(ended.at, now), reason: ended.reason },
    successor: connection && ended?.reason === 'replaced' ? await successorOf(db, holder, connection) : null,
  }
}

function endOfHolder(
  { kind, runsOutAt, isAlive }: FoundHolder,
  connection: Connection | null,
  row: Found['row'],
  now: Date,
): { readonly at: Date; readonly reason: EndedReason } | null {
  if (connection) return endOf(connection, now)
  if (row?.endedAt) return { at: row.endedAt, reason: kind === 'token' ? 'token' : 'other' }
  return runsOutAt && !isAlive ? { at: runsOutAt, reason: 'expired' } : null
}

function whoOfHolder(
  { kind, id, name }: FoundHolder,
  connection: Connection | null,
  ended: EndedReason | undefined,
  naming: Naming,
) {
  if (kind === 'account') return wholeAccount(naming)
  const isDeleted = kind === 'token' && ended === 'token'
  return whoOf({ kind: isDeleted ? 'deleted token' : kind, id, name, app: connection && appNamed(connection) }, naming)
}

async function timesOf(db: Database, connection: Connection, now: Date): Promise<SpenderPage['times']> {
  const used = (await lastUsedOf(db, [connection])).get(connection.id)
  return {
    approved: timeView(connection.approvedAt, now),
    expires: timeView(connection.expiresAt, now),
    lastUsed: used ? timeView(used, now) : null,
  }
}

/** The page of the connection that spends under the same limits since this one was replaced; null where there is none. */
async function successorOf(
  db: Database,
  { id, accountId, spenderId }: FoundHolder,
  { approvedAt }: Connection,
): Promise<string | null> {
  const successor = await db.connection.findFirst({
    where: { accountId, spenderId, id: { not: id }, approvedAt: { gte: approvedAt } },
    orderBy: { approvedAt: 'desc' },
    select: { id: true },
  })
  return successor && spenderPath({ kind: 'connection', id: successor.id })
}
