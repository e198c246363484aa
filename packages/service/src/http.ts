// One file, because the end of a connection is told from everything that it still owes: behind an answer, and while stopping.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { closeLingering, isLingering } from './lingering-close.ts'
import type { Logger } from './logger.ts'
import { type Exchanges, plainError, refuseUnread } from './plain-error.ts'
import { HostNamedTwice, namesHostTwice, toOriginForm } from './request-host.ts'
import { RequestLogger } from './request-logger.ts'
import { within } from './within.ts'

/** What a service tells its HTTP server. */
export interface HttpOptions {
  service: string
  logger: Logger
  /** See `trustProxySchema`. */
  trustProxy: boolean | number | string
  /** No route takes a longer body. */
  bodyLimitBytes: number
  /** For the whole request to arrive; a slower one gets 408. */
  requestTimeoutMs: number
  /** Whether the service can do its work now: its database answers, its keys are there. A rejection means no. */
  ready: () => Promise<boolean>
  /** Replaces the root error handler. Zones set their own with `setErrorHandler` in their plugin. */
  errorHandler?: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => unknown
  /** Replaces the root answer to unknown routes. */
  notFoundHandler?: (request: FastifyRequest, reply: FastifyReply) => unknown
}

/** Longer than the idle time of usual load balancers (60 s), so that they close first and no request meets a closed door. */
const KEEP_ALIVE_MS = 65_000
const HEADERS_TIMEOUT_MS = 10_000
const READY_TIMEOUT_MS = 2_000
const DRAIN_SWEEP_MS = 50
/** A connection opened a moment before the stop gets this long to send the request it was opened for. */
const UNUSED_GRACE_MS = 500
/** UUID or 16 bytes in hex (W3C trace id): nothing else a caller sends gets into our logs. */
const REQUEST_ID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i

/**
 * A Fastify instance with what every service shares: request ids, one log line per answer, `/healthz` (the process
 * lives), `/readyz` (it can serve; 503 otherwise and while it stops), errors without their messages, and a close that
 * lets requests in flight finish and ends idle keep-alive connections at once.
 */
export function createHttp(options: HttpOptions): FastifyInstance {
  const onError = options.errorHandler ?? hideError
  const connections = new Map<Socket, Connection>()
  const app = fastify({
    loggerInstance: new RequestLogger(options.logger) as unknown as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => requestId(request.headers['x-request-id']),
    requestIdHeader: false,
    trustProxy: trusted(options.trustProxy),
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: Math.min(HEADERS_TIMEOUT_MS, options.requestTimeoutMs) },
    // A request on an open connection was accepted: it is served, with `Connection: close`, even while stopping.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refuseUnread(error, socket, connections.get(socket)),
    // No hook sees these: the address has no route. A cache may keep some of them where nothing is said of it.
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request as FastifyRequest, reply as FastifyReply)
      oweAnswer(connections, reply.raw as ServerResponse)
      reply.header('cache-control', 'no-store')
      void onError(error, request as FastifyRequest, reply as FastifyReply)
    },
  }) as unknown as FastifyInstance

  app.setErrorHandler(onError)
  app.setNotFoundHandler(options.notFoundHandler ?? ((_request, reply) => reply.code(404).send({ error: 'Not Found' })))
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply)
    forgetPorts(request.raw)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url
    if (route !== '/healthz' && route !== '/readyz' && options.logger.isLevelEnabled('info')) {
      const { statusCode: status } = reply.raw
      request.log.info(
        { method: request.method, route: route ?? '*', status, durationMs: Math.round(reply.elapsedTime) },
        'request',
      )
    }
    done()
  })
  app.server.prependListener('request', toOriginForm)
  // Node would have it sent, and the end of the connection could overtake the answer (RFC 9110 §10.1.1).
  app.server.on('checkContinue', (request, response) => {
    const isTooLong = Number(request.headers['content-length']) > options.bodyLimitBytes
    if (!isTooLong) response.writeContinue()
    app.server.emit('request', request, response)
  })
  addHealth(app, options)
  addDrain(app, connections)
  // Behind the drain, which is to know of every request, refused or not.
  app.addHook('onRequest', (request, _reply, done) => {
    done(namesHostTwice(request.raw) ? new HostNamedTwice('The request names its host twice.') : undefined)
  })
  return app
}

/** A number of hops means: the last that many addresses of X-Forwarded-For were written by our own proxies. */
function trusted(setting: HttpOptions['trustProxy']): boolean | string | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting
}

/** The caller's id when it has a safe shape, else a new one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given.toLowerCase() : randomUUID()
}

function statusOf(error: FastifyError): number {
  const status = error.statusCode ?? 500
  return status >= 400 && status <= 599 ? status : 500
}

function hideError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (statusOf(error) >= 500) request.log.error({ err: error }, 'request failed')
  return sendPlainError(error, reply)
}

/** The status and its standard phrase; never the error's own text. */
function sendPlainError(error: FastifyError, reply: FastifyReply): FastifyReply {
  const status = statusOf(error)
  return reply.code(status).send(plainError(status))
}

/** On the raw response, so that replies handed to another library carry them too. */
function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.raw.setHeader('x-request-id', request.id)
  reply.raw.setHeader('x-content-type-options', 'nosniff')
}

