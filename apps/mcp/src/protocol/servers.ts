import {
  type CacheHint,
  type Implementation,
  SERVER_INFO_META_KEY,
  type Server,
  type ServerCapabilities,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'
import { checkedParams, checkInitialize, type InitializeParams } from './params.ts'
import { SharedServer } from './shared-server.ts'
import {
  type Era,
  LEGACY_REVISIONS,
  LegacyTransport,
  MODERN_REVISION,
  ModernTransport,
  type SharedTransport,
} from './transports.ts'

/** What is served: the tools of the product, or the fixtures of the conformance suite. */
export interface Registry {
  readonly info: Implementation
  readonly instructions: string
  readonly capabilities: ServerCapabilities
  /** Seconds for which clients may keep the lists. */
  readonly cacheSeconds: number
  /** True when this `tools/call` will ask the API itself, so that no separate question about the token is needed. */
  callsApi(toolName: unknown, toolArguments: unknown): boolean
  /** True when the registry checks the params of its calls itself and its results by its own tests. */
  readonly checksItself: boolean
  /** Installs the request handlers on one server. */
  install(server: SharedServer, exchangeOf: (context: ServerContext) => Exchange, era: Era): void
}

/** The two long-lived protocol servers behind their transports. */
export type ProtocolServers = Readonly<Record<Era, SharedTransport>>

/**
 * Connects one protocol server per era. Each serves every caller at once and therefore keeps nothing of any of them:
 * the handshake only computes its answer, log levels are not stored, and the modern era's capabilities are read from
 * each request's own envelope. The SDK's own handlers of the handshake, of log levels and of discovery are replaced,
 * because they keep what one client said or answer bad params with texts of their own.
 */
export async function connectServers(registry: Registry, onError: (error: Error) => void): Promise<ProtocolServers> {
  const hint: CacheHint = { ttlMs: registry.cacheSeconds * 1000, cacheScope: 'public' }
  const shared = {
    capabilities: registry.capabilities,
    instructions: registry.instructions,
    inputRequired: { legacyShim: false },
    cacheHints: {
      'tools/list': hint,
      'server/discover': hint,
      'prompts/list': hint,
      'resources/list': hint,
      'resources/templates/list': hint,
      'resources/read': hint,
    },
  }
  const modern = new SharedServer(registry.info, { ...shared, supportedProtocolVersions: [MODERN_REVISION] })
  const legacy = new SharedServer(registry.info, { ...shared, supportedProtocolVersions: [...LEGACY_REVISIONS] })
  const transports = { modern: new ModernTransport(), legacy: new LegacyTransport() }
  for (const [era, server] of [['modern', modern] as const, ['legacy', legacy] as const]) {
    server.onerror = onError
    server.checksCalls = !registry.checksItself
    server.identity = { name: registry.info.name, version: registry.info.version }
    const transport = transports[era]
    registry.install(server, (context) => exchangeOf(transport, context), era)
    installBasics(server, era, registry)
    await server.serve(transport)
  }
  return transports
}

function installBasics(server: Server, era: Era, { info, instructions, capabilities }: Registry): void {
  if (era === 'modern') {
    const result = {
      supportedVersions: [MODERN_REVISION],
      capabilities,
      instructions,
      _meta: { [SERVER_INFO_META_KEY]: info },
    }
    server.setRequestHandler('server/discover', checkedParams(), () => result)
    return
  }
  server.setRequestHandler('ping', checkedParams(), () => ({}))
  server.setRequestHandler('initialize', checkedParams<InitializeParams>(checkInitialize), ({ protocolVersion }) => ({
    protocolVersion: LEGACY_REVISIONS.find((revision) => revision === protocolVersion) ?? LEGACY_REVISIONS[0],
    capabilities,
    serverInfo: info,
    instructions,
  }))
  if (capabilities.logging !== undefined) server.setRequestHandler('logging/setLevel', checkedParams(), () => ({}))
}

function exchangeOf(transport: SharedTransport, { mcpReq }: ServerContext): Exchange {
  const exchange = transport.exchange(mcpReq.id as number)
  if (exchange === undefined) throw new Error('The request was cancelled')
  return exchange
}
