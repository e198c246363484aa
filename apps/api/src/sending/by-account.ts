/** Things by their account, each account's in their order. */
export function byAccount<Of extends { readonly accountId: string }>(all: readonly Of[]): Map<string, Of[]> {
  const accounts = new Map<string, Of[]>()
  for (const one of all) accounts.set(one.accountId, [...(accounts.get(one.accountId) ?? []), one])
  return accounts
}
