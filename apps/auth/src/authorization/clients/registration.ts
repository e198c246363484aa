import { SIZES } from '../../service-limits.ts'
import { isKeySet } from './key-set-rules.ts'
import { isLoopbackRedirect, isPrivateUseRedirect, redirectUriProblem } from './redirect-uris.ts'

/** The grant types a client may use. */
export const GRANT_TYPES = ['authorization_code', 'refresh_token'] as const

/** How a client may authenticate at the token endpoint, the public kind first (clients take the first they know). */
export const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

const MAX_REDIRECT_URIS = 30
const MAX_NAME_CHARS = 80
/** What is looked at of a name, before it is brought into one form: marks and blanks may go. */
const MAX_SENT_NAME_CHARS = 4 * MAX_NAME_CHARS
const MAX_TEXT_CHARS = 2048

/** Metadata that cannot be registered. `error` is the code of RFC 7591 §3.2.2; the description is safe to return. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused'
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata'

  constructor(error: 'invalid_redirect_uri' | 'invalid_client_metadata', description: string) {
    super(description)
    this.error = error
  }
}

/** Client metadata as the library takes it: only members that mean something here, none of them null. */
export interface NormalizedMetadata {
  redirect_uris: string[]
  client_name?: string
  application_type: 'native' | 'web'
  token_endpoint_auth_method: string
  grant_types: string[]
  response_types: ['code']
  [member: string]: unknown
}

/**
 * Turns what real clients send, in a registration request (RFC 7591) or a client ID metadata document, into metadata
 * this server can keep its word on:
 * - `application_type` follows from the redirects (a loopback or private-use one makes the client native), whatever
 *   was said: clients that send `web` with a loopback redirect come back on another port;
 * - a native client without an authentication method is public; any other gets the default of RFC 7591 §2;
 * - grant and response types we do not have are dropped; without any, a client gets both grants;
 * - `scope` is dropped: it would freeze the client to the scopes of its first request and refuse a later step-up;
 * - members that are null, malformed decoration, or unknown to us are dropped.
 * Throws {@link RegistrationRefused} for a redirect URI that may not be registered and for wrong types.
 */
export function normalizeMetadata(input: unknown): NormalizedMetadata {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new RegistrationRefused('invalid_client_metadata', 'client metadata must be a JSON object')
  }
  const given = input as Readonly<Record<string, unknown>>
  const redirectUris = readRedirectUris(given.redirect_uris)
  const native = redirectUris.some((uri) => isLoopbackRedirect(uri) || isPrivateUseRedirect(uri))
  return {
    ...readDecoration(given),
    ...readKeys(given),
    redirect_uris: redirectUris,
    application_type: native ? 'native' : 'web',
    token_endpoint_auth_method: readAuthMethod(given.token_endpoint_auth_method, native),
    grant_types: readGrantTypes(given.grant_types),
    response_types: readResponseTypes(given.response_types),
  }
}

/** A name fit for a page and a log line: one line, no control or direction-changing characters, not too long. */
export function displayName(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined
  const plain = name
    .slice(0, MAX_SENT_NAME_CHARS)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, ' ')
    // Letters and a sign that are drawn as nothing: fillers of Hangul, and a cell of Braille without dots.
    .replace(/[\u115f\u1160\u3164\uffa0\u2800]/g, ' ')
    // Letters carry a few marks; more of them are drawn over the lines above and below.
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .replace(/\s+/gu, ' ')
    .trim()
  // Marks alone would be drawn over what stands around them.
  if (!/[^\s\p{M}]/u.test(plain)) return undefined
  const letters = [...plain]
  // What is cut says so: the end of a name may be what tells it from another.
  return letters.length > MAX_NAME_CHARS ? `${letters.slice(0, MAX_NAME_CHARS - 1).join('')}…` : plain
}

function readRedirectUris(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new RegistrationRefused('invalid_redirect_uri', 'redirect_uris must be a list of at least one URI')
  }
  if (value.length > MAX_REDIRECT_URIS) {
    throw new RegistrationRefused('invalid_redirect_uri', `redirect_uris must hold at most ${MAX_REDIRECT_URIS} URIs`)
  }
  return [...new Set(value)].map((uri, index) => {
    const problem = typeof uri === 'string' ? redirectUriProblem(uri) : 'is not a string'
    if (problem !== null) throw new RegistrationRefused('invalid_redirect_uri', `redirect_uris[${index}] ${problem}`)
    return String(uri)
  })
}

function readAuthMethod(value: unknown, native: boolean): string {
  if (value === undefined || value === null || value === '') return native ? 'none' : 'client_secret_basic'
  if (typeof value === 'string' && (CLIENT_AUTH_METHODS as readonly string[]).includes(value)) return value
  throw new RegistrationRefused(
    'invalid_client_metadata',
    `token_endpoint_auth_method must be one of ${CLIENT_AUTH_METHODS.join(', ')}`,
  )
}

function readGrantTypes(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) return [...GRANT_TYPES]
  const known = GRANT_TYPES.filter((type) => value.includes(type))
  if (known.includes('authorization_code')) return known
  throw new RegistrationRefused('invalid_client_metadata', 'grant_types must include authorization_code')
}

function readResponseTypes(value: unknown): ['code'] {
  if (!Array.isArray(value) || value.length === 0 || value.includes('code')) return ['code']
  throw new RegistrationRefused('invalid_client_metadata', 'response_types must include code')
}

/** Display members. They are shown as text or kept for the record, never fetched, so a malformed one is left out. */
function readDecoration(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const decoration: Record<string, unknown> = {}
  const name = displayName(given.client_name)
  if (name !== undefined) decoration.client_name = name
  for (const member of ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri']) {
    if (isWebUri(given[member])) decoration[member] = given[member]
  }
  return decoration
}

/** The client's public keys for `private_key_jwt`; the library judges them. */
function readKeys(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const keys: Record<string, unknown> = {}
  for (const member of ['jwks', 'jwks_uri', 'token_endpoint_auth_signing_alg']) {
    const value = given[member]
    if (value !== undefined && value !== null && value !== '') keys[member] = value
  }
  if (given.token_endpoint_auth_method !== 'private_key_jwt') return {}
  if (keys.jwks !== undefined && !isKeySet(keys.jwks)) {
    const text = `jwks must be a set of at most ${SIZES.keysOfClient} public keys, RSA ones of at most 4096 bits`
    throw new RegistrationRefused('invalid_client_metadata', text)
  }
  if (keys.jwks_uri !== undefined && !isHttpsUri(keys.jwks_uri)) {
    throw new RegistrationRefused('invalid_client_metadata', 'jwks_uri must be an https URL')
  }
  return keys
}

function isWebUri(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length <= MAX_TEXT_CHARS &&
    /^https?:\/\/[^\s\\@]+$/i.test(value) &&
    URL.canParse(value)
  )
}

function isHttpsUri(value: unknown): boolean {
  return isWebUri(value) && new URL(String(value)).protocol === 'https:'
}
