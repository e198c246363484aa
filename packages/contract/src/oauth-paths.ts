/** The authorization server's endpoints that other services send to, under the issuer. */
export const OAUTH_PATHS = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  registration: '/oauth/register',
  jwks: '/oauth/jwks',
  /** The two discovery documents (RFC 8414 §3, OpenID Connect Discovery 1.0 §4); their contents are identical. */
  oauthMetadata: '/.well-known/oauth-authorization-server',
  openidMetadata: '/.well-known/openid-configuration',
} as const
