// The image's health check: `node health.js [PATH]` asks this container's own service; status 0 means 200.
// Unlike readiness, `/healthz` (the default) says nothing of the database: an orchestrator that restarts
// unhealthy containers must not restart all of them because the database is away.

import { get } from 'node:http'

const port = process.env.AUTH_PORT ?? process.env.MCP_PORT ?? process.env.API_PORT
const request = get(
  { host: '127.0.0.1', port, path: process.argv[2] ?? '/healthz', timeout: 3_000 },
  ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1),
)
request.on('timeout', () => process.exit(1)).on('error', () => process.exit(1))
