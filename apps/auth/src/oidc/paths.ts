/** Where the authorization server's endpoints are, under the issuer. */
export const PATHS = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  registration: '/oauth/register',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushedRequest: '/oauth/par',
  jwks: '/oauth/jwks',
  /** The two discovery documents (RFC 8414 §3, OpenID Connect Discovery 1.0 §4); their contents are identical. */
  oauthMetadata: '/.well-known/oauth-authorization-server',
  openidMetadata: '/.well-known/openid-configuration',
} as const
