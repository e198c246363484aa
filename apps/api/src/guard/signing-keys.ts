import { publishedKey } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { type CryptoKey, errors, importJWK, type JWK, type JWTVerifyGetKey } from 'jose'

/** Keys older than this are read again, so that a retired key stops being accepted. */
const REFRESH_MS = 30_000

/** An unknown key id makes the keys be read again, but not more often than this. */
const UNKNOWN_KID_PACE_MS = 2_000

/**
 * Finds a public key of the authorization server by its id; the keys are read from the database and kept for a short
 * time. Rejects with JWKSNoMatchingKey where no such key is published, otherwise when the database is down.
 */
export function createSigningKeys(db: Database): JWTVerifyGetKey {
  let keys = new Map<string, CryptoKey>()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    const now = await databaseNow(db)
    const rows = await db.signingKey.findMany({
      // The private half stands in the same row; this service may not even read it.
      select: { kid: true, alg: true, publicJwk: true },
      where: publishedKey(now),
    })
    const fresh = new Map<string, CryptoKey>()
    for (const row of rows) {
      const key = await importJWK(row.publicJwk as JWK, row.alg).catch(() => null)
      if (key && !(key instanceof Uint8Array) && key.type === 'public') fresh.set(row.kid, key)
    }
    keys = fresh
    readAt = Date.now()
  }

  function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  return async ({ kid = '' }) => {
    const age = Date.now() - readAt
    if (age > REFRESH_MS || age < 0 || (!keys.has(kid) && age > UNKNOWN_KID_PACE_MS)) await refresh()
    const key = keys.get(kid)
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
}
