import { OAUTH_PATHS } from '@vertexsms/contract/oauth-paths'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Config } from '../env.ts'

/** Where a client looks that takes the MCP server for its authorization server (2025-03-26, authorization). */
const OLD_PATHS: Record<string, { methods: ('GET' | 'POST')[]; target: string }> = {
  '/authorize': { methods: ['GET', 'POST'], target: OAUTH_PATHS.authorization },
  '/token': { methods: ['POST'], target: OAUTH_PATHS.token },
  '/register': { methods: ['POST'], target: OAUTH_PATHS.registration },
  [OAUTH_PATHS.oauthMetadata]: { methods: ['GET'], target: OAUTH_PATHS.oauthMetadata },
  [OAUTH_PATHS.openidMetadata]: { methods: ['GET'], target: OAUTH_PATHS.openidMetadata },
}

/**
 * Sends clients of the revision 2025-03-26, and whoever could not read the resource metadata, on to the authorization
 * server: 307, so that method and body stay as they are, with the query to the letter. The destination is
 * configuration, never the request's. Nothing is answered here in the authorization server's name: a copy of its
 * metadata would name another issuer than the host it was asked of (RFC 8414 §3.3).
 */
export function registerOldEndpoints(app: FastifyInstance, { ISSUER_URL }: Config): void {
  const open = (reply: FastifyReply) => reply.header('access-control-allow-origin', '*')
  for (const [url, { methods, target }] of Object.entries(OLD_PATHS)) {
    app.route({
      method: methods,
      url,
      handler: (request, reply) => {
        const query = request.url.indexOf('?')
        const location = `${ISSUER_URL}${target}${query === -1 ? '' : request.url.slice(query)}`
        open(reply).code(307).header('location', location).header('cache-control', 'no-store').send()
      },
    })
    app.options(url, (_request, reply) =>
      open(reply)
        .header('access-control-allow-methods', methods.join(', '))
        .header('access-control-allow-headers', '*, authorization')
        .code(204)
        .send(),
    )
  }
}
