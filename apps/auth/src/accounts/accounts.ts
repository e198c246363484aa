import type { FastifyInstance } from 'fastify'
import { registerPasskeySettings, registerPasskeySignIn } from './passkey-pages.ts'
import { registerRequestAccess } from './request-access.ts'
import { requireSession } from './require-session.ts'
import { registerSessions } from './sessions.ts'
import { registerSetPassword } from './set-password.ts'
import type { WebDeps } from './web-deps.ts'

/** How a person comes to an account and keeps it safe: asking for access, the password link, passkeys, sessions. */
export async function registerAccounts(app: FastifyInstance, deps: WebDeps): Promise<void> {
  registerRequestAccess(app, deps)
  registerSetPassword(app, deps)
  registerPasskeySignIn(app, deps)
  await app.register(async (own) => {
    requireSession(own, deps)
    registerSessions(own, deps)
    registerPasskeySettings(own, deps)
  })
}
