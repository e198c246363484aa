import { isPermission } from '@vertexsms/contract/permissions'
import type { TokenDescription } from '@vertexsms/contract/rest'
import { readSpenders } from '../ledger/spenders.ts'
import { showLimits } from '../limits/shown.ts'
import type { Routes } from './route-options.ts'

/** `GET /token`: the token describes itself, from the row the guard has just read, with its limits and what is left. */
export const tokenRoutes: Routes = (app, { deps }) => {
  app.get('/token', async ({ token }): Promise<TokenDescription> => {
    const { spenders, today } = await readSpenders(deps.db, token, deps.operator.name, token.now())
    const [own, account] = spenders
    const shown =
      own && account ? showLimits(own, account, today) : { limits: null, spent: null, left: {}, paused: false }
    return {
      account: token.accountId,
      kind: token.kind,
      permissions: token.permissions.filter(isPermission),
      ...shown,
      expires_at: token.expiresAt?.toISOString() ?? null,
    }
  })
}
