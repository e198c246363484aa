import type { InternalApi } from '../connections/internal-api.ts'
import type { AuthEnv } from '../env.ts'
import type { WebDeps } from '../web/deps.ts'

/** What the pages of an account need besides. */
export interface SettingsDeps extends WebDeps {
  readonly upstream: AuthEnv['UPSTREAM']
  readonly internalApi: InternalApi
  /** Public addresses of the services, as they are told to clients. */
  readonly resources: { readonly mcp: string; readonly api: string }
}
