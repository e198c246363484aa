import { createHash } from 'node:crypto'
import { errorsPage } from '@vertexsms/contract/errors-page'
import { openApiDocument } from '@vertexsms/contract/openapi'
import { referencePage } from '@vertexsms/contract/reference'
import type { FastifyInstance } from 'fastify'
import { marked } from 'marked'

/** Nothing in it changes before the next release. */
const CACHE_CONTROL = 'public, max-age=300'

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h3{margin-top:2.5rem;overflow-wrap:anywhere}table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{border:1px solid #8886;padding:.3rem .6rem;text-align:left;vertical-align:top}code{font-size:.9em}`

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
