import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { imageOf } from './bundle.ts'
import type { Issuer } from './issuer.ts'
import { MCP_RESOURCE_URL } from './issuer.ts'
import { freePort, ROOT, type Started, type StartOptions, start } from './process.ts'

/** Starts the MCP server with the settings an operator gives it, rate limits off; from its source unless told otherwise. */
export async function startOurs(issuer: Issuer, apiUrl: string, options: Partial<StartOptions> = {}): Promise<Started> {
  const port = await freePort()
  return start({
    script: 'apps/mcp/src/server.ts',
    ...options,
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

/** Starts the bundle that the container image holds the way the image does, with the same options of Node. */
export async function startBundle(
  issuer: Issuer,
  apiUrl: string,
  options: Partial<StartOptions> = {},
): Promise<Started> {
  return startOurs(issuer, apiUrl, {
    ...options,
    script: join(imageOf('mcp'), 'server.js'),
    plain: true,
    env: { ...imageEnvironment(), ...options.env },
    nodeArguments: [...imageNodeOptions(), ...(options.nodeArguments ?? [])],
  })
}

/** The options of Node in the last line of the Dockerfile. */
export function imageNodeOptions(): string[] {
  const command = /^CMD (\[.*\])$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1]
  if (command === undefined) throw new Error('the Dockerfile has no CMD')
  return (JSON.parse(command) as string[]).filter((word) => word.startsWith('--'))
}

/** What the last stage of the Dockerfile sets for the memory of the C library (mallopt(3)). */
export function imageEnvironment(): Record<string, string> {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  return Object.fromEntries([...text.matchAll(/\b(MALLOC_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]))
}
