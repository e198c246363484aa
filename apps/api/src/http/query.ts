import { namesToken } from '@vertexsms/contract/api-token'
import type { FastifyRequest } from 'fastify'
import type * as z from 'zod'
import { ApiError } from './api-error.ts'

/** The spelling of a parameter; anything else may be a secret or a person's number, and is not repeated. */
const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_]{0,19}$/

const TOKEN_IN_ADDRESS =
  'A token does not belong in the address, where it is logged on its way. Send it in X-VertexSMS-Token or in Authorization, and replace a token that was sent this way.'

/**
 * Brings the query of a request to the names of its schema, in whatever case they came, so that its route reads them.
 * Throws INVALID_INPUT, without any value, for a token in the address, a name that the route does not take and one that
 * stands twice: silently left out, it would have meant something to whoever sent it.
 */
export function readQueryNames(request: FastifyRequest, schema: z.ZodObject | undefined): void {
  const taken = Object.keys(schema?.shape ?? {})
  const read: Record<string, string> = {}
  for (const [written, value] of Object.entries(request.query as Record<string, string | string[]>)) {
    const name = taken.find((one) => one.toLowerCase() === written.toLowerCase())
    if (name === undefined) throw notTaken(written, taken)
    if (Array.isArray(value) || read[name] !== undefined) {
      throw refused(`The query parameter '${name}' stands twice. Send it once.`)
    }
    read[name] = value
  }
  request.query = read
}

function notTaken(written: string, taken: readonly string[]): ApiError {
  if (namesToken(written)) return refused(TOKEN_IN_ADDRESS)
  const which = PLAIN_NAME.test(written) ? `no query parameter '${written}'` : 'no such query parameter'
  const instead = taken.length === 0 ? 'It takes none.' : `It takes ${taken.map((name) => `'${name}'`).join(' and ')}.`
  return refused(`This route takes ${which}. ${instead}`)
}

function refused(message: string): ApiError {
  return new ApiError('INVALID_INPUT', { message })
}
