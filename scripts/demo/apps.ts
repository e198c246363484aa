import { createHash } from 'node:crypto'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { checkAll } from '@vertexsms/service/env'
import { STOP_WITHIN_MS } from '@vertexsms/service/run'
import { readApiEnv } from '../../apps/api/src/env.ts'
import { readAuthEnv } from '../../apps/auth/src/env.ts'
import { readConfig as readMcpEnv } from '../../apps/mcp/src/env.ts'
import { isReal, readSettings, type Settings } from './settings.ts'

export interface AppDescription {
  name: 'auth' | 'mcp' | 'api'
  port: number
  /** It ends by itself within this time. */
  stopWithinMs: number
  env: Record<string, string>
}

export interface Shared {
  databaseUrl: string
  operatorKey: string
  edgeSecret: string
  /** Where auth asks the API, on this machine alone. */
  internalPort: number
}

const LOOPBACK = '127.0.0.1'

/** As long as the API itself gives what is with the upstream. */
const REAL_STOP_WITHIN_MS = 20_000

/** The internal listener of the API, as auth and the operator's commands reach it. */
export function internalUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`
}

/** Where people and clients reach the three services; an empty variable counts as unset, as it does for the services. */
export function publicUrls({ AUTH_PORT, MCP_PORT, API_PORT }: Settings) {
  return {
    issuer: process.env.ISSUER_URL || `http://localhost:${AUTH_PORT}`,
    mcp: process.env.MCP_RESOURCE_URL || `http://localhost:${MCP_PORT}/mcp`,
    api: process.env.API_RESOURCE_URL || `http://localhost:${API_PORT}`,
  }
}

/** The three services and what each is told: a secret goes only to those that need it. */
export function describeApps(settings: Settings, shared: Shared): AppDescription[] {
  const { databaseUrl, operatorKey, edgeSecret, internalPort } = shared
  const { issuer, mcp, api } = publicUrls(settings)
  const { AUTH_PORT, MCP_PORT, API_PORT, HOST } = settings
  const upstream = { UPSTREAM: isReal(settings) ? 'vertexsms' : 'sandbox' }
  const common = { HOST, ISSUER_URL: issuer }
  const database = { DATABASE_URL: databaseUrl }
  // A callback or client document on the developer's own machine is what a local installation is for.
  const outbound = { OUTBOUND_ALLOW_LOCALHOST: process.env.OUTBOUND_ALLOW_LOCALHOST || 'on' }
  // The simulated operator answers at once; a real one is waited for.
  const apiStopWithinMs = isReal(settings) ? REAL_STOP_WITHIN_MS : STOP_WITHIN_MS
  return [
    {
      name: 'auth',
      port: AUTH_PORT,
      stopWithinMs: STOP_WITHIN_MS,
      env: {
        ...common,
        ...database,
        ...outbound,
        ...upstream,
        OPERATOR_KEY: operatorKey,
        API_INTERNAL_URL: internalUrl(internalPort),
        AUTH_PORT: String(AUTH_PORT),
        MCP_RESOURCE_URL: mcp,
        API_RESOURCE_URL: api,
      },
    },
    {
      name: 'mcp',
      port: MCP_PORT,
      stopWithinMs: STOP_WITHIN_MS,
      env: {
        ...common,
        MCP_PORT: String(MCP_PORT),
        MCP_RESOURCE_URL: mcp,
        JWKS_URL: `http://localhost:${AUTH_PORT}/oauth/jwks`,
        API_URL: `http://localhost:${API_PORT}`,
        EDGE_SECRET: edgeSecret,
      },
    },
    {
      name: 'api',
      port: API_PORT,
      stopWithinMs: apiStopWithinMs,
      env: {
        ...common,
        ...database,
        ...outbound,
        API_KEYS: deriveApiKeys(Buffer.from(operatorKey, 'base64url')),
        API_PORT: String(API_PORT),
        ...upstream,
        API_INTERNAL_HOST: LOOPBACK,
        API_INTERNAL_PORT: String(internalPort),
        STOP_WITHIN_MS: String(apiStopWithinMs),
        API_RESOURCE_URL: api,
        EDGE_SECRET: edgeSecret,
      },
    },
  ]
}

/**
 * Reads the settings of the launcher and of all three services before anything is started. Throws one
 * ConfigurationError that names everything wrong, whoever reads it.
 */
export function checkSettings(): void {
  const placeholder = (seed: string) => createHash('sha256').update(seed).digest('base64url')
  const secrets = { operatorKey: placeholder('operator'), edgeSecret: placeholder('edge'), internalPort: 1 }
  // What the launcher tells the services itself is judged once, where the launcher reads it.
  const apps = describeApps(readSettings({}), { databaseUrl: 'postgresql://localhost/demo', ...secrets })
  const readers = { auth: readAuthEnv, mcp: readMcpEnv, api: readApiEnv }
  checkAll([
    () => readSettings(),
    ...apps.map(
      ({ name, env }) =>
        () =>
          readers[name](childEnvironment(env)),
    ),
  ])
}

const SECRETS = [
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'OPERATOR_KEY',
  'OPERATOR_KEY_FILE',
  'API_KEYS',
  'API_KEYS_FILE',
  'EDGE_SECRET',
  'EDGE_SECRET_FILE',
  'VERTEXSMS_TOKEN',
  'VERTEXSMS_TOKEN_FILE',
]

/** The launcher's environment (limits, lifetimes, log level) without secrets, and the app's own on top. */
export function childEnvironment(own: Record<string, string>): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !SECRETS.includes(name))
  return { ...Object.fromEntries(inherited), ...own }
}
