// The image's health check: `node health.js [PATH]` asks this container's own service; status 0 means 2xx.
// Unlike readiness, `/healthz` (the default) says nothing of the database: an orchestrator that restarts
// unhealthy containers must not restart all of them because the database is away.

const port = process.env.AUTH_PORT ?? process.env.MCP_PORT ?? process.env.API_PORT
const path = process.argv[2] ?? '/healthz'
const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(3_000) }).catch(() => null)
process.exit(answer?.ok ? 0 : 1)
