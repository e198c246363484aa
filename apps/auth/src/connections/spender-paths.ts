/** The page of the whole account as a spender. */
export const ACCOUNT_PATH = '/settings/limits'

/** The page of a connection or of a token made by hand. */
export function pathOf({ kind, id }: { readonly kind: 'connection' | 'token'; readonly id: string }): string {
  return kind === 'connection' ? `/connections/${id}` : `/settings/api/tokens/${id}`
}
