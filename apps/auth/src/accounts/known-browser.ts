import { timingSafeEqual } from 'node:crypto'
import { fastifyCookie } from '@fastify/cookie'
import { mac } from '@vertexsms/secrets/mac'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { subkey } from '@vertexsms/secrets/subkey'
import { cookieName } from '../cookie-name.ts'

// A browser that has signed in to an account once keeps a mark. Wrong passwords from everywhere else then cannot use
// up its tries, so an account's owner is not locked out by whoever guesses at it from many addresses.

const ONE_YEAR_SECONDS = 31_536_000

interface KnownBrowserDeps {
  readonly operatorKey: Uint8Array
  readonly issuerUrl: string
}

function knownCookieName(issuerUrl: string): string {
  return cookieName(issuerUrl, '__Host-', 'known')
}

function mark(deps: KnownBrowserDeps, email: string, id: string): string {
  return mac(subkey(deps.operatorKey, 'known-browser'), `${id}\n${email}`).toString('base64url')
}

/** The `Set-Cookie` value that marks a browser as one in which this account has signed in. */
export function knownBrowserCookie(deps: KnownBrowserDeps, email: string): string {
  const id = newSecret()
  return fastifyCookie.serialize(knownCookieName(deps.issuerUrl), `${id}.${mark(deps, email, id)}`, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: deps.issuerUrl.startsWith('https:'),
    maxAge: ONE_YEAR_SECONDS,
  })
}

/** The id of a browser in which this account has signed in before; null for every other browser. */
export function knownBrowser(deps: KnownBrowserDeps, cookieHeader: string | undefined, email: string): string | null {
  const [id = '', given = ''] = (fastifyCookie.parse(cookieHeader ?? '')[knownCookieName(deps.issuerUrl)] ?? '').split(
    '.',
  )
  const expected = Buffer.from(mark(deps, email, id))
  const sent = Buffer.from(given)
  return sent.length === expected.length && timingSafeEqual(sent, expected) ? id : null
}
