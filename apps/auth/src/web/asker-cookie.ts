import { fastifyCookie } from '@fastify/cookie'
import { PAGE_PATHS } from '@vertexsms/contract/page-paths'
import { cookieName } from '../cookie-name.ts'

// Whose request waits is known on the consent page alone, whose cookie goes to that page alone, and only while it waits. So
// that the sign-in page in between can name it, and the same address once the request has ended, the consent page hands the
// name over in cookies of our own making, for this one request. A link cannot put a name there.

const SIGN_IN_SECONDS = 900
/** Somebody may come back to a tab that was left open for longer than the request waits. */
const ENDED_SECONDS = 3600
const TITLE_CHARS_MAX = 200

/** What decides the cookie's name: the public URL. */
interface Deployment {
  readonly issuerUrl: string
}

function askerCookieName(issuerUrl: string): string {
  return cookieName(issuerUrl, '__Secure-', 'asker')
}

/** The `Set-Cookie` values by which the sign-in page, and later the request's own, learn who asks in this request. */
export function askerCookies({ issuerUrl }: Deployment, uid: string, title: string): string[] {
  const places = [
    { path: PAGE_PATHS.signIn, maxAge: SIGN_IN_SECONDS },
    { path: `/interaction/${uid}`, maxAge: ENDED_SECONDS },
  ]
  return places.map((place) =>
    fastifyCookie.serialize(askerCookieName(issuerUrl), `${uid} ${title.slice(0, TITLE_CHARS_MAX)}`, {
      ...place,
      httpOnly: true,
      sameSite: 'lax',
      secure: issuerUrl.startsWith('https:'),
    }),
  )
}

/** Who asks in the request whose path this is, or that signing in there leads on to; null where it leads elsewhere, or nobody said. */
export function readAsker(
  { issuerUrl }: Deployment,
  cookieHeader: string | undefined,
  returnTo: string,
): string | null {
  const [uid = '', ...title] = (fastifyCookie.parse(cookieHeader ?? '')[askerCookieName(issuerUrl)] ?? '').split(' ')
  return title.length > 0 && returnTo === `/interaction/${uid}` ? title.join(' ').slice(0, TITLE_CHARS_MAX) : null
}
