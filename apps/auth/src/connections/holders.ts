import { isConnectionAlive, isTokenAlive, liveConnection, liveToken } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { type Holder, spenderIdOf } from './spenders.ts'
import { MADE_BY_HAND } from './tokens.ts'

/** What may spend, as an owner or operator looks at it. */
export interface FoundHolder extends Holder {
  readonly accountId: string
  readonly spenderId: string
  /** What the client or the owner calls it, or where its answers go; the email address of an account. */
  readonly name: string
  /** False once it ended or ran out: nothing about it changes any more. */
  readonly isAlive: boolean
  /** Of a token that is still kept: when it runs out or ran out; null for one that never does, and for all else. */
  readonly runsOutAt: Date | null
}

/**
 * A connection or a token made by hand, by its id; of one account where it is given. Of a token that was deleted what is left
 * of it: what it spent and did. Null where there is none.
 */
export async function findHolder(
  db: Database,
  of: { readonly id: string; readonly accountId?: string },
  now: Date,
): Promise<FoundHolder | null> {
  const connection = await db.connection.findFirst({ where: of })
  if (connection) return ofConnection(connection, now)
  const token = await db.apiToken.findFirst({ where: { ...of, ...MADE_BY_HAND } })
  if (token) return ofToken(token, now)
  const { id, accountId } = of
  const left = await db.spender.findFirst({
    where: { id, ...(accountId && { accountId }), kind: 'token', endedAt: { not: null } },
  })
  if (!left) return null
  const name = left.endedName ?? ''
  return { kind: 'token', id, accountId: left.accountId, spenderId: id, name, isAlive: false, runsOutAt: null }
}

/** Which of some connections and tokens made by hand of an account still live, by their ids. */
export async function aliveAmong(
  db: Database,
  { accountId, ids }: { readonly accountId: string; readonly ids: readonly string[] },
  now: Date,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const which = { accountId, id: { in: [...ids] } }
  const connections = await db.connection.findMany({
    where: { ...which, ...liveConnection(now) },
    select: { id: true },
  })
  const tokens = await db.apiToken.findMany({
    where: { ...which, ...MADE_BY_HAND, ...liveToken(now) },
    select: { id: true },
  })
  return new Set([...connections, ...tokens].map(({ id }) => id))
}

/** Everything of an account that may still spend: itself, its connections, its tokens made by hand. */
export async function holdersOf(
  db: Database,
  account: { readonly id: string; readonly email: string },
  now: Date,
): Promise<FoundHolder[]> {
  const accountId = account.id
  const connections = await db.connection.findMany({
    where: { accountId, ...liveConnection(now) },
    orderBy: { approvedAt: 'desc' },
  })
  const tokens = await db.apiToken.findMany({
    where: { accountId, ...MADE_BY_HAND, ...liveToken(now) },
    orderBy: { createdAt: 'desc' },
  })
  return [
    holderOfAccount(account),
    ...connections.map((row) => ofConnection(row, now)),
    ...tokens.map((row) => ofToken(row, now)),
  ]
}

/** The account itself. */
export function holderOfAccount({ id, email }: { readonly id: string; readonly email: string }): FoundHolder {
  return { kind: 'account', id, accountId: id, spenderId: id, name: email, isAlive: true, runsOutAt: null }
}

interface ConnectionRow {
  id: string
  accountId: string
  spenderId: string | null
  clientName: string
  redirectHost: string
  endedAt: Date | null
  expiresAt: Date
}

function ofConnection(row: ConnectionRow, now: Date): FoundHolder {
  const { id, accountId, clientName, redirectHost } = row
  const isAlive = isConnectionAlive(row, now)
  const name = clientName || redirectHost
  return { kind: 'connection', id, accountId, spenderId: spenderIdOf(row), name, isAlive, runsOutAt: null }
}

interface TokenRow {
  id: string
  accountId: string
  spenderId: string | null
  name: string
  expiresAt: Date | null
}

function ofToken(row: TokenRow, now: Date): FoundHolder {
  const { id, accountId, name, expiresAt: runsOutAt } = row
  return { kind: 'token', id, accountId, spenderId: spenderIdOf(row), name, isAlive: isTokenAlive(row, now), runsOutAt }
}
