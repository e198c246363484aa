import { createLogger } from '@vertexsms/service/logger'
import { runService } from '@vertexsms/service/run'
import { buildApp } from './app.ts'
import { readConfig } from './env.ts'

await runService(async () => {
  const config = readConfig()
  const logger = createLogger({ service: 'mcp', level: config.LOG_LEVEL })
  const app = await buildApp({ config, logger })
  return { app, host: config.HOST, port: config.MCP_PORT, logger }
})
