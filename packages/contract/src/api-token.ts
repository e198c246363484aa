/** How a token came to be: made by hand on Settings -> API, or issued by the authorization server. */
export const API_TOKEN_KINDS = ['manual', 'oauth_access', 'oauth_refresh'] as const

/** One of {@link API_TOKEN_KINDS}. */
export type ApiTokenKind = (typeof API_TOKEN_KINDS)[number]

/** Every name of an issued token starts with this; the prefix is refused for manual tokens. */
export const OAUTH_NAME_PREFIX = 'oauth:'

/** Manual tokens start with this, so that a person and a secret scanner can recognise one. */
export const MANUAL_TOKEN_PREFIX = 'vsms_'

/** The name under which a connection's access token stands on Settings -> API. */
export function accessTokenName(connectionId: string): string {
  return `${OAUTH_NAME_PREFIX}access:${connectionId}`
}

/** The name under which a connection's refresh token stands on Settings -> API. */
export function refreshTokenName(connectionId: string): string {
  return `${OAUTH_NAME_PREFIX}refresh:${connectionId}`
}

/** True when a bearer value has the shape of a JWT (RFC 7519 §3): three base64url parts. It says nothing of validity. */
export function isJwtShaped(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}

/** Longer than any token we issue. */
const JWT_MAX_CHARACTERS = 4096

/** A manual token: our prefix and base64url; 32 random bytes have 43 characters, and a checksum may follow. */
const MANUAL_TOKEN = new RegExp(`^${MANUAL_TOKEN_PREFIX}[\\w-]{1,64}$`)

/**
 * True when a bearer value could be a token of ours: an access token's shape and length, or a manual token's. Nothing
 * else is looked up, hashed or passed on; of what passes, only its row tells whether it is good.
 */
export function isPossibleToken(value: string): boolean {
  if (value.length > JWT_MAX_CHARACTERS) return false
  return MANUAL_TOKEN.test(value) || isJwtShaped(value)
}

/** `typ` of every access token (RFC 9068 §2.1). */
export const ACCESS_TOKEN_TYP = 'at+jwt'

/**
 * How far the clock of a node may be from the database's when it looks at the times in an access token. Whether a token
 * is over is decided when its row is read, by the database's clock; the look before that only spares the question.
 */
export const ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS = 120

/** The one signature algorithm of access tokens. */
export const ACCESS_TOKEN_ALG = 'ES256'
