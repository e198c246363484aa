import { OAUTH_PATHS } from '@vertexsms/contract/oauth-paths'

/** Where the authorization server's endpoints are, under the issuer. */
export const PATHS = {
  ...OAUTH_PATHS,
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushedRequest: '/oauth/par',
} as const

/** True where a person waits: at the authorization endpoint, and where it goes on after they decided. */
export function isAuthorizationPath(path: string): boolean {
  return path === PATHS.authorization || path.startsWith(`${PATHS.authorization}/`)
}
