import { crc32 } from 'node:zlib'

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

const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

/** The token in the value of an `Authorization` header (RFC 6750 §2.1); undefined for another scheme, and for what is none. */
export function readBearer(authorization: string): string | undefined {
  return BEARER.exec(authorization)?.[1]
}

/** True when a bearer value has the shape of a JWT (RFC 7519 §3): three base64url parts. It says nothing of validity. */
export function isJwtShaped(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}

/** Longer than any token we issue. */
const JWT_MAX_CHARACTERS = 4096

/** Characters of the secret of a manual token: 32 random bytes in base64url. */
const SECRET_CHARACTERS = 43

/** Characters of the checksum behind it. */
const CHECKSUM_CHARACTERS = 6

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** What a scanner of secrets looks for: every manual token, with a checksum and, of an earlier release, without. */
export const MANUAL_TOKEN_PATTERN = `${MANUAL_TOKEN_PREFIX}[A-Za-z0-9_-]{${SECRET_CHARACTERS}}(?:[0-9A-Za-z]{${CHECKSUM_CHARACTERS}})?`

const ISSUED = new RegExp(`^${MANUAL_TOKEN_PATTERN}$`)

/** CRC-32 (ISO 3309) of the prefix and the secret, in base 62, the most significant digit first. It is no secret. */
function checksumOf(prefixAndSecret: string): string {
  let rest = crc32(prefixAndSecret)
  let digits = ''
  while (digits.length < CHECKSUM_CHARACTERS) {
    digits = BASE62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** A manual token of this secret (43 characters of base64url), recognisable by its prefix and the checksum at its end. */
export function manualToken(secret: string): string {
  const value = MANUAL_TOKEN_PREFIX + secret
  return value + checksumOf(value)
}

/** The four characters by which a person tells a manual token from others: the last of its secret, before the checksum. */
export function lastFourOf(value: string): string {
  return value.slice(0, MANUAL_TOKEN_PREFIX.length + SECRET_CHARACTERS).slice(-4)
}

/**
 * True for a value that begins as a manual token does and was never issued: its length or its checksum is not one that
 * we gave out, so it was mistyped or not copied whole. That tells nobody anything: the checksum can be computed.
 */
export function isMistypedToken(value: string): boolean {
  if (!value.startsWith(MANUAL_TOKEN_PREFIX)) return false
  if (!ISSUED.test(value)) return true
  const end = MANUAL_TOKEN_PREFIX.length + SECRET_CHARACTERS
  return value.length > end && value.slice(end) !== checksumOf(value.slice(0, end))
}

/**
 * True when a bearer value could be a token of ours: an access token's shape and length, or a manual token's with its
 * checksum. Nothing else is looked up or passed on; of what passes, only its row tells whether it is good.
 */
export function isPossibleToken(value: string): boolean {
  if (value.length > JWT_MAX_CHARACTERS) return false
  return (ISSUED.test(value) && !isMistypedToken(value)) || isJwtShaped(value)
}

/** Names under which tokens are put into addresses, in lower case. */
const QUERY_NAMES = new Set(['at', 'access_token', 'token', 'api_token', 'apitoken', 'api_key', 'apikey', 'key'])

/** True for the name of a query parameter in which a token is sent, where it would end in logs (RFC 6750 §2.3); in any case. */
export function namesToken(parameter: string): boolean {
  return QUERY_NAMES.has(parameter.toLowerCase())
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
