import { EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { hlrResultSchema, hlrStatusResponseSchema } from '@vertexsms/contract/rest'
import { sampleOf } from '@vertexsms/service/sample'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { startReceiver } from './support/receiver.ts'
import { EDGE_SECRET, RACING, startWorld, type World } from './support/world.ts'

let world: World
let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  world = await startWorld({}, { poolSize: RACING })
})
afterAll(async () => {
  await world.close()
  await receiver.close()
})

const submit = (body: Record<string, unknown>, token = world.token) => world.node.call('POST /hlr', { token, body })

describe('an HLR lookup', () => {
  test('is charged, answered to the long poll and to the callback, with one result', async () => {
    const before = await world.db.account.findUniqueOrThrow({ where: { id: world.accountId } })
    const { status, body } = await submit({ msisdn: '+37061234567', callBackUrl: `${receiver.url}/hlr` })
    expect([status, body]).toEqual([200, [expect.any(Number)]])
    const after = await world.db.account.findUniqueOrThrow({ where: { id: world.accountId } })
    expect(before.balanceMicros - after.balanceMicros).toBe(5_000n)
    const answer = await world.node.call(`GET /hlr/${body[0]}?wait=20`, { token: world.token })
    const { result, ...rest } = hlrStatusResponseSchema.parse(answer.body)
    expect(rest).toEqual({ id: String(body[0]), status: 'done', msisdn: '37061234567' })
    expect(result).toMatchObject({ error: '0', country: 'LT', mcc: '246', imsi: expect.stringMatching(/^246\d{12}$/) })
    const post = await eventually(async () => receiver.posts.find((one) => one.body.id === String(body[0])))
    expect(hlrResultSchema.parse(post.body)).toEqual(result)
    expect(receiver.posts.filter((one) => one.body.id === String(body[0]))).toHaveLength(1)
  })

  test('through MCP is the same for two minutes, unless it is asked for again in so many words, with a key', async () => {
    const { accountId, token } = await world.makeAccount()
    const look = async (changes: Record<string, unknown> = {}, key: string | null = null) => {
      const headers = { [EDGE_SECRET_HEADER]: EDGE_SECRET, ...(key !== null && { 'idempotency-key': key }) }
      const body = { msisdn: '+37061234568', ...changes }
      const answer = await world.node.call('POST /hlr', { token, body, headers })
      expect([answer.status, answer.body]).toEqual([200, [expect.any(Number)]])
      return answer.body[0]
    }
    const first = await look()
    expect(await look()).toBe(first)
    const again = await look({ allowRepeat: true }, 'once-more')
    expect(again).not.toBe(first)
    expect(await look({ allowRepeat: true }, 'once-more')).toBe(again)
    expect(await world.db.sendMessage.count({ where: { accountId } })).toBe(2)
  })

  test('says at once that it is pending to who does not wait, and after the wait to who does', async () => {
    const node = await world.startNode({ SANDBOX_HLR_MS: '60000' })
    const [id] = (await node.call('POST /hlr', { token: world.token, body: { msisdn: '37061234567' } })).body
    const pending = { id: String(id), status: 'pending', msisdn: '37061234567', result: null }
    expect((await node.call(`GET /hlr/${id}`, { token: world.token })).body).toEqual(pending)
    const from = performance.now()
    expect((await node.call(`GET /hlr/${id}?wait=1`, { token: world.token })).body).toEqual(pending)
    expect(performance.now() - from).toBeGreaterThan(950)
  })

  test('answers everyone who waits as soon as the node is told to stop', async () => {
    const node = await world.startNode({ SANDBOX_HLR_MS: '60000' })
    const [id] = (await node.call('POST /hlr', { token: world.token, body: { msisdn: '37061234567' } })).body
    let received = 0
    node.app.server.on('request', () => received++)
    const waiting = Array.from({ length: 5 }, () => node.call(`GET /hlr/${id}?wait=20`, { token: world.token }))
    await eventually(async () => received === 5)
    const from = performance.now()
    await Promise.all([node.close(), ...waiting])
    expect(performance.now() - from).toBeLessThan(10_000)
    for (const { status, body } of await Promise.all(waiting)) expect([status, body.status]).toEqual([200, 'pending'])
  })

  test('can be finished on another node than it began on', async () => {
    const first = await world.startNode({ SANDBOX_HLR_MS: '300' })
    const second = await world.startNode()
    const [id] = (await first.call('POST /hlr', { token: world.token, body: { msisdn: '37061234567' } })).body
    expect((await second.call(`GET /hlr/${id}?wait=20`, { token: world.token })).body.status).toBe('done')
  })

  test('is not there for another account, nor under an address that is no id', async () => {
    const [id] = (await submit({ msisdn: '37061234567' })).body
    const { token } = await world.makeAccount()
    for (const address of [String(id), '0', '-1', '1e3', 'x', '99999999999999999', '9999999999999999999999']) {
      const { status, body } = await world.node.call(`GET /hlr/${address}?wait=5`, { token })
      expect([status, body], address).toEqual([
        404,
        { message: 'There is no such lookup of this token.', code: 'NOT_FOUND', error_code: null },
      ])
    }
  })

  test.each(['x', '-1', '1e9', '1.5', '99999'])('refuses the wait %s', async (wait) => {
    const { status, body } = await world.node.call(`GET /hlr/1?wait=${wait}`, { token: world.token })
    expect([status, body.code]).toEqual([400, 'INVALID_INPUT'])
  })

  test.each([
    [{ msisdn: '123' }, 'LOOKUP_REFUSED', 53],
    [{ msisdn: '+37052123456' }, 'LOOKUP_REFUSED', 53],
    [{ msisdn: '447700900024' }, 'LOOKUP_REFUSED', 24],
    [{ msisdn: '447700900020' }, 'LOOKUP_REFUSED', 20],
    [{}, 'INVALID_INPUT', null],
    [{ msisdn: 37061234567 }, 'INVALID_INPUT', null],
    [{ msisdn: '37061234567', callBackUrl: 'https://10.0.0.1/' }, 'URL_NOT_ALLOWED', null],
  ])('refuses %j with %s %s', async (request, code, errorCode) => {
    const { status, body } = await submit(request)
    expect([status, body.code, body.error_code]).toEqual([400, code, errorCode])
  })

  test('is refused with code 24 when the balance does not cover it', async () => {
    const { token } = await world.makeAccount(4_999n)
    expect((await submit({ msisdn: '37061234567' }, token)).body).toMatchObject({
      code: 'LOOKUP_REFUSED',
      error_code: 24,
    })
  })

  test.each(sampleOf([1, 2, 40, 41, 43, 51, 999], 3, process.env))(
    'of the magic number %i answers with that code',
    async (code) => {
      const [id] = (await submit({ msisdn: `447700900${String(code).padStart(3, '0')}` })).body
      const { result } = (await world.node.call(`GET /hlr/${id}?wait=20`, { token: world.token })).body
      expect(result).toMatchObject({ error: String(code), imsi: null, operatorId: null, country: 'GB' })
    },
  )
})
