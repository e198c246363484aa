import { fileURLToPath } from 'node:url'
import fastifyView from '@fastify/view'
import { prefersHtml } from '@vertexsms/service/accepts'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { MessagePage } from '../views/frame.ts'
import type { PageName, Pages } from '../views/pages.ts'
import { tokenPath } from '../views/token-path.ts'
import type { Language } from '../words/room.ts'
import { WORDS, type Words } from '../words/words.ts'
import { ASSETS } from './assets.ts'
import type { WebDeps } from './deps.ts'
import type { KnownMethods } from './known-methods.ts'
import { languageHeaders, languageOf, pageAddress, wantsExactTimes } from './language.ts'
import { marksOf } from './marks.ts'
import { RETRY_AFTER_SECONDS, statusOfFailure } from './outage.ts'
import { viewerIfSignedIn } from './require-session.ts'

const viewsFolder = fileURLToPath(new URL('../views', import.meta.url))
/** Every template has the words of its reader as `t`, `mark` for values inside a sentence, and {@link tokenPath}. */
const functionHeader = 'const { t, mark, tokenPath } = it'
const engine = new Eta({ views: viewsFolder, autoEscape: true, cache: true, functionHeader })

/** What a template gets beside its data, by language and by whether times are written out. */
const SPEECH = {
  short: { en: speechOf(WORDS.en), lt: speechOf(WORDS.lt) },
  exact: { en: speechOf(exactly(WORDS.en)), lt: speechOf(exactly(WORDS.lt)) },
}

function exactly(t: Words): Words {
  return { ...t, format: { ...t.format, short: t.format.exact } }
}

function speechOf(t: Words) {
  return { t, mark: marksOf(t.format, escapeHtml), tokenPath }
}

function escapeHtml(text: string): string {
  return engine.config.escapeFunction(text)
}

/** Pages that have a script file of ours: passkey ceremonies, the clipboard, what a field shows and how often a button is pressed are the browser's. */
const PAGES_WITH_SCRIPT: ReadonlySet<PageName> = new Set<PageName>([
  'sign-in',
  'passkeys',
  'new-token',
  'token-created',
  'token-edit',
  'connect',
  'overview',
  'set-password',
  'account',
])

/**
 * The security headers of a page. No inline style or script, nothing from elsewhere, forms to ourselves only, never in
 * a frame, never stored. There is no Cross-Origin-Opener-Policy: it would cut `window.opener`, and clients that
 * connect in a popup would never receive their code.
 */
export function pageHeaders(name: PageName): Record<string, string> {
  const script = PAGES_WITH_SCRIPT.has(name) ? "; script-src 'self'" : ''
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'self'; img-src 'self'${script}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  }
}

/** Who reads a page: in which language, and at which address, to which the link to the other language comes back. */
export interface Reader {
  readonly language: Language
  readonly address: string
  /** True where times are written out. */
  readonly exactTimes?: boolean
}

/** The HTML of a page, every value escaped. For answers that do not go through a Fastify reply. */
export function renderPage<Name extends PageName>(name: Name, data: Pages[Name], reader: Reader): string {
  return engine.render(`pages/${name}`, dataFor(data, reader))
}

function dataFor(data: object, reader: Reader) {
  return {
    ...data,
    ...SPEECH[reader.exactTimes ? 'exact' : 'short'][reader.language],
    exactTimes: reader.exactTimes ?? false,
    address: reader.address,
    assets: ASSETS,
  }
}

/** Makes {@link sendPage} work on this instance and everything registered below it. */
export async function registerViews(app: FastifyInstance): Promise<void> {
  await app.register(fastifyView, { engine: { eta: engine }, root: viewsFolder, production: true })
}

/**
 * Renders a page and sets its status, language and security headers; return the result from the handler, which sends it.
 * Needs {@link registerViews} on the same instance or above it.
 */
export async function sendPage<Name extends PageName>(
  reply: FastifyReply,
  name: Name,
  data: Pages[Name],
  status = 200,
): Promise<string> {
  const language = languageOf(reply.request.headers)
  reply.code(status).headers({ ...pageHeaders(name), ...languageHeaders(language) })
  const reader = {
    language,
    address: pageAddress(reply.request),
    exactTimes: wantsExactTimes(reply.request.headers),
  }
  return reply.viewAsync(`pages/${name}`, dataFor(data, reader))
}

/** What went wrong, by its status; every other failure is ours. */
const FAILURES = {
  400: 'notUnderstood',
  403: 'refusedForm',
  404: 'notFound',
  405: 'wrongMethod',
  413: 'tooLarge',
  414: 'notUnderstood',
  415: 'notUnderstood',
  429: 'tooMany',
  503: 'busy',
} as const satisfies Record<number, keyof Words['errors']>

/** What a person reads of a failure, with the way on. */
export function failureMessage(t: Words, status: number): MessagePage {
  const { title, text } = t.errors[isKnown(status) ? FAILURES[status] : 'ours']
  return { title, text, ...(status !== 503 && { link: { href: '/', label: t.errors.home } }) }
}

