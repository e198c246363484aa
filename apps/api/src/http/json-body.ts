import { type JsonProblem, JsonRefused, readJson } from '@vertexsms/service/json'
import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error.ts'

/** A name or place that may stand in an answer: the spelling of our own fields, never a sentence or a number of a person. */
const PLAIN_NAME = /^(?:[A-Za-z]\w{0,39}|\d{1,4})$/

const SENTENCES: Readonly<Record<JsonProblem, string>> = {
  syntax: 'The body is not JSON in UTF-8.',
  depth: 'The body is nested too deeply.',
  size: 'The body holds too many values.',
  repeated: 'it stands in the body more than once; send it once.',
  text: 'it holds characters that no text may have (U+0000, or half of a surrogate pair); leave them out.',
  name: 'The body has a field that no route takes.',
}

/**
 * Reads bodies as JSON in UTF-8 (RFC 8259 §8.1) and nothing else. What is no JSON, nested too deeply, names a field
 * twice or holds characters that no text may have is refused as INVALID_INPUT: replaced or chosen silently, it would
 * change what is sent.
 */
export function registerJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    let value: unknown
    try {
      value = readJson(body as Buffer, { uniqueNames: true })
    } catch (error) {
      done(error instanceof JsonRefused ? refusal(error) : (error as Error))
      return
    }
    done(null, value)
  })
}

function refusal({ problem, path }: JsonRefused): ApiError {
  const sentence = SENTENCES[problem]
  if (problem !== 'repeated' && problem !== 'text') return new ApiError('INVALID_INPUT', { message: sentence })
  const isPlain = path.length > 0 && path.every((name) => PLAIN_NAME.test(name))
  const where = isPlain ? `Invalid value for field '${path.join('.')}'` : 'Invalid value for a field'
  return new ApiError('INVALID_INPUT', { message: `${where}: ${sentence}` })
}
