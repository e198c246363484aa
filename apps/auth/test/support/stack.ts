import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { createLogger } from '@vertexsms/service/logger'
import type { Outbound } from '@vertexsms/service/outbound'
import type { FastifyInstance } from 'fastify'
import { createSession } from '../../src/accounts/session.ts'
import { buildApp } from '../../src/app.ts'
import { type AuthEnv, readAuthEnv } from '../../src/env.ts'
import { Person } from './person.ts'

/** The whole authorization server on a port of its own, over a database of its own. */
export interface Stack {
  readonly issuer: string
  readonly env: AuthEnv
  readonly db: Database
  readonly app: FastifyInstance
  /** What the app has logged so far, line by line. */
  readonly logLines: string[]
  /** A new account. */
  account(): Promise<{ id: string; email: string }>
  /** A browser, signed in as the account when one is given. */
  person(accountId?: string): Promise<Person>
  /** Sets the database's clock to the `Date` of this process; after every shift of it. */
  followDate(): Promise<void>
  close(): Promise<void>
}

export const MCP_RESOURCE = 'http://localhost:4001/mcp'
export const API_RESOURCE = 'http://localhost:4002'

export interface StackOptions {
  readonly settings?: Record<string, string>
  readonly outbound?: Outbound
  /** A database to share, as a second node does. */
  readonly test?: TestDatabase
  readonly keyPollMs?: number
  /** Nobody waits unless it is given. */
  readonly signInDelayMs?: number
  /** How often mail that waits is looked for; seconds when absent. */
  readonly mailPollMs?: number
  /** How long it is asked what became of a token request whose answer from the database was lost; seconds when absent. */
  readonly tokensAgainMs?: number
  /** Connections it may have, each of which the database's server pays for; two, so that two can be at odds. */
  readonly poolSize?: number
  /** What the app sees as its database; for faults. */
  readonly db?: (db: Database) => Database
}

/** Starts one node. Rate limits are off unless asked for. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const test = options.test ?? (await testDatabase())
  const port = await freePort()
  const issuer = options.settings?.ISSUER_URL ?? `http://localhost:${port}`
  const env = readAuthEnv({
    DATABASE_URL: test.url,
    ISSUER_URL: issuer,
    OPERATOR_KEY: randomBytes(32).toString('base64url'),
    RATE_LIMITS: 'off',
    MCP_RESOURCE_URL: MCP_RESOURCE,
    API_RESOURCE_URL: API_RESOURCE,
    ...options.settings,
  })
  const logLines: string[] = []
  const logger = createLogger({
    service: 'auth',
    level: 'info',
    destination: { write: (line: string) => void logLines.push(line) },
  })
  const own = test.open({ url: test.serviceUrl('vertexsms_auth'), poolSize: options.poolSize ?? 2 })
  const db = options.db?.(own) ?? own
  const app = await buildApp({
    env,
    db,
    logger,
    ...(options.outbound && { outbound: options.outbound }),
    ...(options.keyPollMs && { keyPollMs: options.keyPollMs }),
    ...(options.mailPollMs && { mailPollMs: options.mailPollMs }),
    ...(options.tokensAgainMs && { tokensAgainMs: options.tokensAgainMs }),
    signInDelayMs: options.signInDelayMs ?? 0,
  })
  await app.listen({ port, host: '127.0.0.1' })
  const origin = `http://localhost:${port}`
  return {
    issuer: origin,
    env,
    db: test.db,
    app,
    logLines,
    followDate: () => test.followDate(),
    async account() {
      const account = { id: randomUUID(), email: `${randomUUID()}@example.com` }
      await test.db.account.create({
        data: { ...account, passwordHash: 'unused', status: 'active', createdAt: new Date() },
      })
      return account
    },
    async person(accountId) {
      const person = new Person(origin, [issuer])
      if (accountId) await signIn(person, test.db, env, accountId)
      return person
    },
    async close() {
      await app.close()
      if (!options.test) await test.close()
    },
  }
}

/** Gives a browser a session of the account, as the sign-in page would. */
export async function signIn(person: Person, db: Database, env: AuthEnv, accountId: string): Promise<void> {
  const session = { db, issuerUrl: env.ISSUER_URL, sessionSeconds: env.SESSION_SECONDS }
  const { setCookie } = await createSession(session, { accountId, userAgent: 'test', address: '127.0.0.1' })
  person.store(new URL(person.origin), [setCookie])
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
