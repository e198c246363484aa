import type { Issuer } from './issuer.ts'
import { MCP_RESOURCE_URL } from './issuer.ts'
import { freePort, type Started, type StartOptions, start } from './process.ts'

/** Starts the MCP server as shipped, with the settings an operator gives it, rate limits off. */
export async function startOurs(issuer: Issuer, apiUrl: string, options: Partial<StartOptions> = {}): Promise<Started> {
  const port = await freePort()
  return start({
    ...options,
    script: 'apps/mcp/src/server.ts',
    port,
    env: {
      MCP_PORT: String(port),
      HOST: '127.0.0.1',
      MCP_RESOURCE_URL,
      ISSUER_URL: issuer.issuerUrl,
      JWKS_URL: issuer.jwksUrl,
      API_URL: apiUrl,
      EDGE_SECRET: 'bench-edge-secret-bench-edge-secret-bench-1',
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      ...options.env,
    },
  })
}
