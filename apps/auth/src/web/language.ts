import type { IncomingHttpHeaders } from 'node:http'
import { fastifyCookie } from '@fastify/cookie'
import { preferredLanguage } from '@vertexsms/service/accepts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLanguage, LANGUAGES, type Language } from '../words/room.ts'
import { WORDS, type Words } from '../words/words.ts'
import { sentFrom } from './return-to.ts'

const COOKIE = 'vertexsms_language'
const TIMES_COOKIE = 'vertexsms_times'
const YEAR_SECONDS = 31_536_000
/** Where a page of ours is; the longest that is linked back to. */
const HERE_CHARS_MAX = 4096

/** The language that a browser is spoken to in: what was chosen in it, else what it asks for, else English. */
export function languageOf(headers: IncomingHttpHeaders): Language {
  const chosen = fastifyCookie.parse(headers.cookie ?? '')[COOKIE]
  return isLanguage(chosen) ? chosen : preferredLanguage(headers, LANGUAGES)
}

/** True where times are written out in this browser, not as how long ago or ahead. */
export function wantsExactTimes(headers: IncomingHttpHeaders): boolean {
  return fastifyCookie.parse(headers.cookie ?? '')[TIMES_COOKIE] === 'exact'
}

/** The words that the person behind a request reads. */
export function wordsFor(request: Pick<FastifyRequest, 'headers'>): Words {
  return WORDS[languageOf(request.headers)]
}

/** What tells caches which language a page is in, and what decided it (RFC 9110 §8.5, §12.5.5). */
export function languageHeaders(language: Language): Record<string, string> {
  return { 'content-language': language, vary: 'Accept-Language, Cookie' }
}

/** The address that shows this page again: of a post, that of the page whose form was sent. */
export function pageAddress(request: FastifyRequest): string {
  const [path = '/', query] = request.url.split('?', 2)
  const { url: pattern } = request.routeOptions
  if (request.method === 'GET' || request.method === 'HEAD' || pattern === undefined) return request.url
  const from = sentFrom(request)
  if (from !== null) return from
  let parts = pattern.split('/').length
  const shows = (url: string) => request.server.hasRoute({ method: 'GET', url })
  while (parts > 1 && !shows(pattern.split('/').slice(0, parts).join('/'))) parts -= 1
  const shown = path.split('/').slice(0, parts).join('/') || '/'
  return query === undefined ? shown : `${shown}?${query}`
}

/** `address` if it leads to a page of ours on this very origin, else the start page: no open redirect (RFC 9700 §4.11). */
function ownAddress(address: unknown): string {
  const isPath = typeof address === 'string' && address.length <= HERE_CHARS_MAX && /^\/(?![/\\])[!-~]*$/.test(address)
  if (!isPath || address.includes('\\')) return '/'
  // Dots are resolved here, so that no browser makes another host of them.
  const { pathname, search } = new URL(address, 'https://ours.invalid')
  return pathname.startsWith('//') ? '/' : `${pathname}${search}`
}

/**
 * `GET /language?to=lt&back=/sign-in` and `GET /times?as=exact&back=/settings/api`: keep in this browser how pages are
 * written, and go back to the page on which that was chosen. They change nothing else.
 */
export function registerLanguage(app: FastifyInstance, { issuerUrl }: { readonly issuerUrl: string }): void {
  const secure = issuerUrl.startsWith('https:')
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: YEAR_SECONDS } as const
  app.get('/language', async (request, reply) => {
    const { to, back } = request.query as { to?: unknown; back?: unknown }
    if (isLanguage(to)) reply.header('set-cookie', fastifyCookie.serialize(COOKIE, to, options))
    return reply.header('cache-control', 'no-store').redirect(ownAddress(back), 303)
  })
  app.get('/times', async (request, reply) => {
    const { as, back } = request.query as { as?: unknown; back?: unknown }
    if (as === 'exact' || as === 'short') reply.header('set-cookie', fastifyCookie.serialize(TIMES_COOKIE, as, options))
    return reply.header('cache-control', 'no-store').redirect(ownAddress(back), 303)
  })
}
