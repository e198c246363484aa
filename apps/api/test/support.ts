import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { accessTokenName } from '@vertexsms/contract/api-token'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { createDatabase, type Database } from '@vertexsms/db/client'
import { testDatabase } from '@vertexsms/db/testing'
import { hashToken } from '@vertexsms/db/tokens'
import { createLogger } from '@vertexsms/service/logger'
import { createOutbound } from '@vertexsms/service/outbound'
import type { FastifyInstance } from 'fastify'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { buildApp } from '../src/app.ts'
import { readApiEnv } from '../src/env.ts'

export const EDGE_SECRET = 'edge-secret-of-the-tests-0123456789abcdef'
export const ISSUER = 'http://localhost:4000'
export const AUDIENCE = 'http://localhost:4002'
const OPERATOR_KEY = Buffer.alloc(32, 7).toString('base64url')

export interface Answer<Body = unknown> {
  status: number
  headers: Headers
  body: Body
}

export interface CallOptions {
  token?: string | null
  body?: unknown
  raw?: string
  headers?: Record<string, string>
}

/** One running API node. */
export interface Node {
  url: string
  app: FastifyInstance
  lines: string[]
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on the members it expects
  call: <Body = any>(request: string, options?: CallOptions) => Promise<Answer<Body>>
  close: () => Promise<void>
}

export interface World {
  db: Database
  databaseUrl: string
  accountId: string
  /** Holds every permission. */
  token: string
  node: Node
  startNode: (env?: Record<string, string>) => Promise<Node>
  makeAccount: (balanceMicros?: bigint) => Promise<{ accountId: string; token: string }>
  makeToken: (options?: TokenOptions) => Promise<{ id: string; token: string }>
  close: () => Promise<void>
}

export interface TokenOptions {
  accountId?: string
  permissions?: readonly string[]
  ipAllowList?: string[]
  expiresAt?: Date | null
}

/** Starts a node on a free port over the database; logs are kept in `lines`. */
export async function startNode(databaseUrl: string, overrides: Record<string, string> = {}): Promise<Node> {
  const env = readApiEnv({
    DATABASE_URL: databaseUrl,
    EDGE_SECRET,
    OPERATOR_KEY,
    ISSUER_URL: ISSUER,
    API_RESOURCE_URL: AUDIENCE,
    OUTBOUND_ALLOW_LOCALHOST: 'on',
    SANDBOX_DELIVERY_MS: '20',
    SANDBOX_HLR_MS: '20',
    SANDBOX_REVIEW_MS: '20',
    SANDBOX_POLL_MS: '50',
    ...overrides,
  })
  const lines: string[] = []
  const logger = createLogger({
    service: 'api',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const db = createDatabase({ url: databaseUrl, poolSize: 5 })
  const outbound = createOutbound({ allowLocalhost: env.OUTBOUND_ALLOW_LOCALHOST })
  const app = buildApp({ env, db, logger, outbound })
  app.addHook('onClose', () => outbound.close())
  app.addHook('onClose', () => db.$disconnect())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return { url, app, lines, call: caller(url), close: () => app.close() }
}

function caller(url: string): Node['call'] {
  return async (request, { token, body, raw, headers = {} } = {}) => {
    const [method = 'GET', path = '/'] = request.split(' ')
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token ? { 'x-vertexsms-token': token } : {}),
        ...(body !== undefined ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(raw !== undefined ? { body: raw } : body !== undefined ? { body: JSON.stringify(body) } : {}),
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('application/json')
    return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : text }
  }
}

/** Makes accounts and tokens, as the dashboard does. */
export function seed(db: Database) {
  async function makeToken({
    accountId,
    permissions = PERMISSIONS,
    ipAllowList = [],
    expiresAt = null,
  }: TokenOptions & { accountId: string }) {
    const token = `vsms_${randomBytes(32).toString('base64url')}`
    const id = randomUUID()
    await db.apiToken.create({
      data: {
        id,
        accountId,
        kind: 'manual',
        name: 'test',
        tokenHash: hashToken(token),
        permissions: [...permissions],
        ipAllowList,
        createdAt: new Date(),
        expiresAt,
      },
    })
    return { id, token }
  }

  async function makeAccount(balanceMicros = 1_000_000_000n) {
    const accountId = randomUUID()
    await db.account.create({
      data: {
        id: accountId,
        email: `${accountId}@vertexsms.test`,
        passwordHash: 'none',
        status: 'active',
        balanceMicros,
        createdAt: new Date(),
      },
    })
    return { accountId, token: (await makeToken({ accountId })).token }
  }

  return { makeAccount, makeToken }
}

/** A database of its own, one account with money and a token that may do everything, and one node. */
export async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const { url, db, close } = await testDatabase()
  const nodes: Node[] = []
  const { makeAccount, makeToken } = seed(db)

  const world: World = {
    db,
    databaseUrl: url,
    accountId: '',
    token: '',
    node: undefined as unknown as Node,
    makeAccount,
    makeToken: (options = {}) => makeToken({ accountId: world.accountId, ...options }),
    async startNode(overrides = {}) {
      const node = await startNode(url, { ...env, ...overrides })
      nodes.push(node)
      return node
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
      await close()
    },
  }
  Object.assign(world, await makeAccount())
  world.node = await world.startNode()
  return world
}

