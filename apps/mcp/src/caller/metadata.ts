import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Config } from '../env.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const MAX_AGE_SECONDS = 300
const ALLOWED = 'GET, HEAD, OPTIONS'

/**
 * The protected-resource metadata document of this server (RFC 9728 §2): the four members of the public page, in its
 * order, and nothing else. Name, documentation and icons stand in the server's description of itself.
 */
function protectedResourceMetadata(config: Config) {
  return {
    resource: config.MCP_RESOURCE_URL,
    authorization_servers: [config.ISSUER_URL],
    bearer_methods_supported: ['header'],
    scopes_supported: [...SCOPE_NAMES],
  }
}

/** The document's own URL: the well-known segment between host and path of the resource (RFC 9728 §3.1). */
export function metadataUrl(resourceUrl: string): string {
  const { origin, pathname } = new URL(resourceUrl)
  return `${origin}${metadataPath(pathname)}`
}

function metadataPath(resourcePath: string): string {
  return `${WELL_KNOWN}${resourcePath === '/' ? '' : resourcePath}`
}

/**
 * Serves the metadata at the path form, which the challenge names, and at the root form, which clients try last;
 * to any origin, with GET, HEAD and OPTIONS. Other methods get 405 with `Allow` (RFC 9110 §15.5.6), in the shape of OAuth.
 */
export function registerMetadata(app: FastifyInstance, config: Config): void {
  const body = JSON.stringify(protectedResourceMetadata(config))
  const open = (reply: FastifyReply) =>
    reply
      .header('access-control-allow-origin', '*')
      .header('access-control-allow-methods', ALLOWED)
      .header('access-control-allow-headers', '*')
      .header('access-control-max-age', String(MAX_AGE_SECONDS))
  for (const url of new Set([
    metadataPath(new URL(config.MCP_RESOURCE_URL).pathname),
    metadataPath('/mcp'),
    WELL_KNOWN,
  ])) {
    app.get(url, (_request, reply) =>
      open(reply)
        .header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`)
        .type('application/json; charset=utf-8')
        .send(body),
    )
    app.options(url, (_request, reply) => open(reply).code(204).send())
    app.route({
      method: ['POST', 'PUT', 'PATCH', 'DELETE'],
      url,
      handler: (_request, reply) =>
        open(reply)
          .code(405)
          .header('allow', ALLOWED)
          .send({ error: 'invalid_request', error_description: 'Send GET.' }),
    })
  }
}
