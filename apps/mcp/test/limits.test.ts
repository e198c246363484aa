import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { envelopeOf } from './support/read.ts'
import { modern, post, type Stack, startStack } from './support/stack.ts'

const LIST = modern('tools/list')
const env = { RATE_LIMITS: 'on', CALLS_PER_MINUTE: '5', FAILURES_PER_MINUTE: '10', TRUST_PROXY: '1' }

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ env })
})
afterAll(() => stack.close())

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

describe('the limit of an address', () => {
  it('answers 429 to more requests without credentials, and not to those of another address', async () => {
    const from = newAddress()
    expect(await statuses(10, () => post(stack.url, null, LIST, from))).toEqual(Array(10).fill(401))
    const response = await post(stack.url, null, LIST, from)
    expect([response.status, (await envelopeOf(response)).code]).toEqual([429, 'RATE_LIMITED'])
    expect((await post(stack.url, null, LIST, newAddress())).status).toBe(401)
  })

  it('ends the guessing of tokens before the API is asked', async () => {
    const from = newAddress()
    let guess = 0
    const send = () => post(stack.url, `vsms_guess${++guess}`, LIST, from)
    expect(await statuses(10, send)).toEqual(Array(10).fill(401))
    stack.upstream.seen.length = 0
    expect((await send()).status).toBe(429)
    expect(stack.upstream.seen).toEqual([])
  })

  it('does not hold up a token that was accepted before, though others fail behind the same address', async () => {
    const from = newAddress()
    const token = stack.manualToken()
    expect((await post(stack.url, token, LIST, from)).status).toBe(200)
    await statuses(12, () => post(stack.url, null, LIST, from))
    expect((await post(stack.url, token, LIST, from)).status).toBe(200)
    expect((await post(stack.url, stack.manualToken(), LIST, from)).status).toBe(429)
  })

  it('counts the refusals of tool calls as well', async () => {
    const from = newAddress()
    const call = modern('tools/call', { name: 'get_operator', arguments: { operatorId: 7 } })
    let guess = 0
    const given = await statuses(11, () => post(stack.url, `vsms_call${++guess}`, call, from))
    expect(given).toEqual([...Array(10).fill(401), 429])
  })
})
