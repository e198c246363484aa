import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { readForm } from '@vertexsms/service/text'
import { SIZES } from '../../service-limits.ts'

// What we change in a request before the library reads it, and why. Each rule stands once, here:
// - the query is everything after the first `?`; a second one is data (RFC 3986 §3.4);
// - a parameter without a value is a parameter left out (RFC 6749 §3.1);
// - a parameter that means nothing here is ignored (RFC 6749 §3.1): above all those of OpenID Connect, which clients
//   send out of habit and the library refuses, because no ID token is ever issued;
// - `prompt` keeps the words we know;
// - `response_mode` other than ours gets a name nobody knows, because the library has more of them than we want;
// - `resource` comes in its one canonical spelling (RFC 8707 §2);
// - `scope` of a refresh is narrowed to what was granted.
// What is stored as it came is bounded first.
// Repeated parameters stay repeated, so that the library still refuses them (RFC 6749 §3.1).

/** The one scope beside our five that clients may name: refresh tokens are issued without it (SEP-2207). */
export const OFFLINE_ACCESS = 'offline_access'

/** The one way in which an authorization response travels. */
export const RESPONSE_MODE = 'query'

/** Where tokens are good: the MCP server is what clients ask for, the API is the second audience. */
export interface Resources {
  readonly mcp: string
  readonly api: string
}

/**
 * The parameters an authorization request is made of. `request` and `request_uri` are among them to be refused by name
 * or to be found (RFC 9126 §4), not to be passed over.
 */
const AUTHORIZATION_PARAMETERS: ReadonlySet<string> = new Set([
  'authorization_details',
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'redirect_uri',
  'request',
  'request_uri',
  'resource',
  'response_mode',
  'response_type',
  'scope',
  'state',
])

/** What a client proves itself with beside `client_id` when it pushes a request (RFC 9126 §2). */
const CLIENT_PROOFS: ReadonlySet<string> = new Set(['client_assertion', 'client_assertion_type', 'client_secret'])

/** The `prompt` values the library may act on; `select_account` and the like mean what happens anyway: a page. */
const PROMPTS: ReadonlySet<string> = new Set(['none', 'login', 'consent'])

/**
 * The parameters in a request's target: everything after its first question mark (RFC 3986 §3.4). Throws UnreadableText, see
 * {@link readForm}.
 */
export function queryOf(target: string | undefined): URLSearchParams {
  const [, query = ''] = /^[^?]*\?(.*)$/s.exec(target ?? '') ?? []
  return readForm(query)
}

/** An authorization request as the library is to read it. */
export function authorizationParameters(params: URLSearchParams, resources: Resources): URLSearchParams {
  return rewrite(params, resources, (name) => AUTHORIZATION_PARAMETERS.has(name))
}

/** The same for a pushed request, which proves its client as well (RFC 9126 §2). */
export function pushedParameters(params: URLSearchParams, resources: Resources): URLSearchParams {
  return rewrite(params, resources, (name) => AUTHORIZATION_PARAMETERS.has(name) || CLIENT_PROOFS.has(name))
}

/**
 * The same for a token request. Its `scope` may repeat `offline_access` although no token names it: clients keep the
 * scope string they first asked for.
 */
export function tokenParameters(params: URLSearchParams, resources: Resources): URLSearchParams {
  const rewritten = rewrite(params, resources, () => true)
  const [scope, ...others] = rewritten.getAll('scope')
  if (scope === undefined || others.length > 0) return rewritten
  const rest = scope.split(' ').filter((name) => name !== OFFLINE_ACCESS && name !== '')
  if (rest.length > 0) rewritten.set('scope', rest.join(' '))
  else rewritten.delete('scope')
  return rewritten
}

function rewrite(params: URLSearchParams, resources: Resources, known: (name: string) => boolean): URLSearchParams {
  const rewritten = new URLSearchParams()
  for (const [name, given] of params) {
    const value = name === 'prompt' ? knownPrompts(given) : given
    if (value === '' || name === 'resource' || !known(name)) continue
    rewritten.append(name, name === 'response_mode' && value !== RESPONSE_MODE ? 'unsupported' : value)
  }
  for (const value of normalizeResources(params.getAll('resource'), resources)) rewritten.append('resource', value)
  return rewritten
}

