import { AI_CATALOG_TYPE, aiCatalog, SERVER_CARD_TYPE, serverCard, serverCardUrl } from '@vertexsms/contract/discovery'
import type { FastifyInstance } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import type { Config } from './env.ts'
import { toolsPage } from './tools-page.ts'

const CACHE_CONTROL = 'public, max-age=300'

/**
 * What may be read before anybody connects: the tools as Markdown (`/tools.md`) and, where it is switched on, the two
 * documents of drafts, the server card beside the endpoint and `/.well-known/ai-catalog.json`; to any origin.
 */
export function registerDiscovery(app: FastifyInstance, config: Config): void {
  const addresses = {
    issuer: config.ISSUER_URL,
    mcp: config.MCP_RESOURCE_URL,
    documentation: config.DOCUMENTATION_URL,
  }
  const drafts = [
    ['/.well-known/ai-catalog.json', AI_CATALOG_TYPE, JSON.stringify(aiCatalog(addresses))],
    [
      new URL(serverCardUrl(config.MCP_RESOURCE_URL)).pathname,
      SERVER_CARD_TYPE,
      JSON.stringify(serverCard(addresses, manifest.version)),
    ],
  ] as const
  const documents = [
    ['/tools.md', 'text/markdown; charset=utf-8', toolsPage()] as const,
    ...(config.DISCOVERY ? drafts : []),
  ]
  for (const [path, type, text] of documents) {
    app.get(path, (_request, reply) =>
      reply.headers({ 'cache-control': CACHE_CONTROL, 'access-control-allow-origin': '*' }).type(type).send(text),
    )
  }
}
