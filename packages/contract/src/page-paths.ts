/** The pages of the authorization server that mails, answers and the other services lead to, below the issuer. */
export const PAGE_PATHS = {
  signIn: '/sign-in',
  requestAccess: '/request-access',
  /** How to connect an app. */
  connect: '/connect',
  forgotPassword: '/forgot-password',
  account: '/settings/account',
  passkeys: '/settings/passkeys',
  /** Settings -> API. */
  tokens: '/settings/api',
  /** The limits of the whole account. */
  accountLimits: '/settings/limits',
  /** Where the owner of an account sets its own token at the real operator. */
  upstreamAccount: '/settings/vertexsms-account',
  /** What waits for its owner's word; below it, by its id, one such send. */
  approvals: '/approvals',
} as const

/** The page of a spender: `id` is that of the connection or the token; an account has one page for all it spends. */
export function spenderPath({ kind, id }: { readonly kind: 'account' | 'connection' | 'token'; readonly id: string }) {
  const paths = {
    account: PAGE_PATHS.accountLimits,
    connection: `/connections/${id}`,
    token: `${PAGE_PATHS.tokens}/tokens/${id}`,
  }
  return paths[kind]
}