function knownPrompts(value: string): string {
  return value
    .split(' ')
    .filter((word) => PROMPTS.has(word))
    .join(' ')
}

/**
 * Which of our scopes an authorization request asks for. No scope, or none but `offline_access`, asks for all of them;
 * scopes we do not know are dropped, because clients add those of other servers; null when only unknown ones were
 * named, which is `invalid_scope` (RFC 6749 §3.3).
 */
export function requestedScopes(scope: string | undefined): string | null {
  const names = (scope ?? '').split(' ').filter((name) => name !== '' && name !== OFFLINE_ACCESS)
  if (names.length === 0) return SCOPE_NAMES.join(' ')
  const known = SCOPE_NAMES.filter((name) => names.includes(name))
  return known.length > 0 ? known.join(' ') : null
}

/**
 * What a refresh that names `requested` gets out of `granted`: libraries repeat the scope they first asked for, of which
 * the person may have granted a part (RFC 6749 §6). Null when nothing of it was granted, which is `invalid_scope`.
 */
export function narrowedScope(requested: string, granted: readonly string[]): string | null {
  const names = [...new Set(requested.split(' '))].filter((name) => granted.includes(name))
  return names.length > 0 ? names.join(' ') : null
}

/** No identifier of ours is longer. */
const RESOURCE_MAX_CHARACTERS = 2048

/**
 * Judges a `resource` parameter (RFC 8707 §2): the canonical identifier when `value` names our MCP server, null when
 * it names anything else. One trailing slash and the case of scheme and host are forgiven, as the MCP authorization
 * specification asks; nothing else is, so that no other address can pass for ours.
 */
export function canonicalResource(value: string, canonical: string): string | null {
  const given = splitUrl(value)
  const known = splitUrl(canonical)
  if (!given || !known) return null
  return given.origin === known.origin && given.path === known.path ? canonical : null
}

function splitUrl(value: string): { origin: string; path: string } | null {
  if (value.length > RESOURCE_MAX_CHARACTERS) return null
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\\@\s]+)(\/[^?#\\\s]*)?$/.exec(value)
  if (!parts) return null
  const [, origin = '', path = ''] = parts
  return { origin: origin.toLowerCase(), path: path.endsWith('/') ? path.slice(0, -1) : path }
}

/**
 * The `resource` values of one request after the judgement above. Every value that names our MCP server becomes the
 * canonical one; the API beside it adds nothing, because it is an audience of every token anyway, and is left out.
 * Everything else stays as it was, for the library to refuse with `invalid_target`.
 */
function normalizeResources(values: readonly string[], resources: Resources): string[] {
  const named = values.filter((value) => value !== '').map((value) => canonicalResource(value, resources.mcp) ?? value)
  const withoutRepeats = [...new Set(named)]
  if (!withoutRepeats.includes(resources.mcp)) return withoutRepeats
  return withoutRepeats.filter((value) => canonicalResource(value, resources.api) === null)
}

/**
 * What is too long in an authorization request, in words safe to show; null when everything fits. Waiting requests are
 * stored as they came, so what they may hold is bounded: `state`, each other parameter, and all of them together as they are
 * written, in JSON, where a control character takes six times its size.
 */
export function oversizedParameter(params: URLSearchParams): string | null {
  let total = 0
  for (const [name, value] of params) {
    const bytes = Buffer.byteLength(value)
    const maxBytes = name === 'state' ? SIZES.stateBytes : SIZES.parameterBytes
    // The name is repeated only when it is one we know; any other is a stranger's text.
    if (bytes > maxBytes)
      return name === 'state' ? `state may have ${maxBytes} bytes` : `a parameter may have ${maxBytes} bytes`
    total += Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(value))
  }
  return total > SIZES.parametersBytes ? `the parameters may have ${SIZES.parametersBytes} bytes in all` : null
}
