import type { FastifyRequest } from 'fastify'

/** The sentence for what was done before this page, named by `?done=`; null for none and for a name that stands for none. */
export function doneText(request: FastifyRequest, sentences: Readonly<Record<string, string>>): string | null {
  const { done } = request.query as { done?: unknown }
  return typeof done === 'string' && Object.hasOwn(sentences, done) ? (sentences[done] ?? null) : null
}
