// Everything between our HTTP server and the library's: which requests reach it, how their bodies are read, and what its
// answers are changed to. One file, because the order of these steps is what makes them safe.
import type { Database } from '@vertexsms/db/client'
import { type JsonProblem, JsonRefused, readJson } from '@vertexsms/service/json'
import { checkEncoded, readForm } from '@vertexsms/service/text'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type LimitName, SIZES } from '../service-limits.ts'
import { comeAgain, OAUTH_UNAVAILABLE, RETRY_AFTER_SECONDS, statusOfFailure } from '../web/outage.ts'
import { pageHeaders, sendFailure } from '../web/page.ts'
import type { RateLimiter } from '../web/rate-limit.ts'
import { normalizeMetadata, RegistrationRefused } from './clients/registration.ts'
import { createEndpointLimits, type GuardedPath } from './endpoint-limits.ts'
import type { LiveProvider } from './live-provider.ts'
import { serverMetadata } from './metadata.ts'
import { noteRequest } from './request/address.ts'
import {
  authorizationParameters,
  oversizedParameter,
  pushedParameters,
  queryOf,
  type Resources,
  tokenParameters,
} from './request/parameters.ts'
import { PATHS } from './request/paths.ts'
import { requestWithBody } from './request/with-body.ts'

/** What the OAuth zone needs. */
export interface OAuthDeps {
  readonly issuer: string
  readonly resources: Resources
  readonly provider: LiveProvider
  readonly db: Database
  readonly limiter: RateLimiter
  /** True when clients may be known by a metadata document. */
  readonly clientDocuments: boolean
}

const METADATA_MAX_AGE_SECONDS = 300
const FORM = 'application/x-www-form-urlencoded'

/**
 * The OAuth endpoints. The library answers on the raw response; what it must not be trusted with is settled before:
 * host and protocol are the configured issuer's, bodies are limited and brought into one spelling, and every answer
 * carries the page headers, because an error may be a page.
 */
export async function registerOAuth(app: FastifyInstance, deps: OAuthDeps): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: SIZES.oauthBodyBytes }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler(sendOAuthError)

  const { limiter } = deps
  const limited = (name: LimitName) => ({ preHandler: limitByAddress(limiter, name) })
  const guard = createEndpointLimits(deps)
  // Each form is read once, for the limits and for the library: what one of them read otherwise would be let through.
  const guarded =
    (path: GuardedPath, rewrite = asSent) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const body = rawBody(request)
      const form = isForm(request) ? rewrite(readForm(body)) : null
      const verdict = await guard(path, request, form ?? new URLSearchParams())
      if (!verdict.allowed) return tooMany(reply, verdict.retryAfterSeconds)
      return pass(deps, asProgram(request), reply, form === null ? body : Buffer.from(form.toString()))
    }
  // The library answers browsers alone, which name the method they are about to use (Fetch, CORS preflight).
  const preflight = async (request: FastifyRequest, reply: FastifyReply) => {
    const { origin, 'access-control-request-method': method } = request.headers
    if (origin && method) return pass(deps, asProgram(request), reply, Buffer.alloc(0))
    return reply.code(204).headers(openCors('POST')).send()
  }

  registerMetadata(app, deps)

  const person = { errorHandler: sendAuthorizationError }
  app.get(PATHS.authorization, { ...person, preHandler: limitAuthorization(deps) }, async (request, reply) => {
    request.raw.url = `${PATHS.authorization}?${authorizationParameters(queryOf(request.raw.url), deps.resources)}`
    return pass(deps, request, reply)
  })
  // It takes place once: HEAD, which changes nothing (RFC 9110 §9.2.1), is not for it.
  const once = { ...person, exposeHeadRoute: false }
  app.get<{ Params: { uid: string } }>(`${PATHS.authorization}/:uid`, once, async (request, reply) => {
    checkEncoded(request.url)
    const { uid } = request.params
    // Our router takes an empty one, and the library that address for the endpoint: past all that is settled above.
    if (uid === '') return reply.callNotFound()
    request.raw.url = `${PATHS.authorization}/${encodeURIComponent(uid)}`
    return pass(deps, request, reply)
  })

  app.post(
    PATHS.token,
    guarded(PATHS.token, (params) => tokenParameters(params, deps.resources)),
  )
  app.post(
    PATHS.pushedRequest,
    guarded(PATHS.pushedRequest, (params) => {
      // What proves the client is not stored, and may be longer.
      const problem = oversizedParameter(authorizationParameters(params, deps.resources))
      if (problem !== null) throw new ParametersTooLong(problem)
      return pushedParameters(params, deps.resources)
    }),
  )
  app.post(PATHS.revocation, guarded(PATHS.revocation))
  app.post(PATHS.introspection, guarded(PATHS.introspection))
  for (const url of [PATHS.token, PATHS.pushedRequest, PATHS.revocation, PATHS.introspection]) {
    app.options(url, preflight)
  }

  app.options(PATHS.registration, async (_request, reply) => reply.code(204).headers(openCors('POST')).send())
  app.post(PATHS.registration, limited('registration'), async (request, reply) => {
    const metadata = Buffer.from(JSON.stringify(normalizeMetadata(readMetadata(request))))
    if (metadata.length > SIZES.clientMetadataBytes) {
      const text = `the metadata may have ${SIZES.clientMetadataBytes} bytes`
      throw new RegistrationRefused('invalid_client_metadata', text)
    }
    reply.raw.setHeader('access-control-allow-origin', '*')
    return pass(deps, asProgram(request), reply, metadata)
  })
}

