import { clientLabel } from '@vertexsms/service/logger'
import { HostNamedTwice } from '@vertexsms/service/request-host'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../caller/refusal.ts'
import { ToolFailure } from '../protocol/failure.ts'
import type { OnDefect } from './answer.ts'
import { sendRefusal, sendRpcError } from './respond.ts'

/** The largest request body. */
export const BODY_LIMIT_BYTES = 256 * 1024

/** What is said of a body that is no JSON. */
export const PARSE_ERROR = { code: -32700, message: 'Parse error: the request body is not valid JSON' }
/** What is said of a body in another form. */
export const WRONG_TYPE = { code: -32000, message: 'Unsupported Media Type: send application/json' }
/** What is said of a body that is compressed, whatever its type. */
export const ENCODED = {
  code: -32000,
  message: 'Unsupported Media Type: send the body as it is, without a Content-Encoding',
}
const TOO_LARGE = { code: -32000, message: `The request body is larger than ${BODY_LIMIT_BYTES} bytes` }
const TWO_HOSTS = { code: -32000, message: 'Bad Request: send the Host header once' }
const INTERNAL = { code: -32603, message: 'Internal error' }

/** Writes down what nobody foresaw, with the tool and the client it happened to. */
export function logDefect({ log }: FastifyRequest): OnDefect {
  return (cause, exchange) => {
    const { tool, session } = exchange ?? {}
    const clientId = session?.caller.clientId
    const members = {
      err: cause,
      tool,
      ...(cause instanceof ToolFailure && { reason: cause.code }),
      ...(clientId && { clientId: clientLabel(clientId) }),
    }
    log.error(members, tool === undefined ? 'request failed' : 'tool failed')
  }
}

/** Answers a request for which something was thrown; does nothing where an answer is on its way. */
export function fail(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  if (reply.sent) return
  const { statusCode = 500 } = error as Partial<FastifyError>
  if (error instanceof Refusal) sendRefusal(reply, error)
  else if (statusCode === 413) sendRpcError(reply, 413, TOO_LARGE)
  else if (statusCode === 415) sendRpcError(reply, 415, WRONG_TYPE)
  else if (error instanceof HostNamedTwice) sendRpcError(reply, 400, TWO_HOSTS)
  else if (statusCode < 500) sendRpcError(reply, 400, PARSE_ERROR)
  else {
    logDefect(request)(error)
    sendRpcError(reply, 500, INTERNAL)
  }
}

/**
 * The same for a body that nobody has looked at yet: what is wrong with it is told, as everything else, to a token that
 * stands alone.
 */
export function failUnread(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const tell = (reason: unknown) => fail(request, reply, reason)
  if (request.apiSession === undefined) tell(error)
  else request.apiSession.alive().then(() => tell(error), tell)
}
