import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { PERMISSIONS } from '@vertexsms/contract/permissions'
import { type Database, databaseOptions } from '@vertexsms/db/client'
import { testDatabase } from '@vertexsms/db/testing'
import { deriveApiKeys } from '@vertexsms/secrets/derived-keys'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { createLogger } from '@vertexsms/service/logger'
import { createOutbound } from '@vertexsms/service/outbound'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../src/app.ts'
import { readApiEnv } from '../../src/env.ts'
import type { SendingDeps } from '../../src/sending/deps.ts'
import { type SharedDatabases, sharedDatabases } from './database.ts'
import { watchAnswers } from './documented.ts'
import { PATIENT_LIMITS, PATIENT_TIMES } from './patience.ts'

export const EDGE_SECRET = 'edge-secret-of-the-tests-0123456789abcdef'
export const ISSUER = 'http://localhost:4000'
export const AUDIENCE = 'http://localhost:4002'
const API_KEYS = deriveApiKeys(Buffer.alloc(32, 7))

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
  startNode: (
    env?: Record<string, string>,
    sendingChanges?: Partial<SendingDeps>,
    seen?: (db: Database) => Database,
  ) => Promise<Node>
  makeAccount: (balanceMicros?: bigint) => Promise<{ accountId: string; token: string }>
  makeToken: (options?: TokenOptions) => Promise<{ id: string; token: string }>
  /** Sets the database's clock to the `Date` of this process, or so far ahead of it; after every shift of it. */
  followDate: (aheadMs?: number) => Promise<void>
  close: () => Promise<void>
}

export interface TokenOptions {
  accountId?: string
  permissions?: readonly string[]
  ipAllowList?: string[]
  expiresAt?: Date | null
}

/** Starts a node on a free port over the database, or what it sees of it; logs are kept in `lines`. */
export async function startNode(
  databaseUrl: string,
  overrides: Record<string, string> = {},
  sendingChanges: Partial<SendingDeps> = {},
  seen = (db: Database) => db,
  shared?: SharedDatabases,
): Promise<Node> {
  const databases = shared ?? sharedDatabases(2)
  const env = readApiEnv({
    DATABASE_URL: databaseUrl,
    EDGE_SECRET,
    API_KEYS,
    ISSUER_URL: ISSUER,
    API_RESOURCE_URL: AUDIENCE,
    OUTBOUND_ALLOW_LOCALHOST: 'on',
    RATE_LIMITS: 'off',
    DATABASE_CONNECT_TIMEOUT_MS: String(PATIENT_LIMITS.connectMs),
    DATABASE_STATEMENT_TIMEOUT_MS: String(PATIENT_LIMITS.statementMs),
    DATABASE_LOCK_TIMEOUT_MS: String(PATIENT_LIMITS.lockMs),
    SANDBOX_DELIVERY_MS: '20',
    SANDBOX_HLR_MS: '20',
    SANDBOX_REVIEW_MS: '20',
    SANDBOX_POLL_MS: '1000',
    ...overrides,
  })
  const lines: string[] = []
  const logger = createLogger({
    service: 'api',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const db = databases.of(databaseOptions(env))
  const outbound = createOutbound({ allowLocalhost: env.OUTBOUND_ALLOW_LOCALHOST })
  const app = buildApp({
    env,
    db: seen(db),
    logger,
    outbound,
    sendingChanges: { times: PATIENT_TIMES, ...sendingChanges },
  })
  const undocumented = watchAnswers(app)
  app.addHook('onClose', () => outbound.close())
  if (shared === undefined) app.addHook('onClose', databases.close)
  await app.listen({ host: '127.0.0.1', port: Number(overrides.API_PORT ?? 0) })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return { url, app, lines, call: caller(url), close }

  async function close(): Promise<void> {
    await app.close()
    if (undocumented.length > 0)
      throw new Error(`answers that the reference does not know:\n${undocumented.join('\n')}`)
  }
}

/** Makes requests of a node at this origin. */
export function caller(url: string): Node['call'] {
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

/** Connections of a world whose nodes meet each other at the same rows. */
export const RACING = 4

/**
 * A database of its own, one account with money and a token that may do everything, and one node. All its nodes share
 * `poolSize` connections: each costs a server of tests more than most of what is asked on it.
 */
export async function startWorld(env: Record<string, string> = {}, { poolSize = 2 } = {}): Promise<World> {
  const { serviceUrl, db, open, followDate, close } = await testDatabase()
  const url = serviceUrl('vertexsms_api')
  const nodes: Node[] = []
  const databases = sharedDatabases(poolSize, open)
  const { makeAccount, makeToken } = seed(db)

  const world: World = {
    db,
    databaseUrl: url,
    accountId: '',
    token: '',
    node: undefined as unknown as Node,
    makeAccount,
    followDate,
    makeToken: (options = {}) => makeToken({ accountId: world.accountId, ...options }),
    async startNode(overrides = {}, sendingChanges = {}, seen) {
      const node = await startNode(url, { ...env, ...overrides }, sendingChanges, seen, databases)
      nodes.push(node)
      return node
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
      await databases.close()
      await close()
    },
  }
  Object.assign(world, await makeAccount())
  world.node = await world.startNode()
  return world
}
