import { fastifyCookie } from '@fastify/cookie'
import { open, seal } from '@vertexsms/secrets/seal'
import { SealError } from '@vertexsms/secrets/subkey'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieName } from '../cookie-name.ts'
import { nowOf } from './require-session.ts'

// What a page shows once after a form was sent, on the way from the answer to the post to the page that it leads to: in a
// cookie of this browser, sealed under the operator key and bound to its session and to what it is about. Nothing of it
// is stored here, stands in an address, or can be read or made up by anybody else; the page takes it away.

const SECONDS = 120

/** What a deployment seals such a text with. */
export interface OnceDeps {
  readonly operatorKey: Uint8Array
  readonly issuerUrl: string
}

/** The page that shows it, and what must be the same there: the session, and what the text is about. */
interface OncePlace {
  readonly path: string
  readonly sessionId: string
  readonly about: string
}

function onceCookieName({ issuerUrl }: OnceDeps): string {
  return cookieName(issuerUrl, '__Secure-', 'once')
}

function context({ sessionId, about }: OncePlace): string {
  return `shown-once:${sessionId}:${about}`
}

function setCookie(deps: OnceDeps, reply: FastifyReply, { path }: OncePlace, value: string, maxAge: number): void {
  const secure = deps.issuerUrl.startsWith('https:')
  const options = { path, httpOnly: true, sameSite: 'strict', secure, maxAge } as const
  reply.header('set-cookie', fastifyCookie.serialize(onceCookieName(deps), value, options))
}

/** Lets the page at `place` show the text once, within two minutes, however long the browser keeps it. */
export function showOnce(deps: OnceDeps, reply: FastifyReply, place: OncePlace, text: string): void {
  const until = nowOf(reply.request).getTime() + SECONDS * 1000
  const sealed = Buffer.from(seal(deps.operatorKey, `${until} ${text}`, context(place))).toString('base64url')
  setCookie(deps, reply, place, sealed, SECONDS)
}

/** The text that `place` may show; null where there is none, it was shown, its time is over, or it is not this session's. It is gone then. */
export function takeOnce(
  deps: OnceDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  place: OncePlace,
): string | null {
  // HEAD shows nothing, and takes nothing away.
  if (request.method !== 'GET') return null
  // A browser sends the cookie of the longer path first, and the first counts.
  const sent = fastifyCookie.parse(request.headers.cookie ?? '')[onceCookieName(deps)]
  if (sent === undefined) return null
  try {
    const opened = open(deps.operatorKey, Buffer.from(sent, 'base64url'), context(place))
    setCookie(deps, reply, place, '', 0)
    const [until = ''] = opened.split(' ', 1)
    return nowOf(request).getTime() < Number(until) ? opened.slice(until.length + 1) : null
  } catch (error) {
    if (error instanceof SealError) return null
    throw error
  }
}
