import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Watches the routes that are registered from now on. Call the answer once they all are. */
export function collectRoutes(app: FastifyInstance): (scope: FastifyInstance) => void {
  const routes = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    routes.set(url, [...(routes.get(url) ?? []), ...[method].flat()])
  })
  return (scope) => registerWrongMethods(scope, [...routes])
}

/** Answers 405 with `Allow` (RFC 9110 §15.5.6) where an address exists but not for the method. */
function registerWrongMethods(app: FastifyInstance, routes: readonly (readonly [string, readonly string[]])[]): void {
  for (const [url, allowed] of routes) {
    app.route({
      method: METHODS.filter((method) => !allowed.includes(method)),
      url,
      // The body of a request that is refused anyway is not read.
      onRequest: async () => {
        throw new ApiError('METHOD_NOT_ALLOWED', { headers: { allow: allowed.join(', ') } })
      },
      handler: async () => undefined,
    })
  }
}
