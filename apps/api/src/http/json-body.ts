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

const ENCODED = 'Send the body as it is, without a Content-Encoding.'

/**
 * Reads bodies as JSON in UTF-8 (RFC 8259 §8.1) and nothing else. What is no JSON, nested too deeply, names a field
 * twice or holds characters that no text may have is refused as INVALID_INPUT: replaced or chosen silently, it would
 * change what is sent. What is no JSON because it is encoded is refused as UNSUPPORTED_MEDIA_TYPE (RFC 9110 §8.4).
 */
export function registerJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, ({ headers }, body, done) => {
    let value: unknown
    try {
      value = readJson(body as Buffer, { uniqueNames: true })
    } catch (error) {
      done(error instanceof JsonRefused ? refusal(error, headers['content-encoding']) : (error as Error))
      return
    }
    done(null, value)
  })
}

// A body that can be read is, whatever a client says of it: some name its character set here.
function refusal({ problem, path }: JsonRefused, coding = 'identity'): ApiError {
  // Names of codings have no case (RFC 9110 §8.4.1).
  if (problem === 'syntax' && coding.toLowerCase() !== 'identity') {
    return new ApiError('UNSUPPORTED_MEDIA_TYPE', { message: ENCODED })
  }
  const sentence = SENTENCES[problem]
  if (problem !== 'repeated' && problem !== 'text') return new ApiError('INVALID_INPUT', { message: sentence })
  const isPlain = path.length > 0 && path.every((name) => PLAIN_NAME.test(name))
  const where = isPlain ? `Invalid value for field '${path.join('.')}'` : 'Invalid value for a field'
  return new ApiError('INVALID_INPUT', { message: `${where}: ${sentence}` })
}
