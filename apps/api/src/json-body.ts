import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error.ts'

/** What no text of a message, name or URL can hold: the null character, and halves of surrogate pairs. */
const UNUSABLE = /[\0\p{Surrogate}]/u

/** How such characters come in through sound UTF-8: as escapes. Most bodies have none, and are not searched. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads bodies as JSON in UTF-8 (RFC 8259 §8.1) and nothing else. Bytes that are no UTF-8, and escapes that stand for
 * no character, are refused as INVALID_INPUT: replaced silently, they would change the text that is sent.
 */
export function registerJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string
    try {
      text = utf8.decode(body as Buffer)
    } catch {
      done(new ApiError('INVALID_INPUT', { message: 'The body is not UTF-8.' }))
      return
    }
    parse(request, text, (error, value) => {
      if (error || !SUSPECT.test(text) || !holdsUnusable(value)) done(error, value)
      else done(new ApiError('INVALID_INPUT', { message: 'The body holds characters that no text may have.' }))
    })
  })
}

/** Looks through names and strings at any depth; a list instead of recursion, since the depth is the caller's choice. */
function holdsUnusable(value: unknown): boolean {
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'string' && UNUSABLE.test(next)) return true
    if (typeof next === 'object' && next !== null) {
      for (const [name, member] of Object.entries(next)) left.push(name, member)
    }
  }
  return false
}
