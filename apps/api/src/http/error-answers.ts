import { isUnreachable } from '@vertexsms/db/unreachable'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from './api-error.ts'
import { challenge } from './challenge.ts'

/** Seconds after which a caller may try again when a part of ours is down. */
const RETRY_AFTER_SECONDS = 2

/** The refusal that says that a part of ours is down. */
export function unavailable(): ApiError {
  return new ApiError('UNAVAILABLE', { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } })
}

/** Turns whatever was thrown into a refusal of the catalogue; an error of our own making stays `INTERNAL`. */
export function toApiError(error: FastifyError | Error): ApiError {
  if (error instanceof ApiError) return error
  const code = 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new ApiError('TOO_LARGE')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new ApiError('UNSUPPORTED_MEDIA_TYPE')
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (status === 503) return unavailable()
  if (status !== undefined && status >= 400 && status < 500) return new ApiError('INVALID_INPUT')
  return isUnreachable(error) ? unavailable() : new ApiError('INTERNAL')
}

function send(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.status === 401) reply.headers(challenge(error.code === 'TOKEN_MISSING' ? undefined : 'invalid_token'))
  return reply.code(error.status).headers(error.headers).send(error.body)
}

/** Answers every failure with the one error body `{message, code, error_code}`. */
export function errorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toApiError(error)
  if (known.code === 'INTERNAL') {
    // Undefined where no guard stands before the route, or it did not let the request in.
    const { token } = request as { readonly token?: { readonly connectionId: string | null } }
    request.log.error({ err: error, connectionId: token?.connectionId }, 'request failed')
  }
  return send(reply, known)
}

/** Answers unknown addresses with the same body. */
export function notFoundHandler(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(reply, new ApiError('NOT_FOUND'))
}