/** A signing key as the authorization server keeps it, and a maker of tokens under it. */
export async function makeIssuer(db: Database, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
  const now = new Date()
  await db.signingKey.create({
    data: { kid, alg: 'ES256', publicJwk, sealedJwk: new Uint8Array(), createdAt: now, signsFrom: now },
  })
  const sign = (claims: JWTPayload, header: Record<string, unknown> = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...header }).sign(privateKey)
  return { publicKey, publicJwk, privateKey, sign }
}

/** The claims of an access token that the API takes. */
export function accessClaims(accountId: string, changes: JWTPayload = {}): JWTPayload & { jti: string } {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    sub: accountId,
    aud: ['http://localhost:4001/mcp', AUDIENCE],
    client_id: 'client',
    scope: 'sms:send',
    jti: randomUUID(),
    iat: now,
    exp: now + 600,
    ...changes,
  }
}

/** A connection with the rows of its access and refresh tokens. */
export async function makeConnection(db: Database, accountId: string, jti: string, refreshValue = randomUUID()) {
  const id = randomUUID()
  const now = new Date()
  const expiresAt = new Date(now.getTime() + 600_000)
  await db.connection.create({
    data: {
      id,
      accountId,
      grantId: randomUUID(),
      clientId: 'client',
      clientName: 'Client',
      redirectHost: 'localhost',
      scopes: ['sms:send'],
      createdAt: now,
      approvedAt: now,
      expiresAt,
    },
  })
  const row = { accountId, connectionId: id, permissions: [...PERMISSIONS], ipAllowList: [], createdAt: now, expiresAt }
  const access = await db.apiToken.create({
    data: { ...row, id: randomUUID(), kind: 'oauth_access', name: accessTokenName(id), tokenHash: hashToken(jti) },
  })
  const refresh = await db.apiToken.create({
    data: {
      ...row,
      id: randomUUID(),
      kind: 'oauth_refresh',
      name: `oauth:refresh:${id}`,
      tokenHash: hashToken(refreshValue),
    },
  })
  return { id, access, refresh, refreshValue }
}

/** A customer's server: keeps what was posted to it and answers as it is told. */
export async function startReceiver(
  answer: (request: IncomingMessage, count: number) => { status: number; body: string } = () => ({
    status: 200,
    body: 'OK',
  }),
) {
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on the members it expects
  const posts: { path: string; body: any; headers: IncomingMessage['headers'] }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      posts.push({
        path: request.url ?? '',
        body: JSON.parse(Buffer.concat(chunks).toString() || 'null'),
        headers: request.headers,
      })
      const { status, body } = answer(request, posts.length)
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    url,
    posts,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Waits until `look` gives something; fails with the last thing seen when it does not within the time. */
export async function eventually<Value>(
  look: () => Promise<Value | undefined | false | null>,
  withinMs = 10_000,
): Promise<Value> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const value = await look()
    if (value) return value
    if (Date.now() > deadline) throw new Error('it did not happen in time')
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}
