import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { FastifyInstance } from 'fastify'
import { requireSession } from '../web/require-session.ts'
import { registerAccount } from './account.ts'
import { registerApiTokens } from './api-tokens.ts'
import { registerApprovals } from './approvals.ts'
import { registerConnections } from './connections.ts'
import type { SettingsDeps } from './deps.ts'
import { registerMessages } from './messages.ts'
import { registerOverview } from './overview.ts'
import { registerPasskeys } from './passkeys.ts'
import { registerSandboxPhone } from './sandbox-phone.ts'
import { registerSessions } from './sessions.ts'
import { registerUpstreamAccount } from './upstream-account.ts'

/** The pages of a signed-in account; every route behind a session, every form behind its CSRF check. */
export async function registerSettings(app: FastifyInstance, deps: SettingsDeps): Promise<void> {
  requireSession(app, deps)
  app.get('/settings', (_request, reply) => reply.redirect(PAGE_PATHS.tokens, 303))
  registerAccount(app, deps)
  registerOverview(app, deps)
  registerMessages(app, deps)
  registerApiTokens(app, deps)
  registerConnections(app, deps)
  registerApprovals(app, deps)
  registerPasskeys(app, deps)
  registerSessions(app, deps)
  registerSandboxPhone(app, deps)
  registerUpstreamAccount(app, deps)
}
