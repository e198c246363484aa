import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import formbody from '@fastify/formbody'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { registerAccounts } from '../../src/accounts/accounts.ts'
import { hashPassword } from '../../src/accounts/password.ts'
import { registerSignIn } from '../../src/accounts/sign-in.ts'
import type { WebDeps } from '../../src/accounts/web-deps.ts'
import { registerDashboard } from '../../src/dashboard/dashboard.ts'
import { createForms } from '../../src/forms.ts'
import { registerErrorPages, registerPages } from '../../src/page.ts'
import { createRateLimiter } from '../../src/rate-limit.ts'

export const PASSWORD = 'correct horse battery staple'

/** The web side of the authorization server on a port of its own, over a database of its own. */
export interface Web {
  url: string
  test: TestDatabase
  deps: WebDeps
  app: FastifyInstance
  close(): Promise<void>
}

export async function startWeb({ rateLimits = false } = {}): Promise<Web> {
  const test = await testDatabase()
  const node = await startNode(test, { rateLimits, operatorKey: new Uint8Array(randomBytes(32)) })
  return {
    ...node,
    test,
    async close() {
      await node.app.close()
      await test.close()
    },
  }
}

/** One node; several share a database, an operator key and the public URL of the first. */
export async function startNode(
  test: TestDatabase,
  { rateLimits, operatorKey, issuerUrl }: { rateLimits: boolean; operatorKey: Uint8Array; issuerUrl?: string },
) {
  const app = Fastify()
  const rateLimiter = createRateLimiter({ db: test.db, enabled: rateLimits })
  // The port is known only once it listens, and the public URL is part of what is registered before: take one first.
  const reserved = Fastify()
  await reserved.listen({ port: 0, host: '127.0.0.1' })
  const { port } = reserved.server.address() as AddressInfo
  await reserved.close()
  const url = `http://localhost:${port}`
  const deps: WebDeps = {
    db: test.db,
    issuerUrl: issuerUrl ?? url,
    sessionSeconds: 604_800,
    operatorKey,
    forms: createForms({ operatorKey, issuerUrl: issuerUrl ?? url }),
    rateLimiter,
  }
  await registerPages(app)
  registerErrorPages(app)
  await app.register(formbody, { bodyLimit: 16_384 })
  await app.register(registerSignIn, deps)
  await app.register(registerAccounts, deps)
  await app.register(registerDashboard, deps)
  await app.listen({ port, host: '127.0.0.1' })
  return { url, deps, app }
}

let accountsMade = 0

/** An active account with {@link PASSWORD}. */
export async function makeAccount(web: Web): Promise<{ id: string; email: string }> {
  accountsMade += 1
  const account = { id: randomUUID(), email: `person${accountsMade}@example.com` }
  await web.test.db.account.create({
    data: { ...account, passwordHash: await hashPassword(PASSWORD), status: 'active', createdAt: new Date() },
  })
  return account
}
