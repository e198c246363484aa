import { checkEncoded, readForm } from '@vertexsms/service/text'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/**
 * Makes a zone read forms, and nothing else: a field is a string, a repeated one a list of them. Addresses and forms
 * that hold what no text can (see {@link readForm}) are refused with 400 before anything looks at them.
 */
export function registerFormBodies(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => checkEncoded(request.url))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, readFields)
}

async function readFields(_request: FastifyRequest, body: Buffer): Promise<Record<string, string | string[]>> {
  const form = readForm(body)
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const name of new Set(form.keys())) {
    const [first = '', ...others] = form.getAll(name)
    fields[name] = others.length === 0 ? first : [first, ...others]
  }
  return fields
}
