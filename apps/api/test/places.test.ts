// All places with the upstream are taken: a repeat needs none.
import { randomUUID } from 'node:crypto'
import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AT_ONCE_MAX } from '../src/ledger/standing.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { EDGE_SECRET, startWorld, type World } from './support/world.ts'

/** Nothing here is to end by itself; only the wait for a place is short. */
const TIMES = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000, placeMs: 50 }

const one = { to: '37060000001', from: 'Tests', message: 'Hello' }

const THROUGH_MCP = { [EDGE_SECRET_HEADER]: EDGE_SECRET, [CLIENT_ADDRESS_HEADER]: '127.0.0.1' }

/** The ids and numbers in an answer; digits inside a UUID are neither. */
const idsIn = (body: unknown) => JSON.stringify(body).match(/(?<![\w-])\d{9,}(?![\w-])/g)

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())

test.each([
  ['POST /sms', one],
  ['POST /sms/batch', { ...one, to: [one.to] }],
  ['POST /hlr', { msisdn: one.to, callBackUrl: 'https://example.org/hlr' }],
])(
  'the repeat of a finished %s is answered, by its key and through MCP without one, while all places with the upstream are taken, and only it is',
  async (route, body) => {
    const { token } = await world.makeAccount()
    let open = () => {}
    let gate: Promise<void> | undefined
    const operator = {
      ...fakeOperator(undefined, () => gate),
      hlr: async () => ({ kind: 'accepted', reference: 'r', parts: null, priceMicros: null }) as const,
    }
    const node = await world.startNode({}, { operator, times: TIMES })
    const keyed = { token, body, headers: { 'idempotency-key': randomUUID() } }
    const first = await node.call(route, keyed)
    expect(first.status).toBe(200)
    const bare = {
      ...keyed,
      body: JSON.parse(JSON.stringify(body).replace(one.to, '37060000009')),
      headers: THROUGH_MCP,
    }
    const firstBare = await node.call(route, bare)
    expect(firstBare.status).toBe(200)
    // A list goes out behind its answer.
    const before = route === 'POST /hlr' ? 0 : 2
    await eventually(async () => operator.handOvers.size === before)

    gate = new Promise((resolve) => {
      open = resolve
    })
    const others = Array.from({ length: AT_ONCE_MAX }, () => node.call('POST /sms', { token, body: one }))
    await eventually(async () => operator.handOvers.size === before + AT_ONCE_MAX, 60_000)

    const repeat = await node.call(route, keyed)
    expect([repeat.status, repeat.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    expect(idsIn(repeat.body)).toEqual(idsIn(first.body))
    const repeatBare = await node.call(route, bare)
    expect([repeatBare.status, idsIn(repeatBare.body)]).toEqual([200, idsIn(firstBare.body)])
    const reused = await node.call(route, { ...keyed, body: JSON.parse(JSON.stringify(body).replaceAll('1', '2')) })
    expect([reused.status, reused.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
    const another = JSON.parse(JSON.stringify(body).replace(one.to, '37060000008'))
    for (const changes of [
      { headers: {} },
      { headers: { 'idempotency-key': randomUUID() } },
      { headers: THROUGH_MCP, body: another },
    ]) {
      const refused = await node.call(route, { ...keyed, ...changes })
      expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED'])
    }
    open()
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200))
    expect(operator.handOvers.size).toBe(before + AT_ONCE_MAX)
  },
  120_000,
)
