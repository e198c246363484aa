// What `apps/auth` seals and `apps/api` opens: the account's own token at the real operator.

/** Where the owner of an account sets it, below the issuer. */
export const UPSTREAM_ACCOUNT_PATH = '/settings/vertexsms-account'

/**
 * Of which token: the context that it is sealed under, with the key `upstream-token`. A row that was copied to another
 * account, or one of an earlier generation that was put back, does not open.
 */
export function upstreamTokenContext(row: {
  readonly id: string
  readonly accountId: string
  readonly generation: number
}): string {
  return `upstream-token:${row.accountId}:${row.id}:${row.generation}`
}
