import type { Database } from '@vertexsms/db/client'
import { MADE_BY_HAND } from './tokens.ts'

/** What an owner knows a spender by. */
export interface NamedSpender {
  readonly kind: 'connection' | 'token'
  /** Of the connection or token; what took the place of another one, of the latest. */
  readonly id: string
  /** What the client or the owner calls it. */
  readonly name: string
  /** Where the answers of an app go; null for a token made by hand. */
  readonly redirectHost: string | null
}

/** Who some spenders of an account are, by their ids; one whose token was deleted is left out. */
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
  for (const { id, name } of tokens) named.set(id, { kind: 'token', id, name, redirectHost: null })
  const which = { accountId, OR: [{ id: { in: ids } }, { spenderId: { in: ids } }] }
  const connections = await db.connection.findMany({ where: which, orderBy: { approvedAt: 'asc' } })
  for (const { id, spenderId, clientName, redirectHost } of connections) {
    named.set(spenderId ?? id, { kind: 'connection', id, name: clientName, redirectHost })
  }
  return named
}
