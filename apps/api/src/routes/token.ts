import { isPermission } from '@vertexsms/contract/permissions'
import type { TokenDescription } from '@vertexsms/contract/rest'
import type { FastifyInstance } from 'fastify'

/** `GET /token`: the token describes itself, from the row the guard has just read. */
export function tokenRoutes(app: FastifyInstance): void {
  app.get(
    '/token',
    { config: { permission: 'none' } },
    async ({ token }): Promise<TokenDescription> => ({
      account: token.accountId,
      kind: token.kind,
      permissions: token.permissions.filter(isPermission),
      limits: null,
      spent: null,
      left: {},
      paused: false,
      expires_at: token.expiresAt?.toISOString() ?? null,
    }),
  )
}
