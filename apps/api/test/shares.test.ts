import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createRequestLimits } from '../src/guard/request-limits.ts'
import type { ApiError } from '../src/http/api-error.ts'
import { LIMITS } from '../src/service-limits.ts'
import { eventually } from './support/eventually.ts'
import { type Node, RACING, startWorld, type World } from './support/world.ts'

let world: World
let slow: Node
beforeAll(async () => {
  world = await startWorld({}, { poolSize: RACING })
  slow = await world.startNode({ SANDBOX_HLR_MS: '600000' })
})
afterAll(() => world.close())

const submit = async (token: string): Promise<number> =>
  (await slow.call('POST /hlr', { token, body: { msisdn: '37061234567' } })).body[0]

/** Of those that hang. */
let refusals = 0

/** Hangs on a lookup until the test lets go of it. */
function hang(id: number, token: string) {
  const sent = request(`${slow.url}/hlr/${id}?wait=20`, { headers: { 'x-vertexsms-token': token } })
  sent.on('error', () => {})
  sent.on('response', (answer) => {
    if (answer.statusCode === 429) refusals++
    answer.resume()
  })
  sent.end()
  return { letGo: () => sent.destroy() }
}

const wait = (id: number, token: string) => slow.call(`GET /hlr/${id}?wait=1`, { token })

describe('a wait', () => {
  const { perToken, perAccount, perNode, retrySeconds } = LIMITS.waits
  const limited = expect.objectContaining({
    code: 'RATE_LIMITED',
    headers: { 'retry-after': String(retrySeconds) },
  })

  test('gives its place back once, however often it ends, and every place can be taken again', () => {
    const limits = createRequestLimits(true)
    const take = () => limits.wait({ id: 'a1', accountId: 'a' })
    for (let round = 0; round < 2; round++) {
      const [first, ...others] = Array.from({ length: perToken }, take)
      expect(take).toThrow(limited)
      first?.()
      first?.()
      others.push(take())
      expect(take).toThrow(limited)
      // All but one, which keeps its place.
      for (const giveBack of others.slice(1)) giveBack()
      const again = Array.from({ length: perToken - 1 }, take)
      expect(take).toThrow(limited)
      for (const giveBack of [...again, ...others.slice(0, 1)]) giveBack()
    }
  })

  test('finds no place where its account has all of its, or the node', () => {
    const limits = createRequestLimits(false)
    const tokens = Math.ceil(perAccount / perToken)
    for (let at = 0; at < perAccount; at++) limits.wait({ id: `a${at % tokens}`, accountId: 'a' })
    expect(() => limits.wait({ id: 'another', accountId: 'a' })).toThrow(limited)
    for (let at = perAccount; at < perNode; at++) limits.wait({ id: `b${at}`, accountId: `b${at}` })
    expect(() => limits.wait({ id: 'c', accountId: 'c' })).toThrow(limited)
  })
})

describe('lookups that are waited for', () => {
  test('are so many a token and an account; another account waits, and everybody reads, as ever', async () => {
    const { accountId, token } = await world.makeAccount()
    const tokens = [token, ...(await Promise.all([1, 2].map(async () => (await world.makeToken({ accountId })).token)))]
    const other = await world.makeAccount()
    const id = await submit(token)
    const theirs = await submit(other.token)

    // Five more than there are places: once they are refused, every place is taken.
    const most = LIMITS.waits.perToken + 5
    const hanging = Array.from({ length: most }, () => hang(id, token))
    await eventually(async () => refusals === 5)
    const refused = await wait(id, token)
    expect(refused.status).toBe(429)
    expect(refused.body).toEqual({ message: expect.any(String), code: 'RATE_LIMITED', error_code: null })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)

    // A second token of the account has its own share, a third finds the account's used up.
    const second = await submit(tokens[1] ?? '')
    hanging.push(...Array.from({ length: most }, () => hang(second, tokens[1] ?? '')))
    await eventually(async () => refusals === 10)
    expect((await wait(await submit(tokens[2] ?? ''), tokens[2] ?? '')).status).toBe(429)
    // Another token's lookup is none of its.
    expect((await wait(id, tokens[2] ?? '')).status).toBe(404)

    expect((await slow.call(`GET /hlr/${id}`, { token })).status).toBe(200)
    expect((await slow.call('GET /token', { token })).status).toBe(200)
    expect((await wait(theirs, other.token)).body.status).toBe('pending')

    // What is there is given, waits or not.
    await world.db.hlrLookup.updateMany({ where: { orderId: BigInt(theirs) }, data: { dueAt: new Date() } })
    await eventually(async () => (await wait(theirs, other.token)).body.status === 'done')

    // Who hangs up gives its place back.
    for (const { letGo } of hanging) letGo()
    await eventually(async () => (await wait(id, token)).status === 200)
  })

  test('hold no connection of the database: others are served while twice the pool waits', async () => {
    const { token } = await world.makeAccount()
    const other = await world.makeAccount()
    const id = await submit(token)
    const hanging = Array.from({ length: 12 }, () => hang(id, token))
    for (let at = 0; at < 20; at++) expect((await slow.call('GET /token', { token: other.token })).status).toBe(200)
    for (const { letGo } of hanging) letGo()
  })
})

