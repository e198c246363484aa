import type { FastifyRequest } from 'fastify'

/** The text of one field of a form; the empty text where it is missing or was sent twice. */
export function textField(request: FastifyRequest, name: string): string {
  const value = (request.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}
