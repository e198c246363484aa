/** No identifier of ours is longer. */
const RESOURCE_MAX_CHARACTERS = 2048

/**
 * Judges a `resource` parameter (RFC 8707 §2): the canonical identifier when `value` names our MCP server, null when
 * it names anything else. One trailing slash and the case of scheme and host are forgiven, as the MCP authorization
 * specification asks; nothing else is, so that no other address can pass for ours.
 */
export function canonicalResource(value: string, canonical: string): string | null {
  const given = split(value)
  const known = split(canonical)
  if (!given || !known) return null
  return given.origin === known.origin && given.path === known.path ? canonical : null
}

function split(value: string): { origin: string; path: string } | null {
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
export function normalizeResources(
  values: readonly string[],
  resources: { readonly mcp: string; readonly api: string },
): string[] {
  const named = values.filter((value) => value !== '').map((value) => canonicalResource(value, resources.mcp) ?? value)
  const withoutRepeats = [...new Set(named)]
  if (!withoutRepeats.includes(resources.mcp)) return withoutRepeats
  return withoutRepeats.filter((value) => canonicalResource(value, resources.api) === null)
}
