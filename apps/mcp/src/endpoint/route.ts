import { isJsonContentType, type JSONRPCRequest, type RequestId } from '@modelcontextprotocol/server'
import { JSON_DEPTH_MAX, JSON_VALUES_MAX, type JsonProblem, JsonRefused, readJson } from '@vertexsms/service/json'
import { clientLabel } from '@vertexsms/service/logger'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiClient } from '../api/client.ts'
import { ApiSession } from '../api/session.ts'
import type { Authenticate } from '../caller/bearer.ts'
import type { Caller } from '../caller/caller.ts'
import type { Challenges } from '../caller/challenge.ts'
import { Refusal } from '../caller/refusal.ts'
import { createClassifier, type Era } from '../protocol/classify.ts'
import { Exchange } from '../protocol/exchange.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { createMethodTable, type Registry } from '../protocol/methods.ts'
import { createAnswers, type OnDefect } from './answer.ts'
import { answerBatch } from './batch.ts'
import { HttpChannel } from './channel.ts'
import type { Limits } from './limits.ts'
import type { OriginPolicy } from './origin.ts'
import { sendJson, sendRefusal, sendRpcError } from './respond.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The API as this request sees it; there once the credentials were taken. */
    apiSession: ApiSession | undefined
  }
}

/** The parts of the MCP endpoint. */
export interface McpRouteDeps {
  readonly api: ApiClient
  readonly authenticate: Authenticate
  readonly challenges: Challenges
  readonly limits: Limits
  readonly origins: OriginPolicy
  readonly registry: Registry
}

/** The largest request body. */
export const BODY_LIMIT_BYTES = 256 * 1024

const PARSE_ERROR = { code: -32700, message: 'Parse error: the request body is not valid JSON' }
// Requests that are JSON, and yet not looked into.
const BODY_ERRORS: Readonly<Record<JsonProblem, { code: number; message: string }>> = {
  syntax: PARSE_ERROR,
  name: PARSE_ERROR,
  repeated: { code: -32600, message: 'Invalid request: an object in the body names a member twice; send it once' },
  depth: { code: -32600, message: `Invalid request: the body is nested deeper than ${JSON_DEPTH_MAX} levels` },
  size: { code: -32600, message: `Invalid request: the body holds more than ${JSON_VALUES_MAX} values` },
  text: { code: -32602, message: 'Invalid params: a text holds U+0000 or half of a surrogate pair' },
}
// What is wrong with the text of an argument, its tool tells by name.
const ARGUMENTS = ['params', 'arguments']
const METHOD_NOT_ALLOWED = { code: -32000, message: 'Method not allowed: send POST requests' }
const FORBIDDEN_CODE = -32000
const TOO_LARGE = { code: -32000, message: `The request body is larger than ${BODY_LIMIT_BYTES} bytes` }
const WRONG_TYPE = { code: -32000, message: 'Unsupported Media Type: send application/json' }
const INTERNAL = { code: -32603, message: 'Internal error' }

/**
 * The endpoint, `/mcp` with or without a trailing slash. In order: origin and host, credentials, the connection's
 * limit; for a credential that neither verified here nor was accepted lately, `GET /token`; the message; then either the
 * tool's own API call or `GET /token`, so that a deleted token gets 401 on the next request of any kind, before anything
 * else is said.
 */