/** Metadata and keys: constant between key changes, open to every origin, cached for five minutes. */
function registerMetadata(app: FastifyInstance, { issuer, provider, clientDocuments }: OAuthDeps): void {
  const document = JSON.stringify(serverMetadata(issuer, { clientDocuments }))
  const headers = {
    ...openCors('GET'),
    'cache-control': `public, max-age=${METADATA_MAX_AGE_SECONDS}`,
    'content-type': 'application/json; charset=utf-8',
  }
  for (const url of [PATHS.oauthMetadata, PATHS.openidMetadata, PATHS.jwks]) {
    app.options(url, async (_request, reply) => reply.code(204).headers(openCors('GET')).send())
  }
  for (const url of [PATHS.oauthMetadata, PATHS.openidMetadata]) {
    app.get(url, async (_request, reply) => reply.headers(headers).send(document))
  }
  app.get(PATHS.jwks, async (_request, reply) => reply.headers(headers).send(JSON.stringify(provider.keySet())))
}

/** Hands the request to the library, which writes the answer itself. */
async function pass(
  deps: OAuthDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  body?: Buffer,
): Promise<FastifyReply> {
  const raw = body ? requestWithBody(request.raw, body) : request.raw
  noteRequest(raw, { address: request.ip, log: request.log })
  const { host, protocol } = new URL(deps.issuer)
  raw.headers.host = host
  raw.headers['x-forwarded-proto'] = protocol.slice(0, -1)
  delete raw.headers['x-forwarded-host']
  const { 'content-type': _, ...headers } = pageHeaders('message')
  for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value)
  reply.hijack()
  await deps.provider.handle(raw, reply.raw)
  return reply
}

/**
 * Programs get JSON (RFC 6749 §5.2) whatever they accept: the library would answer one that names `text/html` first, as
 * Java's own client does, with a page. It knows the endpoints by one spelling, and we by each that is equal (RFC 3986
 * §6.2.2.2).
 */
function asProgram(request: FastifyRequest): FastifyRequest {
  request.raw.headers.accept = 'application/json'
  // A body of no type is one that we do not know (RFC 9110 §8.3); the library would take it for an empty one.
  request.raw.headers['content-type'] ??= 'application/octet-stream'
  request.raw.url = request.routeOptions.url
  return request
}

function asSent(params: URLSearchParams): URLSearchParams {
  return params
}

/** Names of types have no case, and parameters behind them (RFC 9110 §8.3.1). */
function isForm({ headers }: FastifyRequest): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1)
  return type.trim().toLowerCase() === FORM
}

