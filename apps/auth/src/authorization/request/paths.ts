import { OAUTH_PATHS } from '@vertexsms/contract/oauth-paths'

/** Where the authorization server's endpoints are, under the issuer. */
export const PATHS = {
  ...OAUTH_PATHS,
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushedRequest: '/oauth/par',
} as const