export function registerMcpRoute(app: FastifyInstance, deps: McpRouteDeps): void {
  const { api, authenticate, challenges, limits, origins, registry } = deps
  const classify = createClassifier()
  const find = createMethodTable(registry)
  const answer = createAnswers(registry, find)

  function begin(caller: Caller): ApiSession {
    count(caller)
    return new ApiSession(api, challenges, caller)
  }

  function count(caller: Caller): void {
    const wait = limits.call(caller.callKey)
    if (wait > 0) throw new Refusal('RATE_LIMITED', { retryAfterSeconds: wait })
  }

  // At once where the token was verified before, so that the usual request waits for nothing but the API.
  function admit(request: FastifyRequest): undefined | Promise<void> {
    const caller = authenticate(request)
    if (caller instanceof Promise) return caller.then((known) => enter(request, begin(known)))
    return enter(request, begin(caller))
  }

  // Anybody can write something that could be a token: not a byte of the body is read for one that nobody vouches for.
  function enter(request: FastifyRequest, session: ApiSession): undefined | Promise<void> {
    request.apiSession = session
    return session.caller.lookup?.isKnown === false ? session.alive() : undefined
  }

  function sessionOf({ apiSession }: FastifyRequest): ApiSession {
    if (apiSession === undefined) throw new Error('a request that was not admitted')
    return apiSession
  }

  async function post(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const session = sessionOf(request)
    const { 'content-type': type = null, 'content-encoding': coding = 'identity' } = request.headers
    // Names of codings have no case (RFC 9110 §8.4.1).
    if (!isJsonContentType(type) || coding.toLowerCase() !== 'identity') {
      await session.alive()
      return sendRpcError(reply, 415, WRONG_TYPE)
    }
    let body: unknown
    try {
      body = readJson(rawBody(request), { anyTextBelow: ARGUMENTS, uniqueNames: true })
    } catch (error) {
      await session.alive()
      if (!(error instanceof JsonRefused)) throw error
      return sendRpcError(reply, 400, BODY_ERRORS[error.problem])
    }
    const message = classify(request.headers, body)
    switch (message.kind) {
      case 'request':
        return answerAlone(request, reply, session, message)
      case 'batch':
        return answerTogether(request, reply, session, message.requests)
      case 'accepted':
        await session.alive()
        return void reply.code(202).send()
      case 'rejected':
        await session.alive()
        return sendRpcError(reply, message.status, message.error, readableId(body))
    }
  }

  async function answerAlone(
    request: FastifyRequest,
    reply: FastifyReply,
    session: ApiSession,
    { era, message }: { readonly era: Era; readonly message: JSONRPCRequest },
  ): Promise<void> {
    const channel = new HttpChannel(reply, request.headers.accept)
    const exchange = new Exchange(era, message, session, channel)
    channel.onGone(() => {
      // A broken connection cancels in the modern era; in the older ones it explicitly does not.
      if (era === 'modern') exchange.cancel()
    })
    const given = await answer(exchange, logDefect(request))
    if (given.kind === 'message') channel.answer(given.status, given.text)
    else if (!channel.isOver) sendRefusal(reply, given.refusal)
  }

  async function answerTogether(
    request: FastifyRequest,
    reply: FastifyReply,
    session: ApiSession,
    requests: readonly JSONRPCRequest[],
  ): Promise<void> {
    // The first has been counted with the HTTP request.
    for (let counted = 1; counted < requests.length; counted++) count(session.caller)
    const given = await answerBatch(requests, session, find, answer, logDefect(request))
    if (reply.raw.destroyed) return
    if (given.kind === 'message') sendJson(reply, given.status, given.text)
    else sendRefusal(reply, given.refusal)
  }

  const logDefect =
    ({ log }: FastifyRequest): OnDefect =>
    (cause, exchange) => {
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

  async function other(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await sessionOf(request).alive()
    reply.header('allow', 'POST')
    sendRpcError(reply, 405, METHOD_NOT_ALLOWED)
  }

  // What is wrong with a body that nobody has looked at yet is told, as everything else, to a token that stands alone.
  function failUnread(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
    const tell = (reason: unknown) => fail(request, reply, reason)
    if (request.apiSession === undefined) tell(error)
    else request.apiSession.alive().then(() => tell(error), tell)
  }

  function fail(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
    if (reply.sent) return
    const { statusCode = 500 } = error as Partial<FastifyError>
    if (error instanceof Refusal) sendRefusal(reply, error)
    else if (statusCode === 413) sendRpcError(reply, 413, TOO_LARGE)
    else if (statusCode === 415) sendRpcError(reply, 415, WRONG_TYPE)
    else if (statusCode < 500) sendRpcError(reply, 400, PARSE_ERROR)
    else {
      logDefect(request)(error)
      sendRpcError(reply, 500, INTERNAL)
    }
  }

  const serve =
    (handle: (request: FastifyRequest, reply: FastifyReply) => Promise<void>) =>
    (request: FastifyRequest, reply: FastifyReply): void => {
      handle(request, reply).catch((error: unknown) => fail(request, reply, error))
    }

  app.register(async (zone) => {
    zone.decorateRequest('apiSession')
    zone.removeAllContentTypeParsers()
    zone.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) =>
      done(null, body),
    )
    zone.addHook('onRequest', (request, reply, done) => {
      const refusal = origins.refusal(request)
      if (refusal !== null) return sendRpcError(reply, 403, { code: FORBIDDEN_CODE, message: refusal })
      if (request.headers.origin !== undefined) origins.share(request, reply)
      // Asking what may be asked needs no credentials (Fetch, CORS preflight), and is answered before any body is read.
      if (request.method === 'OPTIONS') return origins.preflight(reply)
      const admitted = attempt(() => admit(request))
      if (admitted instanceof Promise) admitted.then(() => done(), done)
      else done(admitted)
    })
    zone.setErrorHandler((error, request, reply) => failUnread(request, reply, error))
    for (const url of ['/mcp', '/mcp/']) {
      zone.post(url, serve(post))
      zone.route({ method: ['OPTIONS', 'GET', 'DELETE', 'PUT', 'PATCH'], url, handler: serve(other) })
    }
  })
}

// What a hook has to pass on, where it is thrown at once.
function attempt(work: () => undefined | Promise<void>): undefined | Promise<void> | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}

function rawBody({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

// The id is echoed where the body is a single request that has one, and nowhere else.
function readableId(body: unknown): RequestId | undefined {
  if (typeof body !== 'object' || body === null || !('method' in body) || !('id' in body)) return undefined
  // One above what is exact would come back as another.
  return typeof body.id === 'string' || Number.isSafeInteger(body.id) ? (body.id as RequestId) : undefined
}
