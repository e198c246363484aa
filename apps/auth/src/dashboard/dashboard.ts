import type { FastifyInstance } from 'fastify'
import { requireSession } from '../accounts/require-session.ts'
import type { WebDeps } from '../accounts/web-deps.ts'
import { registerApiTokens } from './api-tokens.ts'
import { registerSandboxPhone } from './sandbox-phone.ts'

/** The pages of a signed-in account; every route behind a session, every form behind its CSRF check. */
export async function registerDashboard(app: FastifyInstance, deps: WebDeps): Promise<void> {
  requireSession(app, deps)
  registerApiTokens(app, deps)
  registerSandboxPhone(app, deps)
}
