import type { Database } from '@vertexsms/db/client'
import { appNamed, type NamedApp } from './named-app.ts'
import { spenderIdOf } from './spenders.ts'
import { MADE_BY_HAND } from './tokens.ts'

/** What an owner knows a spender by. */
export interface NamedSpender {
  readonly kind: 'connection' | 'token' | 'deleted token'
  /** Of the connection or token; what took the place of another one, of the latest. */
  readonly id: string
  /** What the client or the owner calls it. */
  readonly name: string
  /** Null for a token made by hand, deleted or not. */
  readonly app: NamedApp | null
}

/** The spender of a row of `connection`. */
export function spenderNamed(row: Parameters<typeof appNamed>[0] & { readonly id: string }): NamedSpender {
  return { kind: 'connection', id: row.id, name: row.clientName, app: appNamed(row) }
}

/** Who some spenders of an account are, by their ids; what is known of none is left out. */
export async function nameSpenders(
  db: Database,
  accountId: string,
  spenderIds: readonly string[],
): Promise<ReadonlyMap<string, NamedSpender>> {
  const ids = [...new Set(spenderIds)]
  const named = new Map<string, NamedSpender>()
  if (ids.length === 0) return named
  // The spender of a token made by hand has its id. An account may have many tokens: only these are looked at.
  const tokens = await db.apiToken.findMany({
    where: { accountId, id: { in: ids }, ...MADE_BY_HAND },
    select: { id: true, name: true },
  })
  for (const { id, name } of tokens) named.set(id, { kind: 'token', id, name, app: null })
  const which = { accountId, OR: [{ id: { in: ids } }, { spenderId: { in: ids } }] }
  const connections = await db.connection.findMany({ where: which, orderBy: { approvedAt: 'asc' } })
  for (const row of connections) {
    named.set(spenderIdOf(row), spenderNamed(row))
  }
  const unnamed = ids.filter((id) => !named.has(id))
  if (unnamed.length === 0) return named
  const deleted = await db.spender.findMany({
    where: { accountId, id: { in: unnamed }, endedName: { not: null } },
    select: { id: true, endedName: true },
  })
  for (const { id, endedName } of deleted)
    named.set(id, { kind: 'deleted token', id, name: endedName ?? '', app: null })
  return named
}