function isKnown(status: number): status is keyof typeof FAILURES {
  return Object.hasOwn(FAILURES, status)
}

/** How long to wait before the next try, by the `Retry-After` of the answer. */
export function waitWords(reply: FastifyReply, t: Words): string {
  const waitSeconds = Number(reply.getHeader('retry-after'))
  return waitSeconds > 0 ? t.errors.tooMany.wait(t.format.wait(waitSeconds)) : t.errors.tooMany.text
}

/**
 * What a person reads of a request that failed, with how long to wait by the `Retry-After` of the answer. Where it was
 * refused, for now or for good, the way on is the page it was for.
 */
function failureOf(reply: FastifyReply, status: number): MessagePage {
  const { request } = reply
  const t = WORDS[languageOf(request.headers)]
  const known = failureMessage(t, status)
  const text = status === 429 ? waitWords(reply, t) : known.text
  const again = (status === 403 || status === 429) && {
    link: { href: pageAddress(request), label: t.errors.openAgain },
  }
  return { ...known, text, ...again, reference: request.id }
}

function errorPage(reply: FastifyReply, status: number): Promise<string> {
  return sendPage(reply, 'message', failureOf(reply, status), isKnown(status) ? status : 500)
}

/** Addresses that programs ask. Whoever opens one of them in a browser reads a page, as everywhere. */
const FOR_PROGRAMS = /^\/+(?:oauth|\.well-known)\//

/** Letters, digits and marks that need no percent sign: with one an address is the same (RFC 3986 §6.2.2.2). */
const NEEDLESSLY_ENCODED = /%(?:2[DE]|3\d|[46][1-9A-F]|[57][\dA]|5F|7E)/gi

/**
 * The not-found handler of the pages: the app's own look, also for addresses that nobody knows, within the frame of the
 * dashboard for whoever is signed in, and 405 with `Allow` (RFC 9110 §15.5.6) where `methods` knows the address for others
 * than what was asked. It says the same of what is another's and of what is nobody's. A program that asks where the endpoints
 * are is told in their shape (RFC 6749 §5.2).
 */
export function createNotFound(deps: WebDeps, methods: KnownMethods) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    const path = (request.url.split('?', 1)[0] ?? '').replace(NEEDLESSLY_ENCODED, decodeURIComponent)
    const allowed = methods.at(path)
    const isWrongMethod = allowed.length > 0 && !allowed.includes(request.method)
    if (isWrongMethod) reply.header('allow', allowed.join(', '))
    if (isForProgram(request, path)) {
      const meant = allowed.filter((method) => method !== 'HEAD' && method !== 'OPTIONS')
      const description = isWrongMethod ? `Send ${meant.join(' or ')}.` : 'There is no such endpoint.'
      return programText(reply, isWrongMethod ? 405 : 404, description)
    }
    if (isWrongMethod) return errorPage(reply, 405)
    // Without the database nobody is known, and the address is still nobody's.
    const viewer = await viewerIfSignedIn(deps, request).catch(() => null)
    if (!viewer) return errorPage(reply, 404)
    const message = failureMessage(WORDS[languageOf(request.headers)], 404)
    return sendPage(reply, 'lost', { ...message, reference: request.id, viewer }, 404)
  }
}

function isForProgram({ headers }: FastifyRequest, path: string): boolean {
  return FOR_PROGRAMS.test(path) && !prefersHtml(headers)
}

function programText(reply: FastifyReply, status: number, description: string): string {
  reply
    .code(status)
    .headers({ 'cache-control': 'no-store', 'access-control-allow-origin': '*' })
    .type('application/json; charset=utf-8')
  return JSON.stringify({ error: 'invalid_request', error_description: description })
}

/**
 * The error handler of what reaches no zone, as an address that cannot be read: the page of its failure, and for programs
 * what endpoints say.
 */
export function failureOutside(error: { statusCode?: number }, request: FastifyRequest, reply: FastifyReply): void {
  const failed = statusOfFailure(error)
  // No form comes here: it is a file whose name none of ours has.
  const status = failed === 403 ? 404 : failed
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  if (status === 503) reply.header('retry-after', String(RETRY_AFTER_SECONDS))
  if (status < 500 && isForProgram(request, request.url)) {
    reply.send(programText(reply, status, 'The request could not be read.'))
  } else sendFailure(reply, status)
}

/** Sends the page of a failure where the reply need not have views ({@link registerViews}). */
export function sendFailure(reply: FastifyReply, status: number): void {
  const { request } = reply
  const language = languageOf(request.headers)
  reply
    .code(status)
    .headers({ ...pageHeaders('message'), ...languageHeaders(language) })
    .send(renderPage('message', failureOf(reply, status), { language, address: request.url }))
}

/** The error handler of the pages: what went wrong in a person's words; what is our fault goes to the log. */
export function failurePage(
  error: { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const status = statusOfFailure(error)
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  if (status === 503) reply.header('retry-after', String(RETRY_AFTER_SECONDS))
  return errorPage(reply, status)
}
