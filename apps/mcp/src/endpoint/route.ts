import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from '../protocol/methods.ts'
import { type AdmissionDeps, createAdmission, sessionOf } from './admission.ts'
import { BODY_LIMIT_BYTES, fail, failUnread } from './fail.ts'
import type { OriginPolicy } from './origin.ts'
import { createPost, type Post } from './post.ts'
import { sendRpcError } from './respond.ts'

/** The parts of the MCP endpoint. */
export interface McpRouteDeps extends AdmissionDeps {
  readonly origins: OriginPolicy
  readonly registry: Registry
}

const METHOD_NOT_ALLOWED = { code: -32000, message: 'Method not allowed: send POST requests' }
const FORBIDDEN_CODE = -32000

/**
 * The endpoint, `/mcp` with or without a trailing slash. In order: origin and host, credentials, the connection's
 * limit; for a credential that neither verified here nor was accepted lately, `GET /token`; the message; then either the
 * tool's own API call or `GET /token`, so that a deleted token gets 401 on the next request of any kind, before anything
 * else is said.
 */
export function registerMcpRoute(app: FastifyInstance, { origins, registry, ...deps }: McpRouteDeps): void {
  const admission = createAdmission(deps)
  const post = createPost(registry, admission)

  app.register(async (zone) => {
    zone.decorateRequest('apiSession')
    zone.removeAllContentTypeParsers()
    zone.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) =>
      done(null, body),
    )
    zone.addHook('onRequest', (request, reply, done) => {
      const refusal = origins.refusal(request)
      if (refusal !== null) return sendRpcError(reply, 403, { code: FORBIDDEN_CODE, message: refusal })
      if (request.headers.origin !== undefined) origins.share(request, reply)
      // Asking what may be asked needs no credentials (Fetch, CORS preflight), and is answered before any body is read.
      if (request.method === 'OPTIONS') return origins.preflight(reply)
      const admitted = attempt(() => admission.admit(request))
      if (admitted instanceof Promise) admitted.then(() => done(), done)
      else done(admitted)
    })
    zone.setErrorHandler((error, request, reply) => failUnread(request, reply, error))
    for (const url of ['/mcp', '/mcp/']) {
      zone.post(url, serve(post))
      zone.route({ method: ['OPTIONS', 'GET', 'DELETE', 'PUT', 'PATCH'], url, handler: serve(refuseMethod) })
    }
  })
}

async function refuseMethod(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await sessionOf(request).alive()
  reply.header('allow', 'POST')
  sendRpcError(reply, 405, METHOD_NOT_ALLOWED)
}

// No promise is handed to Fastify, which would look after it on each request.
function serve(handle: Post) {
  return (request: FastifyRequest, reply: FastifyReply): void => {
    handle(request, reply).catch((error: unknown) => fail(request, reply, error))
  }
}

// What a hook has to pass on, where it is thrown at once.
function attempt(work: () => undefined | Promise<void>): undefined | Promise<void> | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}
