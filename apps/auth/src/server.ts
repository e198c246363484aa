import { createDatabase, databaseOptions } from '@vertexsms/db/client'
import { SealError } from '@vertexsms/secrets/subkey'
import { ConfigurationError } from '@vertexsms/service/env'
import { createLogger } from '@vertexsms/service/logger'
import { runService } from '@vertexsms/service/run'
import { buildApp } from './app.ts'
import { readAuthEnv } from './env.ts'
import { waitForDatabase } from './wait-for-database.ts'

await runService(async () => {
  const env = readAuthEnv()
  const logger = createLogger({ service: 'auth', level: env.LOG_LEVEL })
  const db = createDatabase(databaseOptions(env))
  await waitForDatabase(db, logger)
  const app = await buildApp({ env, db, logger }).catch((error: unknown) => {
    // As after a restore with another key. The sentence says no more than the ids of both.
    throw error instanceof SealError ? new ConfigurationError([`OPERATOR_KEY: ${error.message}`]) : error
  })
  app.addHook('onClose', () => db.$disconnect())
  return { app, host: env.HOST, port: env.AUTH_PORT, logger }
})
