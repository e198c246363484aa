import type { Forms } from '../forms.ts'
import type { SessionDeps } from './session.ts'

/** What the sign-in, account and dashboard pages need; app.ts gives it to each of their plugins. */
export interface WebDeps extends SessionDeps {
  readonly forms: Forms
  /** Deletes one token row of the account; the row of a connection ends the whole connection. */
  readonly deleteToken: (target: { accountId: string; tokenId: string; now: Date }) => Promise<unknown>
}
