import type { Database } from '@vertexsms/db/client'

/** `last used` is written at most this often for one token. */
const LAST_USED_STEP_MS = 60_000

/** Uses are gathered this long before they are written, outside of any request. */
const GATHER_MS = 500

/** Notes that tokens were used. */
export interface LastUsed {
  /** Costs the request nothing; a token noted within the minute before `now`, the database's, is skipped. */
  note(tokenId: string, lastUsedAt: Date | null, now: Date): void
  /** Writes what is still waiting. */
  flush(): Promise<void>
}

/** Gathers uses and writes them together; several nodes may note the same token, the row keeps the newest. */
export function createLastUsed(db: Database): LastUsed {
  const noted = new Map<string, number>()
  const waiting = new Set<string>()
  let newestMs = 0
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (waiting.size === 0) return
    const ids = [...waiting]
    waiting.clear()
    const before = newestMs - LAST_USED_STEP_MS
    for (const [id, atMs] of noted) if (atMs <= before) noted.delete(id)
    // A row that another holds is left to it, so that no refresh or ending ever waits for this, nor this for them. A use
    // that cannot be written is not worth a failed request: the next one writes it.
    await db.$executeRaw`
      UPDATE api_token SET last_used_at = database_now() FROM (
        SELECT id FROM api_token
        WHERE id = ANY(${ids}::uuid[])
          AND (last_used_at IS NULL OR last_used_at <= database_now() - ${LAST_USED_STEP_MS}::int * interval '1 millisecond')
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
      ) free WHERE api_token.id = free.id`.catch(() => {
      for (const id of ids) noted.delete(id)
    })
  }

  return {
    note(tokenId, lastUsedAt, now) {
      const nowMs = now.getTime()
      newestMs = Math.max(newestMs, nowMs)
      const lastMs = Math.max(noted.get(tokenId) ?? 0, lastUsedAt?.getTime() ?? 0)
      if (nowMs - lastMs < LAST_USED_STEP_MS) return
      noted.set(tokenId, nowMs)
      waiting.add(tokenId)
      timer ??= setTimeout(() => void flush(), GATHER_MS)
    },
    flush,
  }
}
