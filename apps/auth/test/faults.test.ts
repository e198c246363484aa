import type { Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { ConnectionLost } from '@vertexsms/db/unreachable'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, connect, discover, exchange, post, refresh, register, start } from './support/client.ts'
import { type Stack, startStack } from './support/stack.ts'

/** A database in which some statements fail while the switch is on: those whose text matches. */
function faulty(db: Database, fault: { pattern: RegExp | null }): Database {
  const failing =
    <Args extends unknown[], Result>(run: (...args: Args) => Result) =>
    (...args: Args): Result => {
      const [statement] = args as unknown as [{ sql?: string; strings?: string[] } | string[]]
      const text = Array.isArray(statement) ? statement.join('?') : (statement?.strings ?? []).join('?')
      if (fault.pattern?.test(text)) return Promise.reject(new ConnectionLost('connection lost', '08006')) as Result
      return run(...args)
    }
  return new Proxy(db, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver)
      if (name === '$queryRaw') return failing(value.bind(target))
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

let test: TestDatabase
let stack: Stack
const fault: { pattern: RegExp | null } = { pattern: null }
beforeAll(async () => {
  test = await testDatabase()
  stack = await startStack({ test, db: (db) => faulty(db, fault), tokensAgainMs: 300, settings: { RATE_LIMITS: 'on' } })
})
afterAll(async () => {
  await stack?.close()
  await test?.close()
})

const WRITE = /WITH live AS/
const READ = /FROM oidc_artifact a/
const LIMITS = /rate_counter/

describe('a database failure during a token request', () => {
  it('lets no token out when the exchange cannot be recorded, and the retry with the same code works', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    const fields = {
      grant_type: 'authorization_code',
      client_id: client.client.client_id,
      code: String(callback.searchParams.get('code')),
      redirect_uri: client.redirectUri,
      code_verifier: flow.verifier,
    }
    for (const pattern of [LIMITS, READ, WRITE]) {
      fault.pattern = pattern
      const failed = await post(`${stack.issuer}/oauth/token`, fields)
      fault.pattern = null
      expect(failed.status).toBe(503)
      if (pattern === WRITE) expect(stack.logLines.join('')).toContain('tokens could not be recorded')
      expect(failed.headers.get('retry-after')).toBe('1')
      expect(failed.headers.get('access-control-expose-headers')).toBe('retry-after')
      expect(failed.body).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) })
      expect(await stack.db.apiToken.count({ where: { accountId: id } })).toBe(0)
    }
    expect((await exchange(client, flow, callback)).scope.split(' ')).toHaveLength(5)
  })

  it('leaves the refresh token good when the rotation cannot be recorded', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    const before = await stack.db.apiToken.findMany({ where: { accountId: id } })
    for (const pattern of [LIMITS, READ, WRITE]) {
      fault.pattern = pattern
      const failed = await post((await discover(stack)).token_endpoint ?? '', {
        grant_type: 'refresh_token',
        client_id: client.client.client_id,
        refresh_token: tokens.refresh,
      })
      fault.pattern = null
      expect([failed.status, failed.body.error]).toEqual([503, 'temporarily_unavailable'])
      expect(JSON.stringify(failed.body)).not.toMatch(/eyJ|access_token|connection lost/)
      expect(await stack.db.apiToken.findMany({ where: { accountId: id } })).toEqual(before)
    }
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('is logged without what failed to be stored', () => {
    const lines = stack.logLines.join('\n')
    expect(lines).toContain('tokens could not be recorded')
    expect(lines).not.toMatch(/eyJ|@example\.com/)
  })
})
