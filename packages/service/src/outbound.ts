// The guard of every call to an address that others named, in one file: what a URL may say, whom a name may mean, how the
// connection is made (directly or through a proxy) and what of the answer is read are only safe together.
import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import { isLoopbackHost, isPublicAddress } from './address.ts'
import { deadlineSignal } from './deadline.ts'
import { createLookup, type Lookup } from './names.ts'
import { openTunnel } from './outbound-tunnel.ts'

/** What outgoing calls may reach. */
export interface OutboundOptions {
  /** Development only: lets `http://localhost` (and loopback addresses) through. */
  allowLocalhost: boolean
  /** An HTTP proxy that every call goes through, by CONNECT to the address that was judged; none when absent. */
  proxy?: string | undefined
  /** PEM certificates of authorities to trust instead of the usual ones. */
  ca?: string
  /** Name resolution; {@link createLookup} when absent. */
  lookup?: Lookup
  /** For one connection, in milliseconds; ten seconds when absent. */
  connectTimeoutMs?: number
}

/** One outgoing call. */
export interface OutboundInit {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

/** How long a call may take and how much its answer may hold. */
export interface OutboundLimits {
  maxBytes: number
  /** For everything: resolution, connection, answer and body. */
  timeoutMs: number
}

/** The answer to a call. A redirect is none: it is not followed, and refused. */
export interface OutboundResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array
}

/** Why no answer came. */
export type OutboundReason =
  | 'URL_REFUSED'
  | 'ADDRESS_REFUSED'
  | 'REDIRECT_REFUSED'
  | 'TOO_LARGE'
  | 'TIMEOUT'
  | 'UNREACHABLE'

/** A request that was not made or not finished. Its message names the rule, never the URL. */
export class OutboundError extends Error {
  override name = 'OutboundError'
  readonly code: OutboundReason

  constructor(code: OutboundReason, message: string) {
    super(message)
    this.code = code
  }
}

/** Calls to URLs that somebody else chose. */
export interface Outbound {
  /** Why a URL may not be called, judged by its text alone; null when it may be tried. */
  checkUrl(url: string): string | null
  /** Calls a URL that somebody else chose. Throws OutboundError. */
  fetch(url: string, init: OutboundInit, limits: OutboundLimits): Promise<OutboundResponse>
  close(): Promise<void>
}

const MAX_URL_CHARACTERS = 2_048
/** A connection that nothing uses is left open for the next call this long, whatever the other end wishes. */
const KEEP_ALIVE_MS = 1_000
const HTTPS_PORT = 443
/** Below it live services that a web hook has no business with: mail, SSH, directory, databases of old. */
const FIRST_FREE_PORT = 1_024

/**
 * The one way to call a URL that a client or customer gave us. https only; the name is resolved by us, an answer with a
 * single non-public address is refused whole, the connection goes to an address that was judged (no second lookup that
 * could answer differently) and the peer is judged again once connected; redirects are refused; size and time are limited.
 * With a proxy all of that stays true but the last look, because the peer is the proxy: it is given the judged address to
 * connect to, TLS goes end to end under the host's name, and what it refuses is not tried another way.
 */
export function createOutbound({
  allowLocalhost,
  proxy,
  ca,
  lookup = createLookup(),
  connectTimeoutMs = 10_000,
}: OutboundOptions): Outbound {
  const connect = proxy
    ? tunnelConnector(new URL(proxy), ca, allowLocalhost, lookup, connectTimeoutMs)
    : guardedConnector(ca, allowLocalhost, lookup, connectTimeoutMs)
  const agent = new Agent({
    connect,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // How long their server asks for: ten minutes of a socket for each of its names otherwise.
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  })
  const checkUrl = (url: string) => refusal(url, allowLocalhost)
  return {
    checkUrl,
    async fetch(url, init, limits) {
      const reason = checkUrl(url)
      if (reason) throw new OutboundError('URL_REFUSED', reason)
      const signal = deadlineSignal(limits.timeoutMs)
      try {
        const asked = request(url, {
          method: init.method ?? 'GET',
          headers: { 'user-agent': 'VertexSMS-Connect', ...init.headers },
          body: init.body ?? null,
          dispatcher: agent,
          signal,
        })
        // The signal alone is heard only once there is a connection.
        const response = await Promise.race([asked, aborted(signal)])
        return await readResponse(response, limits.maxBytes)
      } catch (error) {
        throw toOutboundError(error, signal)
      }
    },
    close: () => agent.close(),
  }
}

function refusal(text: string, allowLocalhost: boolean): string | null {
  if (text.length > MAX_URL_CHARACTERS) return `is longer than ${MAX_URL_CHARACTERS} characters`
  if (!URL.canParse(text)) return 'is not a URL'
  const url = new URL(text)
  // `localhost.` is `localhost`.
  const name = url.hostname.replace(/\.$/, '')
  const local = isLoopbackHost(name)
  if (url.username !== '' || url.password !== '') return 'holds credentials'
  if (local && allowLocalhost && (url.protocol === 'http:' || url.protocol === 'https:')) return null
  if (url.protocol !== 'https:') return 'is not https'
  const port = url.port === '' ? HTTPS_PORT : Number(url.port)
  if (port !== HTTPS_PORT && port < FIRST_FREE_PORT) return 'names a port of another service'
  const host = name.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return isPublicAddress(host) ? null : 'names an address that is not public'
  if (local || !host.includes('.') || /\.(localhost|local|internal|intranet|lan|home|corp|arpa)$/.test(host)) {
    return 'names a host that is not public'
  }
  return null
}

