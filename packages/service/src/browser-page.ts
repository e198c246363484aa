import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { prefersHtml } from './accepts.ts'

/** What a person reads who opens the address of a program in a browser. */
export interface BrowserPage {
  readonly title: string
  /** A paragraph each. */
  readonly text: readonly string[]
  /** The address that programs are given. */
  readonly address: string
  readonly links: readonly { readonly href: string; readonly label: string }[]
}

const STYLE =
  ':root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}code{overflow-wrap:anywhere}li{margin:.4rem 0}'
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

/**
 * Explains a program's address to whoever opens it in a browser: a refusal of a GET whose `Accept` names HTML before
 * everything else (RFC 9110 §12.5.1) has this page for its body. Status, challenge and every other header stay as they
 * are, and so do all answers to programs.
 */
export function explainToBrowsers(app: FastifyInstance, page: BrowserPage): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode < 400 || request.method !== 'GET' || !prefersHtml(request.headers)) return done(null, payload)
    reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      vary: 'Accept',
    })
    reply.removeHeader('content-length')
    done(null, htmlOf(page, reply.statusCode, request))
  })
}

function htmlOf({ title, text, address, links }: BrowserPage, status: number, { id }: FastifyRequest): string {
  const list = links.map(({ href, label }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(label)}</a></li>`)
  return `<!doctype html>
<html lang="en">
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
<p><small>Status ${status} · Reference: <code>${escapeHtml(id)}</code></small></p>
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
