import { isScope, type Scope } from '@vertexsms/contract/scopes'
import { liveConnection } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { lastUsedOf } from '../connections/last-used.ts'
import { scheduledUnder } from '../connections/scheduled.ts'
import { type OwnersRules, spenderIdOf, standingOf } from '../connections/spenders.ts'

/** The most connections of one client that a page lists. */
const MAX_LISTED = 20

/** A live connection that a client has to this account already. */
export interface Earlier {
  readonly id: string
  readonly clientName: string
  readonly redirectHost: string
  readonly approvedAt: Date
  readonly lastUsedAt: Date | null
  readonly scopes: readonly Scope[]
  readonly limits: OwnersRules
  readonly isPaused: boolean
  /** Messages that wait for their time under it. */
  readonly scheduledMessages: number
}

/**
 * What a client has already, the latest first: for one that registered itself the connection that an approval goes on
 * with, for one known by a document those of all its installs. Read without a lock: what a page may say beforehand.
 */
export async function earlierConnections(
  db: Database,
  of: { readonly accountId: string; readonly clientId: string; readonly isShared: boolean },
  now: Date,
): Promise<Earlier[]> {
  const rows = await db.connection.findMany({
    where: { accountId: of.accountId, clientId: of.clientId, ...liveConnection(now) },
    orderBy: { approvedAt: 'desc' },
    take: of.isShared ? MAX_LISTED : 1,
  })
  const used = await lastUsedOf(db, rows)
  return Promise.all(
    rows.map(async (row) => {
      const { id, clientName, redirectHost, approvedAt, scopes } = row
      const { rules, isPaused } = await standingOf(db, spenderIdOf(row))
      return {
        id,
        clientName,
        redirectHost,
        approvedAt,
        lastUsedAt: used.get(id) ?? null,
        scopes: scopes.filter(isScope),
        limits: rules,
        isPaused,
        scheduledMessages: await scheduledUnder(db, id),
      }
    }),
  )
}
