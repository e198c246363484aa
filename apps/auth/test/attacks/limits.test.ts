import { randomBytes } from 'node:crypto'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../../src/service-limits.ts'
import { post } from '../support/client.ts'
import { type Stack, startStack } from '../support/stack.ts'

let test: TestDatabase
let one: Stack
let two: Stack
beforeAll(async () => {
  test = await testDatabase()
  const settings = { RATE_LIMITS: 'on', OPERATOR_KEY: randomBytes(32).toString('base64url') }
  one = await startStack({ test, settings })
  two = await startStack({ test, settings: { ...settings, ISSUER_URL: one.issuer } })
})
afterAll(async () => {
  await one?.close()
  await two?.close()
  await test?.close()
})
beforeEach(async () => {
  await test.db.rateCounter.deleteMany()
  vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 })
  await test.followDate()
})
afterEach(async () => {
  vi.useRealTimers()
  await test.followDate()
})

/** Sets the counter of one window close to its end, as if the requests before had come. */
async function almost(name: keyof typeof LIMITS): Promise<void> {
  const { hits } = await import('@vertexsms/secrets/hash-token').then(async ({ hashToken }) => {
    const subject = Buffer.from(hashToken('127.0.0.1')).toString('base64url')
    const window = new Date(Math.floor(Date.now() / 60_000) * 60_000)
    return test.db.rateCounter.upsert({
      where: { key_windowAt: { key: `${name}:${subject}`, windowAt: window } },
      create: {
        key: `${name}:${subject}`,
        windowAt: window,
        hits: LIMITS[name].hits - 1,
        expiresAt: new Date(window.getTime() + 60_000),
      },
      update: { hits: LIMITS[name].hits - 1 },
    })
  })
  expect(hits).toBe(LIMITS[name].hits - 1)
}

describe('a flood', () => {
  it.each([
    ['registration', '/oauth/register'],
    ['token', '/oauth/token'],
    ['introspection', '/oauth/introspect'],
    ['revocation', '/oauth/revoke'],
    ['pushedRequest', '/oauth/par'],
  ] as const)(
    'of %s requests is stopped with 429 and Retry-After, counted across nodes (RFC 6585 §4, RFC 9700 §4.14)',
    async (name, path) => {
      await almost(name)
      expect((await post(one.issuer + path, {})).status).not.toBe(429)
      for (const node of [two, one]) {
        const answer = await post(node.issuer + path, {})
        expect(answer.status).toBe(429)
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
        expect(answer.headers.get('access-control-expose-headers')).toBe('retry-after')
        expect(answer.body.error).toBe('temporarily_unavailable')
      }
      vi.setSystemTime(Date.now() + 61_000)
      await test.followDate()
      expect((await post(two.issuer + path, {})).status).not.toBe(429)
    },
  )

  it('is counted without keeping the address (RFC 9700 §4.14)', async () => {
    await post(`${one.issuer}/oauth/token`, {})
    const counters = await test.db.rateCounter.findMany()
    expect(JSON.stringify(counters)).not.toContain('127.0.0.1')
  })

  it('cannot be hidden behind a forged forwarding header (RFC 7239 §8.1)', async () => {
    await almost('token')
    await post(`${one.issuer}/oauth/token`, {})
    expect((await post(`${one.issuer}/oauth/token`, {}, { 'x-forwarded-for': '203.0.113.9' })).status).toBe(429)
  })
})

describe('a body', () => {
  it.each(['/oauth/token', '/oauth/register', '/oauth/par', '/oauth/revoke', '/oauth/introspect'])(
    'over the limit is refused at %s (RFC 9110 §15.5.14)',
    async (path) => {
      const answer = await post(one.issuer + path, { client_id: 'x'.repeat(80_000) })
      expect(answer.status).toBe(413)
    },
  )

  it('of another type is refused with an OAuth error (RFC 6749 §5.2)', async () => {
    const response = await fetch(`${one.issuer}/oauth/token`, {
      method: 'POST',
      body: '{"grant_type":"refresh_token"}',
      headers: { 'content-type': 'application/json' },
    })
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([400, 'invalid_request'])
  })

  it('that is broken in any way is never a failure of ours (RFC 9110 §15.5.1)', async () => {
    for (const body of [
      '%',
      '%00%ff',
      'a=%zz',
      '&&&===',
      'grant_type=%00',
      'client_id[]=x&client_id[a]=y',
      '__proto__=x&constructor=y',
      '\ud800',
    ]) {
      const response = await fetch(`${one.issuer}/oauth/token`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect([body, response.status]).toEqual([body, 400])
    }
  })

  it('that never comes is not waited for without end (RFC 9110 §15.5.9)', () => {
    expect(one.app.server.requestTimeout).toBeGreaterThan(0)
    expect(one.app.server.requestTimeout).toBeLessThanOrEqual(30_000)
  })
})