/** The standard connector with our resolution in it, and a last look at whom it reached. */
function guardedConnector(
  ca: string | undefined,
  allowLocalhost: boolean,
  lookup: Lookup,
  timeout: number,
): buildConnector.connector {
  const connect = buildConnector({
    timeout,
    ...(ca && { ca }),
    lookup: guardedLookup(allowLocalhost, lookup),
  } as buildConnector.BuildOptions)
  return (options, callback) => {
    const allowed = (address: string) => isAllowed(address, options.hostname, allowLocalhost)
    // Node resolves nothing for a literal address, so the lookup below never sees it.
    const literal = options.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && !allowed(literal)) {
      callback(new OutboundError('ADDRESS_REFUSED', 'the address is not public'), null)
      return
    }
    connect(options, (error, socket) => {
      if (error || !socket) callback(error ?? new OutboundError('UNREACHABLE', 'no connection'), null)
      else if (allowed(socket.remoteAddress ?? '')) callback(null, socket)
      else {
        socket.destroy()
        callback(new OutboundError('ADDRESS_REFUSED', 'the connection reached an address that is not public'), null)
      }
    })
  }
}

/**
 * The same through a proxy: each judged address in turn, until one is reached; TLS under the host's name. All of them share
 * one time, for a name may have hundreds and nobody waits for it any more.
 */
function tunnelConnector(
  proxy: URL,
  ca: string | undefined,
  allowLocalhost: boolean,
  lookup: Lookup,
  timeoutMs: number,
): buildConnector.connector {
  const upgrade = buildConnector({ ...(ca && { ca }) })
  return (options, callback) => {
    const secure = options.protocol === 'https:'
    const port = Number(options.port || (secure ? HTTPS_PORT : 80))
    openAny(proxy, { hostname: options.hostname, port }, allowLocalhost, lookup, timeoutMs).then(
      (socket) => {
        if (secure) upgrade({ ...options, httpSocket: socket }, callback)
        else callback(null, socket)
      },
      (error) => callback(error, null),
    )
  }
}

async function openAny(
  proxy: URL,
  { hostname, port }: { hostname: string; port: number },
  allowLocalhost: boolean,
  lookup: Lookup,
  timeoutMs: number,
) {
  const host = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(host)
  const targets = family === 0 ? await judged(host, allowLocalhost, lookup) : [{ address: host, family }]
  if (family !== 0 && !isAllowed(host, host, allowLocalhost)) {
    throw new OutboundError('ADDRESS_REFUSED', 'the address is not public')
  }
  const endsAt = performance.now() + timeoutMs
  for (const target of targets) {
    const leftMs = Math.ceil(endsAt - performance.now())
    if (leftMs <= 0) break
    const socket = await openTunnel(proxy, { ...target, port }, leftMs).catch(() => null)
    if (socket) return socket
  }
  throw new OutboundError('UNREACHABLE', 'the proxy opened no connection to the address')
}

function isAllowed(address: string, host: string, allowLocalhost: boolean): boolean {
  return isPublicAddress(address) || (allowLocalhost && isLoopbackHost(host) && isLoopbackHost(address))
}

function guardedLookup(allowLocalhost: boolean, lookup: Lookup): LookupFunction {
  return (host, options, callback) => {
    judged(host, allowLocalhost, lookup).then(
      (addresses) => {
        if (options.all) callback(null, addresses)
        else callback(null, addresses[0].address, addresses[0].family)
      },
      (error) => callback(error, []),
    )
  }
}

/** The addresses of a name, at least one. Throws OutboundError unless every one of them may be called. */
async function judged(
  host: string,
  allowLocalhost: boolean,
  lookup: Lookup,
): Promise<[LookupAddress, ...LookupAddress[]]> {
  const [first, ...others] = await lookup(host).catch(() => {
    throw new OutboundError('UNREACHABLE', 'the name does not resolve')
  })
  if (!first || ![first, ...others].every(({ address }) => isAllowed(address, host, allowLocalhost))) {
    throw new OutboundError('ADDRESS_REFUSED', 'the name resolves to an address that is not public')
  }
  return [first, ...others]
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

async function readResponse(response: Dispatcher.ResponseData, maxBytes: number): Promise<OutboundResponse> {
  const { statusCode, headers, body } = response
  // Destroying an unread body emits an error, which without a listener would end the process.
  body.on('error', () => {})
  try {
    if (statusCode >= 300 && statusCode < 400) throw new OutboundError('REDIRECT_REFUSED', 'redirects are not followed')
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > maxBytes) throw new OutboundError('TOO_LARGE', `the answer is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return { status: statusCode, headers, body: Buffer.concat(chunks) }
  } finally {
    // An answer that is not read to its end would hold the connection.
    body.destroy()
  }
}

function toOutboundError(error: unknown, signal: AbortSignal): OutboundError {
  if (error instanceof OutboundError) return error
  if (signal.aborted) return new OutboundError('TIMEOUT', 'no complete answer in time')
  return new OutboundError('UNREACHABLE', 'no answer')
}
