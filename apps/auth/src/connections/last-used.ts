import type { Database } from '@vertexsms/db/client'

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
  const spenderIds = connections.map(({ id, spenderId }) => spenderId ?? id)
  const acts = await db.activity.groupBy({
    by: ['spenderId'],
    where: { spenderId: { in: spenderIds }, what: { in: ['sms', 'hlr', 'msisdn'] } },
    _max: { at: true },
  })
  const used = new Map<string, Date>()
  for (const { id, spenderId } of connections) {
    const times = [
      tokens.find(({ connectionId }) => connectionId === id)?._max.lastUsedAt,
      acts.find((act) => act.spenderId === (spenderId ?? id))?._max.at,
    ].flatMap((time) => (time ? [time.getTime()] : []))
    if (times.length > 0) used.set(id, new Date(Math.max(...times)))
  }
  return used
}
