import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { envelopeOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'
import { errorAnswer } from './support/upstream.ts'

const LIST = modern('tools/list')
const env = { RATE_LIMITS: 'on', CALLS_PER_MINUTE: '5', FAILURES_PER_MINUTE: '10', TRUST_PROXY: '1' }

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ env })
  // Nothing is refilled while a test counts, however slow the machine.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now())
})
afterAll(async () => {
  vi.restoreAllMocks()
  await stack.close()
})

let address = 0
const newAddress = () => ({ 'x-forwarded-for': `198.51.100.${++address}` })
async function statuses(count: number, send: () => Promise<Response>): Promise<number[]> {
  const given: number[] = []
  for (let round = 0; round < count; round++) given.push((await send()).status)
  return given
}

describe('the limit of a connection', () => {
  it('answers 429 with Retry-After and the envelope when it is used up, and asks the API no more', async () => {
    const token = stack.manualToken()
    expect(await statuses(5, () => post(stack.url, token, LIST))).toEqual(Array(5).fill(200))
    stack.upstream.seen.length = 0
    const response = await post(stack.url, token, LIST)
    expect(response.status).toBe(429)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(12)
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await envelopeOf(response)).toMatchObject({ code: 'RATE_LIMITED', retryable: true })
    expect(stack.upstream.seen).toEqual([])
  })

  it('holds no other connection up', async () => {
    expect((await post(stack.url, stack.manualToken(), LIST)).status).toBe(200)
  })

  it('counts the access tokens of one connection together, so that a refresh does not renew it', async () => {
    const shape = { payload: { sub: 'account-9', client_id: 'client-9' } }
    const given = await statuses(6, async () => post(stack.url, await stack.accessToken(shape), LIST))
    expect(given).toEqual([200, 200, 200, 200, 200, 429])
    const other = await stack.accessToken({ payload: { sub: 'account-9', client_id: 'client-8' } })
    expect((await post(stack.url, other, LIST)).status).toBe(200)
  })
})

const guesses = (prefix: string, headers: () => Record<string, string>) => {
  let guess = 0
  return () => post(stack.url, `vsms_${`${prefix}${++guess}`.padEnd(43, 'x')}`, LIST, headers())
}

describe('a request that costs no look-up', () => {
  it('without credentials gets 401 with its challenge, however many there were', async () => {
    const from = newAddress()
    expect(await statuses(30, () => post(stack.url, null, LIST, from))).toEqual(Array(30).fill(401))
    const response = await post(stack.url, null, LIST, from)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer resource_metadata="/)
    expect((await envelopeOf(response)).code).toBe('AUTH_REQUIRED')
  })

  it('with an access token that is not good gets 401, which starts a refresh, however many there were', async () => {
    const from = newAddress()
    const expired = await stack.accessToken({ payload: { exp: 1_000_000_000 } })
    expect(await statuses(30, () => post(stack.url, expired, LIST, from))).toEqual(Array(30).fill(401))
  })

  it('with an access token that verifies is served, whatever others did behind its address', async () => {
    const from = newAddress()
    await statuses(
      11,
      guesses('jwt', () => from),
    )
    const jwt = await stack.accessToken({ payload: { sub: 'account-7', client_id: 'client-7' } })
    expect((await post(stack.url, jwt, LIST, from)).status).toBe(200)
    const deleted = await stack.accessToken({ payload: { sub: 'account-6', client_id: 'client-6' } })
    stack.upstream.tokens.delete(deleted)
    expect((await post(stack.url, deleted, LIST, from)).status).toBe(401)
  })
})

