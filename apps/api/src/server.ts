import { createDatabase, databaseOptions } from '@vertexsms/db/client'
import { waitForDatabase } from '@vertexsms/db/readiness'
import { ConfigurationError } from '@vertexsms/service/env'
import { createLogger } from '@vertexsms/service/logger'
import { createOutbound } from '@vertexsms/service/outbound'
import { runService } from '@vertexsms/service/run'
import { buildApp } from './app.ts'
import { readApiEnv } from './env.ts'
import { createInternalListener } from './routes/internal.ts'

await runService(async () => {
  const env = readApiEnv()
  const logger = createLogger({ service: 'api', level: env.LOG_LEVEL })
  const db = createDatabase(databaseOptions(env))
  let isAway = false
  await waitForDatabase(db, logger, 0).catch((error: unknown) => {
    if (error instanceof ConfigurationError) throw error
    isAway = true
  })
  const outbound = createOutbound({ allowLocalhost: env.OUTBOUND_ALLOW_LOCALHOST, proxy: env.OUTBOUND_PROXY })
  const { HOST: host, API_INTERNAL_HOST, API_INTERNAL_PORT } = env
  const internal = API_INTERNAL_PORT === undefined ? undefined : createInternalListener(logger)
  const app = buildApp({ env, db, logger, outbound, internal })
  // One that is away is told of by /readyz, and looked at when it is back: what rejects here ends the process in good order.
  if (isAway) app.addHook('onListen', async () => void waitForDatabase(db, logger, Number.POSITIVE_INFINITY))
  app.addHook('onClose', async () => {
    await internal?.close()
    await outbound.close()
    await db.$disconnect()
  })
  return {
    app,
    host,
    port: env.API_PORT,
    logger,
    stopWithinMs: env.STOP_WITHIN_MS,
    internal: internal && {
      app: internal,
      host: API_INTERNAL_HOST ?? host,
      port: API_INTERNAL_PORT ?? 0,
      hostSetting: API_INTERNAL_HOST === undefined ? 'HOST' : 'API_INTERNAL_HOST',
    },
  }
})
