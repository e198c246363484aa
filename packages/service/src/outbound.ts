import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import { isLoopbackHost, isPublicAddress } from './address.ts'

export interface OutboundOptions {
  /** Development only: lets `http://localhost` (and loopback addresses) through. */
  allowLocalhost: boolean
  /** Name resolution; the system's when absent. */
  lookup?: (host: string) => Promise<LookupAddress[]>
}

export interface OutboundInit {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

export interface OutboundLimits {
  maxBytes: number
  /** For everything: resolution, connection, answer and body. */
  timeoutMs: number
}

export interface OutboundResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array
}

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

export interface Outbound {
  /** Why a URL may not be called, judged by its text alone; null when it may be tried. */
  checkUrl(url: string): string | null
  /** Calls a URL that somebody else chose. Throws OutboundError. */
  fetch(url: string, init: OutboundInit, limits: OutboundLimits): Promise<OutboundResponse>
  close(): Promise<void>
}

const MAX_URL_CHARACTERS = 2_048
const HTTPS_PORT = 443
/** Below it live services that a web hook has no business with: mail, SSH, directory, databases of old. */
const FIRST_FREE_PORT = 1_024

/**
 * The one way to call a URL that a client or customer gave us. https only; the name is resolved by us, an answer with a
 * single non-public address is refused whole, the connection goes to an address that was judged (no second lookup that
 * could answer differently) and the peer is judged again once connected; redirects are refused; size and time are limited.
 */
export function createOutbound({ allowLocalhost, lookup = lookupAll }: OutboundOptions): Outbound {
  const agent = new Agent({ connect: guardedConnector(allowLocalhost, lookup), pipelining: 1, keepAliveTimeout: 1_000 })
  const checkUrl = (url: string) => refusal(url, allowLocalhost)
  return {
    checkUrl,
    async fetch(url, init, limits) {
      const reason = checkUrl(url)
      if (reason) throw new OutboundError('URL_REFUSED', reason)
      const signal = AbortSignal.timeout(limits.timeoutMs)
      try {
        const response = await request(url, {
          method: init.method ?? 'GET',
          headers: { 'user-agent': 'VertexSMS-Connect', ...init.headers },
          body: init.body ?? null,
          dispatcher: agent,
          signal,
        })
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
  allowLocalhost: boolean,
  lookup: (host: string) => Promise<LookupAddress[]>,
): buildConnector.connector {
  const connect = buildConnector({ lookup: guardedLookup(allowLocalhost, lookup) } as buildConnector.BuildOptions)
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

function isAllowed(address: string, host: string, allowLocalhost: boolean): boolean {
  return isPublicAddress(address) || (allowLocalhost && isLoopbackHost(host) && isLoopbackHost(address))
}

function guardedLookup(allowLocalhost: boolean, lookup: (host: string) => Promise<LookupAddress[]>): LookupFunction {
  return (host, options, callback) => {
    lookup(host).then(
      (addresses) => {
        const [first] = addresses
        if (!first || !addresses.every(({ address }) => isAllowed(address, host, allowLocalhost))) {
          callback(new OutboundError('ADDRESS_REFUSED', 'the name resolves to an address that is not public'), [])
        } else if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      () => callback(new OutboundError('UNREACHABLE', 'the name does not resolve'), []),
    )
  }
}

function lookupAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
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
