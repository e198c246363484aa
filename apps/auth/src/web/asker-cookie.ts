import { fastifyCookie } from '@fastify/cookie'

// Whose request waits is known on the consent page alone, whose cookie goes to that page alone. So that the sign-in page in
// between can name it, the consent page hands the name over in a cookie of our own making, for this one request. A link to
// the sign-in page cannot put a name there.

const COOKIE = 'vertexsms_asker'
const SECONDS = 900
const TITLE_CHARS_MAX = 200

/** The `Set-Cookie` value by which the sign-in page learns who asks in this authorization request. */
export function askerCookie(issuerUrl: string, uid: string, title: string): string {
  return fastifyCookie.serialize(COOKIE, `${uid} ${title.slice(0, TITLE_CHARS_MAX)}`, {
    path: '/sign-in',
    httpOnly: true,
    sameSite: 'lax',
    secure: issuerUrl.startsWith('https:'),
    maxAge: SECONDS,
  })
}

/** Who asks in the request that signing in leads on to; null where it leads elsewhere, or nobody said. */
export function readAsker(cookieHeader: string | undefined, returnTo: string): string | null {
  const [uid = '', ...title] = (fastifyCookie.parse(cookieHeader ?? '')[COOKIE] ?? '').split(' ')
  return title.length > 0 && returnTo === `/interaction/${uid}` ? title.join(' ').slice(0, TITLE_CHARS_MAX) : null
}
