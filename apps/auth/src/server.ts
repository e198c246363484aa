import { createDatabase, databaseOptions } from '@vertexsms/db/client'
import { waitForDatabase } from '@vertexsms/db/readiness'
import { SealError } from '@vertexsms/secrets/subkey'
import { ConfigurationError } from '@vertexsms/service/env'
import { createLogger } from '@vertexsms/service/logger'
import { runService } from '@vertexsms/service/run'
import { buildApp } from './app.ts'
import { readAuthEnv } from './env.ts'

/** For a database that starts later than we do. */
const DATABASE_WAIT_MS = 30_000

await runService(async () => {
  const env = readAuthEnv()
  const logger = createLogger({ service: 'auth', level: env.LOG_LEVEL })
  const db = createDatabase(databaseOptions(env))
  await waitForDatabase(db, logger, DATABASE_WAIT_MS, () => logger.warn('waiting for the database'))
  const app = await buildApp({ env, db, logger }).catch((error: unknown) => {
    // As after a restore with another key. The sentence says no more than the ids of both.
    throw error instanceof SealError ? new ConfigurationError([`OPERATOR_KEY: ${error.message}`]) : error
  })
  app.addHook('onClose', () => db.$disconnect())
  return { app, host: env.HOST, port: env.AUTH_PORT, logger }
})
