import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import fastifyView from '@fastify/view'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { PageName, Pages } from './views/pages.ts'

const pagesFolder = fileURLToPath(new URL('./views/pages', import.meta.url))
const assetsFolder = fileURLToPath(new URL('./public', import.meta.url))
const engine = new Eta({ views: pagesFolder, autoEscape: true, cache: true })

/** Pages that need a script file of ours: the passkey ceremonies happen in the browser. */
const PAGES_WITH_SCRIPT: ReadonlySet<PageName> = new Set()

/**
 * The security headers of a page. No inline style or script, nothing from elsewhere, forms to ourselves only, never in
 * a frame, never stored. There is no Cross-Origin-Opener-Policy: it would cut `window.opener`, and clients that
 * connect in a popup would never receive their code.
 */
export function pageHeaders(name: PageName): Record<string, string> {
  const script = PAGES_WITH_SCRIPT.has(name) ? "; script-src 'self'; connect-src 'self'" : ''
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
  return engine.render(name, data)
}

/** Sends a page with its security headers. Needs {@link registerPages} on the same instance or above it. */
export function sendPage<Name extends PageName>(
  reply: FastifyReply,
  name: Name,
  data: Pages[Name],
  status = 200,
): Promise<FastifyReply> {
  return reply.code(status).headers(pageHeaders(name)).viewAsync(name, data)
}

/** Makes pages and their assets (`/assets/*`) available on this instance and everything registered below it. */
export async function registerPages(app: FastifyInstance): Promise<void> {
  await app.register(fastifyView, { engine: { eta: engine }, root: pagesFolder, production: true })
  await app.register(fastifyStatic, {
    root: assetsFolder,
    prefix: '/assets/',
    index: false,
    decorateReply: false,
    cacheControl: true,
    maxAge: 3_600_000,
  })
}
