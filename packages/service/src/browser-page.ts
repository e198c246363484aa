import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { preferredLanguage, prefersHtml } from './accepts.ts'
import { BROWSER_LANGUAGES, BROWSER_WORDS, type LinkOf, type Program, type ProgramWords } from './browser-words.ts'

/** What a person reads who opens the address of a program in a browser. */
export interface BrowserPage<Of extends Program = Program> {
  readonly of: Of
  /** The address that programs are given. */
  readonly address: string
  /** Where each link leads. */
  readonly links: Readonly<Record<LinkOf<Of>, string>>
}

const STYLE =
  ':root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}code{overflow-wrap:anywhere}li{margin:.4rem 0}'
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

/**
 * Explains a program's address to whoever opens it in a browser: a refusal of a GET whose `Accept` names HTML before
 * everything else (RFC 9110 §12.5.1) has this page for its body, in the language that its `Accept-Language` prefers. Status,
 * challenge and every other header stay as they are, and so do all answers to programs.
 */
export function explainToBrowsers<Of extends Program>(app: FastifyInstance, page: BrowserPage<Of>): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode < 400 || request.method !== 'GET' || !prefersHtml(request.headers)) return done(null, payload)
    const language = preferredLanguage(request.headers, BROWSER_LANGUAGES)
    reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'content-language': language,
      vary: 'Accept, Accept-Language',
    })
    reply.removeHeader('content-length')
    done(null, htmlOf(page, language, reply.statusCode, request))
  })
}

function htmlOf(
  { of, address, links }: BrowserPage,
  language: (typeof BROWSER_LANGUAGES)[number],
  status: number,
  { id }: FastifyRequest,
): string {
  const words = BROWSER_WORDS[language]
  const { title, text, links: labels }: ProgramWords = words[of]
  const list = Object.entries<string>(links).map(
    ([name, href]) => `<li><a href="${escapeHtml(href)}">${escapeHtml(labels[name] ?? href)}</a></li>`,
  )
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} · VertexSMS</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')}
<p><code>${escapeHtml(address)}</code></p>
<ul>${list.join('')}</ul>
<p><small>${words.status} ${status} · ${words.reference}: <code>${escapeHtml(id)}</code></small></p>
</main>
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
}
