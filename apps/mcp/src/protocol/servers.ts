import {
  type CacheHint,
  type Implementation,
  SERVER_INFO_META_KEY,
  Server,
  type ServerCapabilities,
  type ServerContext,
  type Transport,
} from '@modelcontextprotocol/server'
import { SlotMap } from '@vertexsms/service/slots'
import type { Exchange } from './exchange.ts'
import { checkedParams, checkInitialize, type InitializeParams } from './params.ts'
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
    await server.connect(transport)
  }
  return transports
}

/**
 * The SDK's server with two things left out. Its built-in handlers of the handshake, of log levels and of discovery are
 * replaced below, because they keep what one client said or answer bad params with texts of their own. And a registry
 * that checks its calls and results itself is not checked a second time.
 */
class SharedServer extends Server {
  checksCalls = true
  identity: Implementation | undefined

  // The parent tells requests, answers and notifications apart by three schemas for each message. What comes through
  // a shared transport is a request that the edge has checked, or a cancellation of our own.
  override async connect(transport: Transport): Promise<void> {
    // biome-ignore lint/complexity/useLiteralKeys: the SDK's types hide the field; its version is pinned
    this['_requestHandlerAbortControllers'] = new SlotMap()
    await super.connect(transport)
    const deliver = transport.onmessage
    transport.onmessage = (message, extra) => {
      // biome-ignore lint/complexity/useLiteralKeys: the SDK's types hide the method; its version is pinned
      if ('method' in message && 'id' in message) this['_onrequest'](message, extra)
      else deliver?.(message, extra)
    }
  }

  // On every modern result; the title, links and icons stand in the answer to discovery alone.
  protected override _outboundServerInfo(): Implementation | undefined {
    return this.identity
  }

  protected override _wrapHandler(method: string, handler: Handler): Handler {
    return method === 'tools/call' && !this.checksCalls ? handler : super._wrapHandler(method, handler)
  }
}

type Handler = Parameters<Server['_wrapHandler']>[1]

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