describe('the pace of requests', () => {
  afterEach(() => void vi.useRealTimers())

  /** How many requests are taken before the first refusal, and that refusal. */
  function takeAll(take: () => void, most: number): { taken: number; refusal: ApiError | undefined } {
    for (let taken = 0; taken < most; taken++) {
      try {
        take()
      } catch (error) {
        return { taken, refusal: error as ApiError }
      }
    }
    return { taken: most, refusal: undefined }
  }

  test('gives a token its burst, then 429 with the time to wait, then what that time has brought', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const limits = createRequestLimits(true)
    const { perToken, perAccount } = LIMITS.requests
    const token = (id: string, accountId: string) => () => limits.take({ id, accountId })
    const first = takeAll(token('a1', 'a'), perToken.burst * 2)
    expect(first.taken).toBe(perToken.burst)
    expect([first.refusal?.status, first.refusal?.headers['retry-after']]).toEqual([429, '1'])
    // More tokens of the account get the rest of the account's, and no more.
    const others = ['a2', 'a3', 'a4'].map((id) => takeAll(token(id, 'a'), perToken.burst * 2).taken)
    expect(first.taken + others.reduce((sum, taken) => sum + taken, 0)).toBe(perAccount.burst)
    // Another account is not touched.
    expect(takeAll(token('b1', 'b'), perToken.burst * 2).taken).toBe(perToken.burst)
    vi.advanceTimersByTime(1_000)
    expect(takeAll(token('b1', 'b'), perToken.burst * 2).taken).toBe(perToken.perSecond)
  })

  test('is not counted where limits are off', () => {
    const limits = createRequestLimits(false)
    const take = () => limits.take({ id: 'a1', accountId: 'a' })
    expect(takeAll(take, LIMITS.requests.perAccount.burst * 2).refusal).toBeUndefined()
  })

  test('is kept at the door, in the one shape of errors', async () => {
    const { token } = await world.makeAccount()
    vi.useFakeTimers({ toFake: ['performance'] })
    const node = await world.startNode({ RATE_LIMITS: 'on' })
    const { burst } = LIMITS.requests.perToken
    // Counted at the door, and refused right behind it: the quickest way to use up what is there.
    const ask = { url: '/token?none=1', headers: { 'x-vertexsms-token': token } }
    // The first by itself: a token that the node has not seen may be asked about only so often at once.
    const statuses = [(await node.app.inject(ask)).statusCode]
    while (statuses.length < burst) {
      const count = Math.min(200, burst - statuses.length)
      const answers = await Promise.all(Array.from({ length: count }, () => node.app.inject(ask)))
      statuses.push(...answers.map(({ statusCode }) => statusCode))
    }
    expect(new Set(statuses)).toEqual(new Set([400]))
    const refused = await node.call('GET /token', { token })
    vi.useRealTimers()
    expect([refused.status, refused.body]).toEqual([
      429,
      { message: expect.any(String), code: 'RATE_LIMITED', error_code: null },
    ])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  }, 120_000)
})
