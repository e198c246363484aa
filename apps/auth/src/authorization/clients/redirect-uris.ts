import { LOOPBACK_HOSTS } from '@vertexsms/service/address'
import { isClientScheme } from '../../connections/client-places.ts'

/** A domain name in reverse, as RFC 8252 §7.1 wants a scheme: a top-level domain first, then at least one more label. */
const REVERSE_DOMAIN = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

/** Reverse domain names that belong to a system or a launcher: whatever stands behind them is opened or started. */
const OPENING_SCHEME = /^(?:microsoft\.[a-z0-9.-]+|com\.epicgames\.launcher)$/

/** Where known clients open files and machines, or install what a link describes, instead of taking an answer. */
const OPENING_PLACE =
  /^(?:file|ssh|vscode-remote|vscode-local|vscode\.git|extensions?|mcp|recipe|action|settings|open_from_hf|add_mcp|.*deeplink)$/

/** What the addresses of clients' answers are called, as in `raycast://oauth?package_name=Extension`. */
const ANSWER_PLACE = /auth|callback/i

const MAX_REDIRECT_URI_CHARS = 2048
/** Of a host, and of a scheme that is one in reverse: DNS knows no longer name (RFC 1035 §2.3.4). */
const MAX_HOST_CHARS = 253

/** A redirect URI taken apart without any normalisation, so that what is judged is what is compared. */
interface Parts {
  readonly scheme: string
  /** Undefined where there is no `//`. */
  readonly authority: string | undefined
  readonly host: string
}

/**
 * Why a redirect URI may not be registered, or null when it may. Refused: anything that two parsers could read
 * differently (white space, control and non-ASCII characters, backslashes), fragments (RFC 6749 §3.1.2), credentials,
 * wildcards, plain http to anything but loopback (RFC 8252 §7.3, OAuth 2.1 §2.3.1), schemes that are neither a reverse
 * domain name nor a known client's, and addresses at which a system or a known client opens or installs something.
 */
export function redirectUriProblem(uri: string): string | null {
  if (uri.length > MAX_REDIRECT_URI_CHARS) return 'is too long'
  if (!/^[\x21-\x7e]+$/.test(uri) || /[\\<>"^`{|}]/.test(uri)) return 'holds characters that are not allowed in a URI'
  if (uri.includes('#')) return 'has a fragment'
  if (uri.includes('*')) return 'has a wildcard'
  const parts = split(uri)
  if (!parts || !URL.canParse(uri)) return 'is not an absolute URI'
  const { scheme, authority, host } = parts
  if (host.length > MAX_HOST_CHARS || scheme.length > MAX_HOST_CHARS)
    return 'has a host name or scheme that is too long'
  if (authority?.includes('@')) return 'has credentials'
  if (scheme !== 'http' && scheme !== 'https') {
    if (isClientScheme(scheme))
      return opensSomething(uri, parts) ? `opens or installs something by the ${scheme} scheme` : null
    if (REVERSE_DOMAIN.test(scheme) && !OPENING_SCHEME.test(scheme)) return null
    return `uses the ${scheme} scheme; an app's own scheme is a reverse domain name such as com.example.app (RFC 8252 section 7.1)`
  }
  const parsed = new URL(uri)
  if (authority === undefined || parsed.hostname !== host) return 'does not have a plain host name'
  return scheme === 'http' && !LOOPBACK_HOSTS.has(host) ? 'uses http for a host that is not loopback' : null
}

/**
 * True for a known client's address that is one of its deep links: `vscode:extension/...` and `goose://extension?cmd=...`
 * install, `vscode://file/...` opens. What they are to do stands in the query, which an answer's address hardly ever has.
 */
function opensSomething(uri: string, { authority, host }: Parts): boolean {
  if (
    !authority ||
    OPENING_PLACE.test(host.replace(/%[0-9a-f]{2}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16))))
  )
    return true
  const [place = '', query] = uri.slice(uri.indexOf('://') + 3).split('?', 2)
  return query !== undefined && !ANSWER_PLACE.test(place)
}

/** True for a redirect to the person's own computer, with TLS or without. Only valid URIs are asked. */
export function isLoopbackRedirect(uri: string): boolean {
  const parts = split(uri)
  return parts !== null && /^https?$/.test(parts.scheme) && LOOPBACK_HOSTS.has(parts.host)
}

/** True for a redirect to an installed program by a scheme of its own. Only valid URIs are asked. */
export function isPrivateUseRedirect(uri: string): boolean {
  const scheme = split(uri)?.scheme
  return scheme !== undefined && scheme !== 'http' && scheme !== 'https'
}

/**
 * What a person can recognise the receiver by: the host with its port, or the scheme with its colon for an installed
 * program. The port of a loopback address says nothing and is left out.
 */
export function redirectHost(uri: string): string {
  if (isPrivateUseRedirect(uri)) return `${split(uri)?.scheme ?? ''}:`
  const parsed = new URL(uri)
  return isLoopbackRedirect(uri) ? parsed.hostname : parsed.host
}

/**
 * True when the redirect URI of a request is a registered one: equal character by character (OAuth 2.1 §2.3.1), or equal
 * but for the port of a loopback IP address (RFC 8252 §7.3) and, where `anyLocalhostPort` says so, of `localhost`, which
 * somebody else's name server may answer for (§8.3). These are different hosts. One that may not be registered today is
 * not allowed either, whenever it was.
 */
export function redirectUriMatches(
  registered: readonly string[],
  presented: string,
  options: { readonly anyLocalhostPort: boolean },
): boolean {
  if (redirectUriProblem(presented) !== null) return false
  if (registered.includes(presented)) return true
  const wanted = withoutLoopbackPort(presented)
  if (wanted === null || (!options.anyLocalhostPort && /^https?:\/\/localhost/.test(wanted))) return false
  return registered.some((uri) => withoutLoopbackPort(uri) === wanted)
}

function withoutLoopbackPort(uri: string): string | null {
  const parts = /^(https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(\/[^#]*|\?[^#]*|)$/.exec(uri)
  return parts ? `${parts[1]}${parts[2]}` : null
}

function split(uri: string): Parts | null {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?/.exec(uri)
  if (!match?.[1]) return null
  const authority = match[2]
  const host = (authority ?? '').replace(/:\d*$/, '').toLowerCase()
  return { scheme: match[1].toLowerCase(), authority, host }
}
