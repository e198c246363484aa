import type { FastifyInstance } from 'fastify'
import type { WebDeps } from '../web/deps.ts'
import { registerForgotPassword } from './forgot-password.ts'
import { registerPasskeySignIn } from './passkey.ts'
import { registerRequestAccess } from './request-access.ts'
import { registerSetPassword } from './set-password.ts'
import { registerSignIn } from './sign-in.ts'

/** How a person comes to an account and into it: asking for access, the password link, password, passkey. */
export async function registerSignInPages(app: FastifyInstance, deps: WebDeps): Promise<void> {
  registerSignIn(app, deps)
  registerPasskeySignIn(app, deps)
  registerSetPassword(app, deps)
  registerForgotPassword(app, deps)
  registerRequestAccess(app, deps)
}
