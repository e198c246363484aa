import { createHash } from 'node:crypto'
import { errorsPage } from '@vertexsms/contract/errors-page'
import { openApiDocument } from '@vertexsms/contract/openapi'
import { anchorOf, referencePage } from '@vertexsms/contract/reference'
import type { FastifyInstance } from 'fastify'
import { Marked } from 'marked'

/** Nothing in it changes before the next release. */
const CACHE_CONTROL = 'public, max-age=300'

// On a phone and a tablet a row of a table is a block: what it is about, its type, its meaning. On a wide screen the contents stay in sight.
const STYLE = `:root{color-scheme:light dark}html{scroll-padding-top:1rem}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h3{margin-top:3rem;padding-top:1rem;border-top:1px solid #8886}h2 a,h3 a{color:inherit;text-decoration:none}h2 a:hover,h3 a:hover{text-decoration:underline}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #8886;padding:.4rem .6rem .4rem 0;text-align:left;vertical-align:top}
td:first-child{width:30%}td:nth-child(2){width:29%}code{font-size:.9em}pre{white-space:pre-wrap;border-left:2px solid #8886;padding-left:.8rem}td:first-child code{font-size:.85em;font-weight:600}
#contents+ul{padding:0;list-style:none}#contents+ul a{font:600 .9em ui-monospace,monospace}
@media(max-width:50rem){table,tbody,tr,td{display:block;width:auto!important}thead{position:absolute;clip-path:inset(50%)}
td{border:0;padding:0}tr{border-bottom:1px solid #8886;padding:.6rem 0}}
@media(min-width:80rem){body{max-width:none;margin:0;padding:1rem 2rem 1rem 24rem}main{max-width:60rem}
#contents{position:fixed;left:2rem;top:0;margin:0;padding:1rem 0 .5rem}
#contents+ul{position:fixed;left:2rem;top:3.5rem;bottom:0;width:19rem;overflow-y:auto;margin:0;font-size:.875rem}}`

/** The page needs its own style and nothing else: no script, no picture, no frame around it. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const TYPES = {
  '/openapi.json': 'application/json; charset=utf-8',
  '/reference': 'text/html; charset=utf-8',
  '/reference.md': 'text/markdown; charset=utf-8',
  '/errors.md': 'text/markdown; charset=utf-8',
} as const

/**
 * The reference, which needs no token: `GET /openapi.json` (OpenAPI 3.1), `GET /reference` for people and
 * `GET /reference.md` and `GET /errors.md` for programs that read. Made once, when the first of them is asked for.
 */
export function referenceRoutes(app: FastifyInstance, serverUrl: string, version: string): void {
  let made: Readonly<Record<string, string>> | undefined
  for (const [path, type] of Object.entries(TYPES)) {
    app.get(path, (_request, reply) => {
      made ??= makeTexts(serverUrl, version)
      return reply
        .headers({
          'cache-control': CACHE_CONTROL,
          'content-security-policy': POLICY,
          'access-control-allow-origin': '*',
        })
        .type(type)
        .send(made[path])
    })
  }
}

/** Headings are links to themselves, so that whoever reads one can pass it on. */
const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      const id = anchorOf(text)
      const inner = this.parser.parseInline(tokens)
      return `<h${depth} id="${id}">${depth === 1 ? inner : `<a href="#${id}">${inner}</a>`}</h${depth}>\n`
    },
  },
})

function makeTexts(serverUrl: string, version: string): Record<keyof typeof TYPES, string> {
  const document = openApiDocument(serverUrl, version)
  const markdown = referencePage(document)
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>VertexSMS REST API</title><style>${STYLE}</style></head><body><main>${marked.parse(markdown, { async: false })}</main></body></html>`
  return {
    '/openapi.json': JSON.stringify(document),
    '/reference': page,
    '/reference.md': markdown,
    '/errors.md': errorsPage(),
  }
}
