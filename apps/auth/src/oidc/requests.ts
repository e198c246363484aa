import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { normalizeResources } from './resources.ts'

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
 * Rewrites the parameters of an authorization, pushed authorization or token request to what the library compares
 * byte for byte: `resource` in its one canonical spelling (RFC 8707 §2). A response mode that is not advertised gets a
 * name nobody knows, because the library has more of them than we want. Repeated parameters stay repeated, so that the
 * library still refuses them (RFC 6749 §3.1).
 */
export function normalizeParameters(params: URLSearchParams, resources: Resources): URLSearchParams {
  const normalized = new URLSearchParams()
  for (const [name, value] of params) {
    if (name === 'response_mode' && value !== RESPONSE_MODE) normalized.append(name, 'unsupported')
    else if (name !== 'resource') normalized.append(name, value)
  }
  for (const value of normalizeResources(params.getAll('resource'), resources)) normalized.append('resource', value)
  return normalized
}

/**
 * The same for a refresh request, whose `scope` may repeat `offline_access` although no token names it: clients keep
 * the scope string they first asked for.
 */
export function normalizeTokenParameters(params: URLSearchParams, resources: Resources): URLSearchParams {
  const normalized = normalizeParameters(params, resources)
  const [scope, ...others] = normalized.getAll('scope')
  if (scope === undefined || others.length > 0) return normalized
  const rest = scope.split(' ').filter((name) => name !== OFFLINE_ACCESS && name !== '')
  if (rest.length > 0) normalized.set('scope', rest.join(' '))
  else normalized.delete('scope')
  return normalized
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
