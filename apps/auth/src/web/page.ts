import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import fastifyView from '@fastify/view'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { MessagePage, PageName, Pages } from '../views/pages.ts'
import { RETRY_AFTER_SECONDS, statusOfFailure } from './outage.ts'
import { waitText } from './times.ts'

const viewsFolder = fileURLToPath(new URL('../views', import.meta.url))
const assetsFolder = fileURLToPath(new URL('../public', import.meta.url))
const engine = new Eta({ views: viewsFolder, autoEscape: true, cache: true })

/** Pages that need a script file of ours: the passkey ceremonies happen in the browser. */
const PAGES_WITH_SCRIPT: ReadonlySet<PageName> = new Set<PageName>(['sign-in', 'passkeys'])

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

/** The HTML of a page, every value escaped. For answers that do not go through a Fastify reply. */
export function renderPage<Name extends PageName>(name: Name, data: Pages[Name]): string {
  return engine.render(`pages/${name}`, data)
}

/**
 * Renders a page and sets its status and security headers; return the result from the handler, which sends it. Needs
 * {@link registerPages} on the same instance or above it.
 */
export function sendPage<Name extends PageName>(
  reply: FastifyReply,
  name: Name,
  data: Pages[Name],
  status = 200,
): Promise<string> {
  return reply.code(status).headers(pageHeaders(name)).viewAsync(`pages/${name}`, data)
}

/** Makes pages and their assets (`/assets/*`) available on this instance and everything registered below it. */
export async function registerPages(app: FastifyInstance): Promise<void> {
  await app.register(fastifyView, { engine: { eta: engine }, root: viewsFolder, production: true })
  await app.register(fastifyStatic, {
    root: assetsFolder,
    prefix: '/assets/',
    index: false,
    decorateReply: false,
    // The look belongs to the pages and is asked for again with each; the icons are shown by clients, for a day.
    setHeaders: (reply, path) => {
      if (path.endsWith('.png') || path.endsWith('.svg')) reply.header('cache-control', 'public, max-age=86400')
    },
  })
}

const HOME = { href: '/', label: 'Go to the start page' }

/** What a person reads while the database is away or too much is asked at once. */
export const UNAVAILABLE_PAGE: MessagePage = { title: 'We are busy', text: 'Please try again in a moment.' }

/** What a person reads for each status; every other failure is ours. */
const ERROR_PAGES: Readonly<Record<number, MessagePage>> = {
  400: { title: 'That did not work', text: 'The request could not be understood.', link: HOME },
  403: {
    title: 'Please try again',
    text: 'For your safety this form is only accepted from a page of ours that you opened a moment ago. Nothing was changed. Go back, reload the page and send it again.',
    link: HOME,
  },
  404: { title: 'There is no such page', text: 'The address may be mistyped, or what it showed is gone.', link: HOME },
  413: { title: 'That was too much', text: 'The form is larger than we accept.', link: HOME },
  415: { title: 'That did not work', text: 'The request could not be understood.', link: HOME },
  429: { title: 'Too many tries', text: 'Please wait a few minutes, then try again.', link: HOME },
  503: UNAVAILABLE_PAGE,
}
const OUR_FAULT: MessagePage = {
  title: 'Something went wrong',
  text: 'The fault is ours. Please try again in a moment. If it stays so, tell the operator of this service the reference below.',
  link: HOME,
}

function errorPage(reply: FastifyReply, status: number): Promise<string> {
  const known = ERROR_PAGES[status] ?? OUR_FAULT
  const waitSeconds = Number(reply.getHeader('retry-after'))
  const text = status === 429 && waitSeconds > 0 ? `Please wait ${waitText(waitSeconds)}, then try again.` : known.text
  const page = { ...known, text, reference: reply.request.id }
  return sendPage(reply, 'message', page, ERROR_PAGES[status] ? status : 500)
}

/** The HTML of a failure, for answers that do not go through {@link sendPage}. */
export function failureHtml(status: number): string {
  return renderPage('message', ERROR_PAGES[status] ?? OUR_FAULT)
}

/** The not-found handler of the pages: the app's own look, also for addresses that nobody knows. */
export function notFoundPage(_request: FastifyRequest, reply: FastifyReply): Promise<string> {
  return errorPage(reply, 404)
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
