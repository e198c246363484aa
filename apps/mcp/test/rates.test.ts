import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { failureOf, resultOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'
import { RATES } from './support/upstream.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
  stack.upstream.override = undefined
})
afterEach(() => {
  vi.useRealTimers()
})

const ask = (token: string, country = 'LT') =>
  post(stack.url, token, modern('tools/call', { name: 'get_sms_rates', arguments: { country } }))
const asked = () => stack.upstream.seen.splice(0).map(({ path }) => path)
let number = 0
const newAccount = () => `account-of-rates-${++number}`

describe('get_sms_rates', () => {
  it('gives the documented members', async () => {
    const { structuredContent } = await resultOf(await ask(stack.manualToken(newAccount()), ' lt '))
    expect(structuredContent).toEqual({
      country: 'LT',
      country_name: 'Lithuania',
      rates: [
        { operator: 'BITE', network: 'Bite', rate_eur: '0.039', mcc: '246', mnc: '02' },
        { operator: 'All other carriers', network: 'All', rate_eur: '0.045', mcc: '246', mnc: null },
      ],
      cache_age_seconds: 0,
    })
  })

  it('reads the card once and serves every country from it, asking GET /token each time', async () => {
    const token = await stack.acceptedToken(newAccount())
    await ask(token)
    expect(asked()).toEqual(['/rates/?format=json'])
    await ask(token)
    await ask(token, 'LV')
    expect(asked()).toEqual(['/token', '/token'])
  })

  it('shares the card among the tokens of one account, whatever their kind', async () => {
    const account = newAccount()
    await ask(stack.manualToken(account))
    asked()
    await ask(stack.manualToken(account))
    await ask(await stack.accessToken({ payload: { sub: account } }))
    expect(asked()).toEqual(['/token', '/token'])
  })

  it('never shows the card of another account', async () => {
    const [a, b] = [await stack.acceptedToken(newAccount()), await stack.acceptedToken(newAccount())]
    await ask(a)
    await ask(a)
    asked()
    await ask(b)
    expect(asked()).toEqual(['/rates/?format=json'])
  })

  it('is not served to a token that may not read rates, though the card is there', async () => {
    const account = newAccount()
    const [full, narrow] = [
      stack.manualToken(account),
      await stack.accessToken({ payload: { sub: account, scope: 'sms:send' } }),
    ]
    stack.upstream.tokens.set(narrow, { account, permissions: ['POST /sms'] })
    await ask(full)
    await ask(full)
    const response = await ask(narrow)
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toContain('scope="sms:send sms:rates"')
  })

  it('is not served once the token is deleted, nor while the API is down', async () => {
    const token = stack.manualToken(newAccount())
    await ask(token)
    await stack.upstream.stop()
    expect((await ask(token)).status).toBe(503)
    await stack.upstream.start()
    await expect.poll(async () => (await ask(token)).status).toBe(200)
    stack.upstream.tokens.delete(token)
    expect((await ask(token)).status).toBe(401)
  })

  it('tells how old the card is, and reads it again after an hour', async () => {
    const token = stack.manualToken(newAccount())
    vi.useFakeTimers({ toFake: ['Date'] })
    const start = Date.now()
    await ask(token)
    asked()
    vi.setSystemTime(start + 3_599_000)
    expect((await resultOf(await ask(token))).structuredContent?.cache_age_seconds).toBe(3599)
    expect(asked()).toEqual(['/token'])
    vi.setSystemTime(start + 3_600_000)
    expect((await resultOf(await ask(token))).structuredContent?.cache_age_seconds).toBe(0)
    expect(asked()).toEqual(['/rates/?format=json'])
  })

  it('counts what the API has kept the card for, and reads it again when that makes an hour', async () => {
    const token = stack.manualToken(newAccount())
    vi.useFakeTimers({ toFake: ['Date'] })
    const start = Date.now()
    stack.upstream.override = ({ path }) =>
      path.startsWith('/rates/') ? { status: 200, body: RATES, headers: { age: '3000' } } : undefined
    expect((await resultOf(await ask(token))).structuredContent?.cache_age_seconds).toBe(3000)
    asked()
    vi.setSystemTime(start + 599_000)
    expect((await resultOf(await ask(token))).structuredContent?.cache_age_seconds).toBe(3599)
    expect(asked()).toEqual(['/token'])
    vi.setSystemTime(start + 600_000)
    stack.upstream.override = undefined
    expect((await resultOf(await ask(token))).structuredContent?.cache_age_seconds).toBe(0)
    expect(asked()).toEqual(['/rates/?format=json'])
  })

  it('reads the card again where the clock was set back since it was read: how old it is nobody can tell', async () => {
    const token = stack.manualToken(newAccount())
    vi.useFakeTimers({ toFake: ['Date'] })
    const start = Date.now()
    await ask(token)
    asked()
    vi.setSystemTime(start - 3_600_000)
    expect((await resultOf(await ask(token))).structuredContent?.cache_age_seconds).toBe(0)
    expect(asked()).toEqual(['/rates/?format=json'])
    await ask(token)
    expect(asked()).toEqual(['/token'])
  })

  it('says when there is no rate for a country', async () => {
    expect(failureOf(await resultOf(await ask(stack.manualToken(newAccount()), 'AQ')))).toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
