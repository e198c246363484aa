import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReportDoor } from '../src/sending/reports.ts'
import { createOperator } from '../src/upstream/sandbox/operator.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const sms = { to: '37060000001', from: 'Tests', message: 'Hello' }
const name = (at: number) => ({ type: 'MSISDN', name: `3706003000${at}` })

async function several(request: string, body: (at: number) => unknown): Promise<bigint[]> {
  const ids: bigint[] = []
  for (let at = 0; at < 8; at++) {
    const answer = await world.node.call(request, { token: world.token, body: body(at) })
    expect(answer.status).toBe(200)
    ids.push(BigInt(Array.isArray(answer.body) ? answer.body[0] : answer.body))
  }
  return ids
}

/** Ids that are counted up, or lie close together, tell what happened between two of them. */
function expectTellNothing(ids: readonly bigint[], span: bigint) {
  expect(new Set(ids).size).toBe(ids.length)
  const sorted = [...ids].sort((left, right) => (left < right ? -1 : 1))
  expect((sorted.at(-1) ?? 0n) - (sorted[0] ?? 0n)).toBeGreaterThan(span / 20n)
  expect(ids).not.toEqual(sorted)
}

describe('an id', () => {
  test('of an SMS is 18 random digits in a string', async () => {
    const ids = await several('POST /sms', () => sms)
    for (const id of ids) expect(String(id)).toMatch(/^[1-9]\d{17}$/)
    expectTellNothing(ids, 10n ** 18n)
  })

  test.each([
    ['a lookup', 'POST /hlr', () => ({ msisdn: '37061234567' })],
    ['a sender', 'POST /senderId', name],
  ] as const)('of %s is random and exact as a JSON number', async (_what, request, body) => {
    const ids = await several(request, body)
    for (const id of ids) expect(Number.isSafeInteger(Number(id)) && id > 0n).toBe(true)
    expectTellNothing(ids, 2n ** 53n)
  })

  test('of an older release stays readable, for its own account alone', async () => {
    const now = new Date()
    const other = await world.makeAccount()
    await world.db.hlrLookup.create({
      data: { id: 7n, accountId: world.accountId, msisdn: '37061234567', priceMicros: 0n, createdAt: now, dueAt: now },
    })
    const { status, body } = await world.node.call('GET /hlr/7?wait=5', { token: world.token })
    expect([status, body.id, body.status]).toEqual([200, '7', 'done'])
    expect((await world.node.call('GET /hlr/7', { token: other.token })).status).toBe(404)
    await world.db.senderId.create({
      data: {
        id: 9n,
        accountId: world.accountId,
        name: 'Old',
        type: 'AlphaNumeric',
        status: 'confirmed',
        createdAt: now,
      },
    })
    const confirm = (token: string) => world.node.call('POST /senderId/confirm/9', { token, body: { code: '12345' } })
    expect((await confirm(world.token)).status).toBe(409)
    expect((await confirm(other.token)).status).toBe(404)
  })

  test('of an SMS of an older release tells its status to who sent it, and to nobody else of the account', async () => {
    const { accountId } = await world.makeAccount()
    const [own, another] = [await world.makeToken({ accountId }), await world.makeToken({ accountId })]
    const now = new Date()
    const text = { recipient: '37060000001', sender: 'Test', text: '', coding: 0, parts: 1, mccmnc: '24601' }
    const times = { createdAt: now, sendAt: new Date(now.getTime() + 3_600_000), reportAt: now, expiresAt: now }
    const older = { accountId, ...text, ...times, priority: 1, outcomeCode: 0, priceMicros: 0n, manualTokenId: own.id }
    const later = new Date(now.getTime() + 3_600_000)
    const rows = [
      [{ status: 'scheduled' }, { status: null, error: null, state: 'scheduled' }],
      [
        { status: 'accepted', reportAt: later },
        { status: null, error: null, state: 'sent' },
      ],
      [
        { status: 'delivered', errorCode: 0 },
        { status: 1, error: 0, state: 'delivered' },
      ],
      [
        { status: 'failed', errorCode: 1, expiresAt: later },
        { status: 2, error: 1, state: 'failed' },
      ],
      [
        { status: 'failed', errorCode: 2 },
        { status: 16, error: 2, state: 'expired' },
      ],
      [{ status: 'cancelled' }, { status: null, error: null, state: 'cancelled' }],
    ] as const
    for (const [at, [data, told]] of rows.entries()) {
      const { id } = await world.db.message.create({ data: { ...older, ...data, id: 100n + BigInt(at) } })
      const { status, body } = await world.node.call(`GET /sms/status/${id}`, { token: own.token })
      expect([status, body]).toEqual([200, { id: String(id), ...told }])
      expect((await world.node.call(`GET /sms/status/${id}`, { token: another.token })).status).toBe(404)
    }
    const { body } = await world.node.call('POST /sms', { token: own.token, body: sms })
    const { id } = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(body[0]) } })
    expect((await world.node.call(`GET /sms/status/${id}`, { token: own.token })).status).toBe(404)
  })

  test('that is taken is drawn again, and what the insert did with it is done once', async () => {
    const { accountId, token } = await world.makeAccount()
    const [taken] = (await world.node.call('POST /sms', { token, body: sms })).body
    const [lookup] = (await world.node.call('POST /hlr', { token, body: { msisdn: '37061234567' } })).body
    const { id: takenId } = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(taken) } })
    const { id: lookupId } = await world.db.hlrLookup.findFirstOrThrow({ where: { orderId: BigInt(lookup) } })
    const before = (await world.db.account.findUniqueOrThrow({ where: { id: accountId } })).balanceMicros
    const drawn = { sms: [takenId, takenId, 5n], number: [lookupId, 6n, 6n, 8n] }
    const draw = (from: bigint[]) => () => from.shift() ?? 0n
    const operator = createOperator({
      db: world.db,
      times: { deliveryMs: 60_000, hlrMs: 60_000, reviewMs: 60_000 },
      newIds: { sms: draw(drawn.sms), number: draw(drawn.number) },
      wakeIn: () => {},
      door: createReportDoor(
        world.db,
        () => operator,
        () => {},
      ),
    })
    const { call } = await world.startNode({}, { operator })
    const orderOf = async (route: string, body: object): Promise<bigint> =>
      BigInt((await call(route, { token, body })).body[0])
    const sent = await orderOf('POST /sms', sms)
    expect(await world.db.message.findUnique({ where: { id: 5n } })).toMatchObject({ orderId: sent })
    for (const id of [6n, 8n]) {
      const asked = await orderOf('POST /hlr', { msisdn: '37061234567' })
      expect(await world.db.hlrLookup.findUnique({ where: { id } })).toMatchObject({ orderId: asked })
    }
    const after = (await world.db.account.findUniqueOrThrow({ where: { id: accountId } })).balanceMicros
    const { priceMicros } = await world.db.message.findUniqueOrThrow({ where: { id: 5n } })
    expect(before - after).toBe(priceMicros + 10_000n)
  })
})