describe('the limit of failed look-ups', () => {
  it('ends the guessing of tokens before the API is asked, for one address and no other', async () => {
    const from = newAddress()
    const send = guesses('guess', () => from)
    expect(await statuses(10, send)).toEqual(Array(10).fill(401))
    stack.upstream.seen.length = 0
    const response = await send()
    expect([response.status, (await envelopeOf(response)).code]).toEqual([429, 'RATE_LIMITED'])
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(stack.upstream.seen).toEqual([])
    expect((await post(stack.url, stack.manualToken(), LIST, newAddress())).status).toBe(200)
  })

  it('counts guesses made at once like guesses in a row', async () => {
    const from = newAddress()
    const send = guesses('parallel', () => from)
    const given = (await Promise.all(Array.from({ length: 40 }, send))).map(({ status }) => status)
    expect(given.filter((status) => status === 401)).toHaveLength(10)
    expect(given.filter((status) => status === 429)).toHaveLength(30)
  })

  it('counts the refusals of tool calls as well', async () => {
    const from = newAddress()
    const call = modern('tools/call', { name: 'get_operator', arguments: { operatorId: 7 } })
    let guess = 0
    const given = await statuses(11, () => post(stack.url, `vsms_${`call${++guess}`.padEnd(43, 'x')}`, call, from))
    expect(given).toEqual([...Array(10).fill(401), 429])
  })

  it('holds up an unknown token only: one that was accepted before is served though others fail', async () => {
    const from = newAddress()
    const token = stack.manualToken()
    expect((await post(stack.url, token, LIST, from)).status).toBe(200)
    await statuses(
      12,
      guesses('noise', () => from),
    )
    expect((await post(stack.url, token, LIST, from)).status).toBe(200)
    expect((await post(stack.url, stack.manualToken(), LIST, from)).status).toBe(429)
  })

  it('is not spent by tokens that are good, by an outage, or by a token that may not be used from there', async () => {
    const from = newAddress()
    expect(await statuses(20, () => post(stack.url, stack.manualToken(), LIST, from))).toEqual(Array(20).fill(200))
    stack.upstream.override = () => errorAnswer('UNAVAILABLE')
    expect(await statuses(20, () => post(stack.url, stack.manualToken(), LIST, from))).toEqual(Array(20).fill(503))
    stack.upstream.override = () => errorAnswer('IP_NOT_ALLOWED')
    expect(await statuses(20, () => post(stack.url, stack.manualToken(), LIST, from))).toEqual(Array(20).fill(401))
    stack.upstream.override = undefined
    expect((await post(stack.url, stack.manualToken(), LIST, from)).status).toBe(200)
  })

  it('takes a token that was accepted and then deleted for a stranger', async () => {
    const from = newAddress()
    const token = stack.manualToken()
    expect((await post(stack.url, token, LIST, from)).status).toBe(200)
    stack.upstream.tokens.delete(token)
    expect((await post(stack.url, token, LIST, from)).status).toBe(401)
    await statuses(
      10,
      guesses('after', () => from),
    )
    expect((await post(stack.url, token, LIST, from)).status).toBe(429)
  })

  it('counts all hosts of an IPv6 /64 as one, and leaves the next /64 alone', async () => {
    let host = 0
    const send = guesses('six', () => ({ 'x-forwarded-for': `2001:db8:1:1::${++host}` }))
    expect(await statuses(11, send)).toEqual([...Array(10).fill(401), 429])
    const neighbour = { 'x-forwarded-for': '2001:db8:1:2::1' }
    expect((await post(stack.url, 'vsms_neighbourxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', LIST, neighbour)).status).toBe(
      401,
    )
  })

  it('counts the /64 of an IPv6 /48 together up to a wider ceiling, and leaves the next /48 alone', async () => {
    let host = 0
    const send = guesses('wide', () => ({ 'x-forwarded-for': `2001:db8:2:${(++host % 16).toString(16)}::1` }))
    expect(await statuses(81, send)).toEqual([...Array(80).fill(401), 429])
    const neighbour = { 'x-forwarded-for': '2001:db8:3:1::1' }
    expect((await post(stack.url, 'vsms_widexxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', LIST, neighbour)).status).toBe(
      401,
    )
  })

  it('takes an IPv4 address written as IPv6 for the IPv4 address', async () => {
    const from = newAddress()
    await statuses(
      10,
      guesses('mapped', () => from),
    )
    const mapped = { 'x-forwarded-for': `::ffff:${from['x-forwarded-for']}` }
    expect((await post(stack.url, 'vsms_mappedxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', LIST, mapped)).status).toBe(429)
  })
})

describe('the limit of one token', () => {
  it('holds a dead token in a loop up wherever it comes from, without spending what its address has', async () => {
    const roomy = await startStack({ env: { RATE_LIMITS: 'on', FAILURES_PER_MINUTE: '40', TRUST_PROXY: '1' } })
    const from = newAddress()
    const given = await statuses(60, () =>
      post(roomy.url, 'vsms_deadxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', LIST, from),
    )
    expect(given).toEqual([...Array(20).fill(401), ...Array(40).fill(429)])
    expect((await post(roomy.url, 'vsms_deadxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', LIST, newAddress())).status).toBe(
      429,
    )
    expect((await post(roomy.url, roomy.manualToken(), LIST, from)).status).toBe(200)
    await roomy.close()
  })
})
