import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import type { Database } from '@vertexsms/db/client'
import { ApiError } from '../../http/api-error.ts'
import { readUpstreamToken, type UpstreamToken, UpstreamTokenBroken } from './token.ts'

/** The tokens of accounts, each read anew for every call. */
export interface AccountTokens {
  /** Throws UPSTREAM_ACCOUNT_MISSING, which says where to set one, and UPSTREAM_ACCOUNT_REFUSED for one that does not open. */
  of(accountId: string): Promise<UpstreamToken>
}

/** Tokens sealed under the key `upstream-token`. `issuer` is the address of the dashboard. */
export function createAccountTokens(db: Database, key: Uint8Array, issuer: string): AccountTokens {
  return {
    async of(accountId) {
      try {
        const token = await readUpstreamToken(db, key, accountId)
        if (token !== null) return token
      } catch (error) {
        throw error instanceof UpstreamTokenBroken ? new ApiError('UPSTREAM_ACCOUNT_REFUSED') : error
      }
      throw new ApiError('UPSTREAM_ACCOUNT_MISSING', { details: { manageUrl: issuer + PAGE_PATHS.upstreamAccount } })
    },
  }
}
