import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@vertexsms/db/client'
import { expectMigrated } from '@vertexsms/db/readiness'
import { ConfigurationError } from '@vertexsms/service/env'
import type { Logger } from '@vertexsms/service/logger'

const WAIT_MS = 30_000
const RETRY_MS = 500

/**
 * Resolves when the database answers, which may be later than we start; rejects with its error after half a minute, and
 * with ConfigurationError at once where it was never migrated.
 */
export async function waitForDatabase(db: Database, logger: Logger): Promise<void> {
  const giveUpAt = performance.now() + WAIT_MS
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await expectMigrated(db)
    } catch (error) {
      if (error instanceof ConfigurationError || performance.now() >= giveUpAt) throw error
      if (attempt === 1) logger.warn('waiting for the database')
      await delay(RETRY_MS)
    }
  }
}
