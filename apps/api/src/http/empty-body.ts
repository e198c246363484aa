import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from './api-error.ts'

/** What says how a body is written, which there is none of. */
const BODY_HEADERS = ['content-type', 'content-length', 'transfer-encoding'] as const

/** Whatever comes first of these says whether there is a body. */
const SIGNS = ['readable', 'end', 'error', 'close'] as const

/**
 * Lets a request without content pass as one without a body where its route takes none, whatever its headers say of it
 * (RFC 9112 §6.3): libraries name a content type out of habit. Content is left to the parsers, and so is every request of
 * a route that takes a body.
 */
export function passEmptyBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, _reply, payload: Readable) => {
    if (!takesNoBody(request) || hasLength(request) || !(await isEmpty(payload))) return
    for (const name of BODY_HEADERS) delete request.raw.headers[name]
  })
}

function takesNoBody({ method, routeOptions }: FastifyRequest): boolean {
  const { definition } = routeOptions.config
  // The body of a GET is read by nobody.
  return definition !== undefined && definition.body === undefined && method !== 'GET' && method !== 'HEAD'
}

/** Said by the headers alone: what is too long or of another type is refused before any of it has come. */
function hasLength({ headers }: FastifyRequest): boolean {
  return Number(headers['content-length'] ?? 0) > 0
}

/** Waits for the first octets or the end, and takes nothing. Throws INVALID_INPUT for a body that breaks off. */
async function isEmpty(payload: Readable): Promise<boolean> {
  if (payload.readableLength === 0 && !payload.readableEnded && !payload.destroyed) await firstSign(payload)
  if (payload.readableAborted) throw new ApiError('INVALID_INPUT')
  return payload.readableLength === 0
}

function firstSign(payload: Readable): Promise<void> {
  return new Promise((resolve) => {
    const seen = () => {
      for (const sign of SIGNS) payload.off(sign, seen)
      resolve()
    }
    for (const sign of SIGNS) payload.on(sign, seen)
  })
}
