import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { explainToBrowsers } from '@vertexsms/service/browser-page'
import { createHttp } from '@vertexsms/service/http'
import type { Logger } from '@vertexsms/service/logger'
import { STOP_WITHIN_MS } from '@vertexsms/service/run'
import type { FastifyInstance } from 'fastify'
import { type ApiClient, type ApiTimes, createApiClient } from './api/client.ts'
import { createReadiness } from './api/readiness.ts'
import { createAuthenticate } from './caller/bearer.ts'
import { type Challenges, createChallenges } from './caller/challenge.ts'
import { registerMetadata } from './caller/metadata.ts'
import { registerOldEndpoints } from './caller/old-endpoints.ts'
import { createPublishedTokens } from './caller/published-keys.ts'
import { Refusal } from './caller/refusal.ts'
import { createTokenAccounts } from './caller/token-accounts.ts'
import { registerDiscovery } from './discovery.ts'
import { BODY_LIMIT_BYTES } from './endpoint/fail.ts'
import { createLimits } from './endpoint/limits.ts'
import { createOriginPolicy } from './endpoint/origin.ts'
import { registerMcpRoute } from './endpoint/route.ts'
import type { Config } from './env.ts'
import { serverInfo } from './info.ts'
import { INSTRUCTIONS } from './instructions.ts'
import type { Registry } from './protocol/methods.ts'
import { withResources } from './resources/methods.ts'
import { createTools } from './tools/index.ts'
import { createToolRegistry } from './tools/registry.ts'

/** What the app is built from. */
export interface AppDeps {
  readonly config: Config
  readonly logger: Logger
  /** Serves something else than the ten tools on the same edge, as the conformance suite's fixtures. */
  readonly registry?: Registry
  readonly apiTimes?: ApiTimes
}

const REQUEST_TIMEOUT_MS = 15_000

/** What the API has not answered so long before the process is gone is answered without it. */
const ANSWER_BEFORE_END_MS = 500

/** The MCP server: the metadata of the protected resource, and the endpoint behind it. */
export async function buildApp({ config, logger, registry: other, apiTimes }: AppDeps): Promise<FastifyInstance> {
  const draining = new AbortController()
  const api = createApiClient(config.API_URL, config.EDGE_SECRET, draining.signal, apiTimes)
  const challenges = createChallenges(config)
  const limits = createLimits(config)
  const accounts = createTokenAccounts()
  const tokens = createPublishedTokens({
    issuer: config.ISSUER_URL,
    audience: config.MCP_RESOURCE_URL,
    jwksUrl: config.JWKS_URL,
  })
  const registry = other ?? productRegistry(config, challenges, draining.signal)

  const app = createHttp({
    service: 'mcp',
    logger,
    trustProxy: config.TRUST_PROXY,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ready: createReadiness(config),
    // Whoever leaves the path out of the address is told it.
    notFoundHandler: (_request, reply) => {
      const message = `There is nothing under this address. The MCP server is at ${config.MCP_RESOURCE_URL}.`
      const { status, envelope } = new Refusal('NOT_FOUND', { message })
      return reply.code(status).send(envelope)
    },
  })
  // Only the endpoint reads bodies, and only of a caller that somebody vouches for.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
  explainToBrowsers(app, {
    of: 'mcp',
    address: config.MCP_RESOURCE_URL,
    links: { connect: `${config.ISSUER_URL}${PAGE_PATHS.connect}`, tools: '/tools.md', account: config.ISSUER_URL },
  })
  registerMetadata(app, config)
  registerOldEndpoints(app, config)
  registerDiscovery(app, config)
  registerMcpRoute(app, {
    accounts,
    api,
    authenticate: createAuthenticate(tokens, challenges, limits, accounts),
    challenges,
    limits,
    origins: createOriginPolicy(config),
    registry,
  })
  drainWith(app, draining, api)
  return app
}

/** The ten tools and what can be read. */
function productRegistry(config: Config, challenges: Challenges, draining: AbortSignal): Registry {
  return withResources(
    createToolRegistry({
      info: serverInfo(config),
      instructions: INSTRUCTIONS,
      tools: createTools({ deliveryWaitMs: config.DELIVERY_WAIT_MS }),
      challenges,
      draining,
    }),
  )
}

/**
 * Ends what is under way with the app. A waiting lookup answers `pending` at once, what waits for its turn is not made; what was
 * handed over to the API is waited for while there is time to say that its outcome is not known: a send that is cut off would
 * be made again.
 */
function drainWith(app: FastifyInstance, draining: AbortController, api: ApiClient): void {
  let lastCall: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    draining.abort()
    lastCall = setTimeout(() => void api.close(), STOP_WITHIN_MS - ANSWER_BEFORE_END_MS)
  })
  app.addHook('onClose', async () => {
    clearTimeout(lastCall)
    await api.close()
  })
}