/** An IPv4 address with a port, and an IPv6 one in brackets, with a port or without, as a URL writes them (RFC 3986 §3.2.2). */
const AS_IN_A_URL = /^(?:((?:\d{1,3}\.){3}\d{1,3}):\d{1,5}|\[([\da-f:.]{2,45})\](?::\d{1,5})?)$/i

/** Some proxies write the port of a connection beside its address, by which no address would be known or trusted. */
function forgetPorts({ headers }: IncomingMessage): void {
  const forwarded = headers['x-forwarded-for']
  if (typeof forwarded !== 'string') return
  const addresses = forwarded.split(',').map((entry) => entry.trim().replace(AS_IN_A_URL, '$1$2'))
  headers['x-forwarded-for'] = addresses.join(', ')
}

function addHealth(app: FastifyInstance, { service, ready }: HttpOptions): void {
  let stopping = false
  app.addHook('preClose', async () => {
    stopping = true
  })
  app.get('/healthz', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok', service }))
  app.get('/readyz', async (_request, reply) => {
    const can = !stopping && (await isReady(ready))
    return reply
      .code(can ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: can ? 'ready' : 'unavailable', service })
  })
}

async function isReady(ready: () => Promise<boolean>): Promise<boolean> {
  let can = false
  const look = async () => {
    can = await ready()
  }
  await within(look(), READY_TIMEOUT_MS).catch(() => {})
  return can
}

/** What is known of a connection; forgotten with it, for an answer whose client has gone never ends. */
interface Connection extends Exchanges {
  carriedRequest: boolean
  readonly owed: ServerResponse[]
  unread: IncomingMessage | undefined
}

function openConnection(connections: Map<Socket, Connection>, socket: Socket): Connection {
  const connection: Connection = { carriedRequest: false, owed: [], unread: undefined }
  connections.set(socket, connection)
  // By which Node ends a connection behind its last answer, whatever of the request was not read.
  const { destroySoon } = socket
  socket.destroySoon = () => {
    const last = connection.owed.at(-1)?.req ?? connection.unread
    if (last?.complete === false && !isLingering(socket)) closeLingering(socket)
    else destroySoon.call(socket)
  }
  socket.once('close', () => connections.delete(socket))
  return connection
}

/** True for an answer that says, or will say, that its connection ends behind it. */
function isLast(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || response.getHeader('connection') === 'close'
}

/** Notes a request that came, and its answer until it has ended. */
function oweAnswer(connections: Map<Socket, Connection>, response: ServerResponse): void {
  const { req: request } = response
  // One of an injected request was not seen to open.
  const connection = connections.get(request.socket) ?? openConnection(connections, request.socket)
  connection.carriedRequest = true
  connection.unread = undefined
  connection.owed.push(response)
  response.once('close', () => {
    connection.owed.splice(connection.owed.indexOf(response), 1)
    if (!request.complete) connection.unread = request
  })
}

/**
 * Ends every connection as soon as it is idle. Answers still owed say `Connection: close`, so that no client sends its
 * next request into a closing door. The sweep takes what became idle after the server began to close, and spare
 * connections that never carried a request, which Node does not count as idle: either would hold the process.
 */
function addDrain(app: FastifyInstance, connections: Map<Socket, Connection>): void {
  app.server.on('connection', (socket) => openConnection(connections, socket))
  const { closeIdleConnections } = app.server
  app.server.closeIdleConnections = () => {
    // To Node a connection is idle whose answer was handed to it, though the client has but a part of it.
    const owing = [...connections].filter(([, { owed }]) => owed.length > 0).map(([socket]) => socket)
    for (const socket of owing) socket.destroy = () => socket
    closeIdleConnections.call(app.server)
    for (const socket of owing) Reflect.deleteProperty(socket, 'destroy')
  }
  // Node would answer other expectations than 100-continue past all hooks; they may be left unmet (RFC 9110 §10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.server.on('connect', (_request, socket: Socket) => {
    const connection = connections.get(socket)
    // Node lets go of the connection, where nobody listens by ending it before the answers that are owed on it.
    socket.on('error', () => {}).resume()
    socket.on('drain', () => connection?.owed[0]?.emit('drain'))
    refuseUnread({}, socket, connection)
  })
  app.addHook('onRequest', ({ raw: { socket } }, reply, done) => {
    const isBehindEnd = socket.writableEnded || connections.get(socket)?.owed.some(isLast)
    oweAnswer(connections, reply.raw)
    // It came in the same bytes as one whose answer ends the connection: nothing could be said of it (RFC 9112 §9.6).
    if (isBehindEnd) reply.hijack()
    else done()
  })
  app.addHook('preClose', async () => {
    for (const { owed } of connections.values()) {
      // Behind the first of them that says it nothing is answered.
      const last = owed.at(-1)
      if (last?.headersSent === false) last.shouldKeepAlive = false
    }
    if (!app.server.listening) return
    const begun = performance.now()
    const sweep = setInterval(() => {
      app.server.closeIdleConnections()
      if (performance.now() - begun <= UNUSED_GRACE_MS) return
      for (const [socket, { carriedRequest }] of connections) {
        if (!carriedRequest || isLingering(socket)) socket.destroy()
      }
    }, DRAIN_SWEEP_MS)
    app.server.once('close', () => clearInterval(sweep))
  })
}
