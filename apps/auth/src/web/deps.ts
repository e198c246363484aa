import type { SessionDeps } from '../accounts/session.ts'
import type { SignInDelay } from '../accounts/sign-in-delay.ts'
import type { Forms } from './forms.ts'
import type { RateLimiter } from './rate-limit.ts'

/** What the sign-in, account and dashboard pages need; app.ts gives it to each of their plugins. */
export interface WebDeps extends SessionDeps {
  readonly operatorKey: Uint8Array
  readonly forms: Forms
  readonly rateLimiter: RateLimiter
  /** For tries at an account that many are guessing at. */
  readonly signInDelay: SignInDelay
  readonly help: Help
}

/** How whoever cannot get in is helped. */
export interface Help {
  /** True where a mail server is set. */
  readonly sendsMail: boolean
  /** An email address or an https URL; null for none. */
  readonly operatorContact: string | null
}
