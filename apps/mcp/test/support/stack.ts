import { createLogger } from '@vertexsms/service/logger'
import type { FastifyInstance } from 'fastify'
import type { ApiTimes } from '../../src/api/client.ts'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/env.ts'
import type { Registry } from '../../src/protocol/methods.ts'
import { type Issuer, startIssuer, type TokenShape } from './issuer.ts'
import { ALL_PERMISSIONS, startUpstream, type Upstream } from './upstream.ts'

export const EDGE_SECRET = 'edge-secret-of-the-tests-0123456789abcdef'
export const MODERN = '2026-07-28'

/** The app under test with its two neighbours, on loopback. */
export interface Stack {
  readonly app: FastifyInstance
  readonly url: string
  readonly resource: string
  readonly issuer: Issuer
  readonly upstream: Upstream
  /** What the app has logged so far, line by line: its errors, unless `LOG_LEVEL` says otherwise. */
  readonly logLines: string[]
  /** A token made by hand with the given permissions, by default all. */
  manualToken(account?: string, permissions?: readonly (typeof ALL_PERMISSIONS)[number][]): string
  /** The same, after the API has accepted it once: from then on a tool's route is its only call. */
  acceptedToken(account?: string): Promise<string>
  /** A JWT that the upstream knows as well. */
  accessToken(shape?: TokenShape): Promise<string>
  close(): Promise<void>
}

export interface StackOptions {
  env?: Record<string, string>
  registry?: Registry
  apiTimes?: ApiTimes
}

let counter = 0

export async function startStack({ env = {}, registry, apiTimes }: StackOptions = {}): Promise<Stack> {
  const [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()])
  const resource = 'http://localhost:4001/mcp'
  const config = readConfig({
    ISSUER_URL: issuer.url,
    JWKS_URL: issuer.jwksUrl,
    API_URL: upstream.url,
    EDGE_SECRET,
    MCP_RESOURCE_URL: resource,
    LOG_LEVEL: 'error',
    RATE_LIMITS: 'off',
    ...env,
  })
  const logLines: string[] = []
  const logger = createLogger({
    service: 'mcp',
    level: config.LOG_LEVEL,
    destination: { write: (line: string) => void logLines.push(line) },
  })
  const app = await buildApp({
    config,
    logger,
    ...(registry && { registry }),
    ...(apiTimes && { apiTimes }),
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const stack: Stack = {
    app,
    url: `${url}/mcp`,
    resource,
    issuer,
    upstream,
    logLines,
    manualToken(account = 'account-1', permissions = ALL_PERMISSIONS) {
      counter += 1
      const token = `vsms_${String(counter).padStart(43, 'x')}`
      upstream.tokens.set(token, { account, permissions })
      return token
    },
    async acceptedToken(account) {
      const token = stack.manualToken(account)
      await post(stack.url, token, modern('ping'))
      upstream.seen.length = 0
      return token
    },
    async accessToken(shape) {
      const token = await issuer.token([resource, 'http://localhost:4002'], shape)
      upstream.tokens.set(token, { account: String(shape?.payload?.sub ?? 'account-1'), permissions: ALL_PERMISSIONS })
      return token
    },
    async close() {
      // Nothing is under way: spare connections of fetch, which never carried a request, would hold the close up.
      app.server.closeAllConnections()
      await app.close()
      await Promise.all([issuer.stop(), upstream.stop()])
    },
  }
  return stack
}

/** The body of a modern request; the envelope is filled in. */
export function modern(method: string, params: Record<string, unknown> = {}, id: string | number = 1) {
  return {
    jsonrpc: '2.0' as const,
    id,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
        ...(params._meta as object | undefined),
      },
    },
  }
}

/** The body of a request of the handshake era. */
export function legacy(method: string, params?: Record<string, unknown>, id: string | number = 1) {
  return { jsonrpc: '2.0' as const, id, method, ...(params === undefined ? {} : { params }) }
}

interface RpcBody {
  method?: string
  params?: Record<string, unknown>
}

/** Posts one message with the headers its era wants. Extra headers win; an undefined one is left out. */
export function post(
  url: string,
  token: string | null,
  body: unknown,
  headers: Record<string, string | undefined> = {},
): Promise<Response> {
  const { method, params } = (body ?? {}) as RpcBody
  const isModern = (params?._meta as Record<string, unknown> | undefined)?.['io.modelcontextprotocol/protocolVersion']
  const name = params?.name ?? params?.uri
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(isModern === undefined ? {} : { 'mcp-protocol-version': MODERN, 'mcp-method': method }),
    ...(isModern === undefined || typeof name !== 'string' ? {} : { 'mcp-name': name }),
    ...headers,
  }
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return fetch(url, {
    method: 'POST',
    headers: Object.fromEntries(given),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
