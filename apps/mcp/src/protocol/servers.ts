import {
  type CacheHint,
  type Implementation,
  Server,
  type ServerCapabilities,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Exchange } from './exchange.ts'
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
  /** Installs the request handlers on one server. */
  install(server: Server, exchangeOf: (context: ServerContext) => Exchange, era: Era): void
}

/** The two long-lived protocol servers behind their transports. */
export type ProtocolServers = Readonly<Record<Era, SharedTransport>>

/**
 * Connects one protocol server per era. Each serves every caller at once and therefore keeps nothing of any of them:
 * the handshake only computes its answer, log levels are not stored, and the modern era's capabilities are read from
 * each request's own envelope.
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
  const modern = new Server(registry.info, { ...shared, supportedProtocolVersions: [MODERN_REVISION] })
  const legacy = new Server(registry.info, { ...shared, supportedProtocolVersions: [...LEGACY_REVISIONS] })
  const transports = { modern: new ModernTransport(), legacy: new LegacyTransport() }
  for (const [era, server] of [['modern', modern] as const, ['legacy', legacy] as const]) {
    server.onerror = onError
    const transport = transports[era]
    registry.install(server, (context) => exchangeOf(transport, context), era)
    if (era === 'legacy') installHandshake(server, registry)
    await server.connect(transport)
  }
  return transports
}

// In the SDK the handshake writes the client's capabilities and version into the server, and a log level into a map
// without a key: right for a server of one client, wrong for one that is shared.
function installHandshake(server: Server, { info, instructions, capabilities }: Registry): void {
  server.setRequestHandler('initialize', ({ params }) => ({
    protocolVersion: LEGACY_REVISIONS.find((revision) => revision === params.protocolVersion) ?? LEGACY_REVISIONS[0],
    capabilities,
    serverInfo: info,
    instructions,
  }))
  if (capabilities.logging !== undefined) server.setRequestHandler('logging/setLevel', () => ({}))
}

function exchangeOf(transport: SharedTransport, { mcpReq }: ServerContext): Exchange {
  const exchange = transport.exchange(mcpReq.id as number)
  if (exchange === undefined) throw new Error('The request was cancelled')
  return exchange
}