function rawBody(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

const METADATA_PROBLEMS: Readonly<Record<JsonProblem, string>> = {
  syntax: 'the request body is not JSON',
  depth: 'the request body is nested too deeply',
  size: 'the request body holds too many values',
  repeated: 'the request body names a member twice',
  text: 'the request body holds U+0000 or half of a surrogate pair',
  name: 'the request body has a member that no client has',
}

function readMetadata(request: FastifyRequest): unknown {
  try {
    return readJson(rawBody(request), { uniqueNames: true })
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    const code = error.path[0] === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
    throw new RegistrationRefused(code, METADATA_PROBLEMS[error.problem])
  }
}

function limitByAddress(limiter: RateLimiter, name: LimitName) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const verdict = await limiter.hit(name, { address: request.ip })
    return verdict.allowed ? undefined : tooMany(reply, verdict.retryAfterSeconds)
  }
}

/**
 * Authorization requests leave a row, and anybody's browser can be made to send them: limited by address, and in what
 * they may hold. Both are pages, for a person waits.
 */
function limitAuthorization({ limiter, resources }: OAuthDeps) {
  return async (request: FastifyRequest): Promise<void> => {
    const params = authorizationParameters(queryOf(request.raw.url), resources)
    if (oversizedParameter(params) !== null) throw new RequestRefused(400)
    const verdict = await limiter.hit('authorization', { address: request.ip })
    if (!verdict.allowed) throw new RequestRefused(429, verdict.retryAfterSeconds)
  }
}

/** A pushed authorization request that may not be stored; the message is safe to return. */
class ParametersTooLong extends Error {
  override readonly name = 'ParametersTooLong'
  readonly statusCode = 400
}

/** An authorization request that goes no further; answered with a page. */
class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
  readonly statusCode: number
  readonly retryAfterSeconds: number | undefined

  constructor(statusCode: number, retryAfterSeconds?: number) {
    super('The authorization request was refused.')
    this.statusCode = statusCode
    this.retryAfterSeconds = retryAfterSeconds
  }
}

function tooMany(reply: FastifyReply, retryAfterSeconds: number): FastifyReply {
  return reply
    .code(429)
    .headers({
      ...comeAgain(retryAfterSeconds),
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
    })
    .send({
      error: 'temporarily_unavailable',
      error_description: 'too many requests; wait for the time in Retry-After',
    })
}

/** The authorization endpoint is where a person waits: what goes wrong there is a page. */
function sendAuthorizationError(
  error: Error & { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const status = statusOfFailure(error)
  if (status >= 500) request.log.error({ err: error }, 'oauth request failed')
  const retryAfterSeconds = error instanceof RequestRefused ? error.retryAfterSeconds : RETRY_AFTER_SECONDS
  if (status === 503 || status === 429) reply.header('retry-after', String(retryAfterSeconds))
  sendFailure(reply, status)
}

/** Errors of our own before the library is reached, in its shape (RFC 6749 §5.2, RFC 7591 §3.2.2). */
function sendOAuthError(error: Error & { statusCode?: number }, request: FastifyRequest, reply: FastifyReply): void {
  const status = error instanceof RegistrationRefused ? 400 : statusOfFailure(error)
  if (status >= 500) request.log.error({ err: error }, 'oauth request failed')
  const body =
    error instanceof RegistrationRefused
      ? { error: error.error, error_description: error.message }
      : error instanceof ParametersTooLong
        ? { error: 'invalid_request', error_description: error.message }
        : status === 503
          ? OAUTH_UNAVAILABLE
          : status >= 500
            ? { error: 'server_error', error_description: 'the request failed on our side' }
            : status === 413
              ? {
                  error: 'invalid_request',
                  error_description: `the request body may have ${SIZES.oauthBodyBytes} bytes`,
                }
              : { error: 'invalid_request', error_description: 'the request could not be read' }
  if (status === 503) reply.headers(comeAgain())
  reply.code(status).headers({ 'cache-control': 'no-store', 'access-control-allow-origin': '*' }).send(body)
}

function openCors(method: string): Record<string, string> {
  return {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': method,
    'access-control-allow-headers':
      'content-type, mcp-protocol-version, authorization, traceparent, tracestate, baggage',
    'access-control-max-age': '3600',
  }
}
