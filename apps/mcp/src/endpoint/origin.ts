import { LOOPBACK_HOSTS } from '@vertexsms/service/address'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../env.ts'

// The three of tracing are sent by pages with OpenTelemetry in them (W3C Trace Context, W3C Baggage).
const ALLOWED_HEADERS =
  'authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id, x-request-id, traceparent, tracestate, baggage'
const EXPOSED_HEADERS = 'www-authenticate, mcp-session-id, mcp-protocol-version, retry-after, x-request-id'

const HOST_REFUSED =
  'Forbidden: this server does not answer under the host name of the request. Its operator can add the name to ALLOWED_HOSTS, or put it into MCP_RESOURCE_URL.'
const ORIGIN_REFUSED =
  'Forbidden: a page of this origin may not call the server. Its operator can add the origin to ALLOWED_ORIGINS.'

/** Which browser pages and which host names may reach the endpoint. */
export interface OriginPolicy {
  /**
   * Why a request is refused that a page of a foreign site caused, or that came under a foreign host name; the sentence
   * names the setting that would let it in, and no value of the request. Null where it may go on.
   */
  refusal(request: FastifyRequest): string | null
  /** Lets an allowed page read the answer (Fetch, CORS protocol). */
  share(request: FastifyRequest, reply: FastifyReply): void
  /** Answers what a browser asks before it sends a request of its own, beside what {@link share} says. */
  preflight(reply: FastifyReply): void
}

/**
 * Origin and Host checks against DNS rebinding (2026-07-28, basic/transports/streamable-http, Security). An absent
 * Origin passes; a present one must be the resource's or the issuer's own, or configured. A server on this machine
 * also takes pages and host names of this machine.
 */
export function createOriginPolicy(config: Config): OriginPolicy {
  const resource = new URL(config.MCP_RESOURCE_URL)
  const origins = new Set([resource.origin, new URL(config.ISSUER_URL).origin, ...config.ALLOWED_ORIGINS])
  const hosts = new Set([resource.hostname, ...LOOPBACK_HOSTS, ...config.ALLOWED_HOSTS])
  const isLocal = LOOPBACK_HOSTS.has(resource.hostname)
  const hostCache = new Map<string, boolean>()

  function allowsHost(host: string): boolean {
    const cached = hostCache.get(host)
    if (cached !== undefined) return cached
    const name = hostname(`http://${host}`)
    const allowed = name !== null && hosts.has(name)
    if (allowed && hostCache.size < 64) hostCache.set(host, allowed)
    return allowed
  }

  function allowsOrigin(origin: string): boolean {
    if (origins.has(origin)) return true
    if (!isLocal || !URL.canParse(origin)) return false
    const { protocol, hostname: name, origin: plain } = new URL(origin)
    // Spelled as browsers spell an origin, and no otherwise (RFC 6454 §6.2).
    return plain === origin && /^https?:$/.test(protocol) && LOOPBACK_HOSTS.has(name)
  }

  function refusal({ headers }: FastifyRequest): string | null {
    if (headers.host === undefined || !allowsHost(headers.host)) return HOST_REFUSED
    return headers.origin === undefined || allowsOrigin(headers.origin) ? null : ORIGIN_REFUSED
  }

  function share({ headers }: FastifyRequest, reply: FastifyReply): void {
    if (headers.origin === undefined) return
    reply.raw
      .setHeader('access-control-allow-origin', headers.origin)
      .setHeader('access-control-expose-headers', EXPOSED_HEADERS)
      .setHeader('vary', 'origin')
  }

  return {
    refusal,
    share,
    preflight(reply) {
      reply
        .header('access-control-allow-methods', 'POST, GET, DELETE, OPTIONS')
        .header('access-control-allow-headers', ALLOWED_HEADERS)
        .header('access-control-max-age', '600')
        .code(204)
        .send()
    },
  }
}

function hostname(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}
