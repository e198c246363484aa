import { type Json, type Operation, openApiDocument } from '@vertexsms/contract/openapi'
import { routeOf } from '@vertexsms/contract/routes'
import { prefersHtml } from '@vertexsms/service/accepts'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const document = openApiDocument('http://localhost:4002', '0.0.0')
const ajv = new Ajv2020({ strict: false, allErrors: false })
addFormats.default(ajv)
ajv.addSchema(document, 'api')
const compiled = new Map<string, ValidateFunction>()

/** The schema behind a reference of the document, or one that stands in it, compiled once. */
function validator(schema: Json): ValidateFunction {
  const key = JSON.stringify(schema)
  const known = compiled.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"#/components/', '"api#/components/')))
  compiled.set(key, known)
  return known
}

/** What was wrong with an answer; undefined where the document says just this. */
export function undocumented(
  operation: Operation,
  answer: { status: number; headers: Readonly<Record<string, unknown>>; body: string },
): string | undefined {
  const documented = operation.responses[String(answer.status)]
  if (documented === undefined) return `the status ${answer.status} is not documented`
  for (const [name, { schema }] of Object.entries(documented.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()]
    if (value !== undefined && !validator(schema)(String(value))) return `the header ${name}`
  }
  const content = documented.content ?? {}
  if (answer.body === '' && Object.keys(content).length === 0) return undefined
  const type = String(answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  const schema = content[type]?.schema
  if (schema === undefined) return `the media type '${type}' is not documented for ${answer.status}`
  const validate = validator(schema)
  if (validate(type === 'application/json' ? JSON.parse(answer.body) : answer.body)) return undefined
  return `${answer.status}: ${ajv.errorsText(validate.errors)} in ${answer.body.slice(0, 400)}`
}

/**
 * Holds every answer of the guarded routes against the document. Returns what was not as documented; call it before
 * routes are ready, and look when all is done.
 */
export function watchAnswers(app: FastifyInstance): readonly string[] {
  const wrong: string[] = []
  app.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const { url = '' } = request.routeOptions
    const path = url.replaceAll(/:(\w+)/g, '{$1}')
    const operation = document.paths[path]?.[request.method.toLowerCase()]
    // Other methods, HEAD among them, and addresses that do not exist are no part of the document.
    if (routeOf(request.method, url) === undefined || operation === undefined) return payload
    // A refusal that a person opened in a browser is a page, which the document for programs does not tell.
    if (reply.statusCode >= 400 && prefersHtml(request.headers)) return payload
    const problem = undocumented(operation, {
      status: reply.statusCode,
      headers: reply.getHeaders(),
      body: payload === null || payload === undefined ? '' : String(payload),
    })
    if (problem !== undefined) wrong.push(`${request.method} ${path}: ${problem}`)
    return payload
  })
  return wrong
}
