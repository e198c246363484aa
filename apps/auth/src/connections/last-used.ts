import type { Database } from '@vertexsms/db/client'
import { spenderIdOf } from './spenders.ts'

/**
 * When each of some connections was last used: by any token it has, or to do something. A token that was refreshed away
 * takes its own word with it, so what was done counts too.
 */
export async function lastUsedOf(
  db: Database,
  connections: readonly { readonly id: string; readonly spenderId: string | null }[],
): Promise<ReadonlyMap<string, Date>> {
  const ids = connections.map(({ id }) => id)
  const tokens = await db.apiToken.groupBy({
    by: ['connectionId'],
    where: { connectionId: { in: ids } },
    _max: { lastUsedAt: true },
  })
  const spenderIds = connections.map(spenderIdOf)
  // The last row of each is one step in its index, however much it did. Equality alone would let the database go through
  // all rows by time where one spender has most of them, once for each spender that has none.
  const acts = await db.$queryRaw<{ spenderId: string; at: Date | null }[]>`
    SELECT s.id::text AS "spenderId",
           (SELECT a.at FROM activity a WHERE a.spender_id BETWEEN s.id AND s.id AND a.what IN ('sms', 'hlr', 'msisdn')
            ORDER BY a.spender_id DESC, a.at DESC LIMIT 1) AS at
    FROM unnest(${spenderIds}::uuid[]) AS s(id)`
  const used = new Map<string, Date>()
  for (const connection of connections) {
    const { id } = connection
    const times = [
      tokens.find(({ connectionId }) => connectionId === id)?._max.lastUsedAt,
      acts.find((act) => act.spenderId === spenderIdOf(connection))?.at,
    ].flatMap((time) => (time ? [time.getTime()] : []))
    if (times.length > 0) used.set(id, new Date(Math.max(...times)))
  }
  return used
}
