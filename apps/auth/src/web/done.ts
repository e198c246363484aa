import type { FastifyRequest } from 'fastify'

/** What is said of what was done before this page, named by `?done=`; null for none and for a name that stands for none. */
export function doneOf<Said>(request: FastifyRequest, said: Readonly<Record<string, Said>>): Said | null {
  const { done } = request.query as { done?: unknown }
  return typeof done === 'string' && Object.hasOwn(said, done) ? (said[done] ?? null) : null
}
