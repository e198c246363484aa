import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { eventually } from './support/eventually.ts'
import { deleteManualToken } from './support/issuer.ts'
import { RACING, startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({}, { poolSize: RACING })
})
afterAll(() => world.close())
afterEach(async () => {
  vi.useRealTimers()
  await world.followDate()
})

const HOUR_MS = 3_600_000
const sms = (changes: Record<string, unknown> = {}) => ({
  to: '37060000001',
  from: 'Tests',
  message: randomUUID(),
  ...changes,
})

/** A token whose value was replaced, as Settings -> API leaves it: the token's row, and one of the value before. */
async function replaced() {
  const { accountId } = await world.makeAccount()
  const { id, token: current } = await world.makeToken({ accountId })
  const { id: row, token: before } = await world.makeToken({ accountId, expiresAt: new Date(Date.now() + HOUR_MS) })
  await world.db.apiToken.update({ where: { id: row }, data: { replacedById: id, spenderId: id } })
  return { accountId, id, current, before }
}
const statusOf = async (token: string) => {
  const { status, body } = await world.node.call('GET /token', { token })
  return [status, body.code]
}
async function later(ms: number) {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
  await world.followDate()
}

describe('the value before of a token that was replaced', () => {
  test('is good for the hour and not a minute longer, by the clock of the database', async () => {
    const { current, before } = await replaced()
    expect([await statusOf(before), await statusOf(current)]).toEqual([
      [200, undefined],
      [200, undefined],
    ])
    await later(59 * 60_000)
    expect(await statusOf(before)).toEqual([200, undefined])
    await later(2 * 60_000)
    expect(await statusOf(before)).toEqual([401, 'TOKEN_EXPIRED'])
    expect(await statusOf(current)).toEqual([200, undefined])
  })

  test('ends with the token, at once', async () => {
    const { id, current, before } = await replaced()
    await deleteManualToken(world.db, id)
    for (const value of [current, before]) expect(await statusOf(value)).toEqual([401, 'TOKEN_INVALID'])
  })

  test('spends under the same limits, and either value sees what the other sent', async () => {
    const { id, current, before } = await replaced()
    const sent = await world.node.call('POST /sms', { token: before, body: sms() })
    expect(sent.status).toBe(200)
    await world.node.call('POST /sms', { token: current, body: sms() })
    const [counter] = await world.db.spenderCount.findMany({ where: { spenderId: id } })
    expect(counter?.dayRecipients).toBe(2)
    const status = await world.node.call(`GET /sms/status/${sent.body[0]}`, { token: current })
    expect(status.status).toBe(200)
    await world.db.spender.update({ where: { id }, data: { recipientsPerDay: 2 } })
    for (const token of [before, current]) {
      const refused = await world.node.call('POST /sms', { token, body: sms() })
      expect(refused.body.code).toBe('RECIPIENTS_REACHED')
    }
  })

  test.each([
    ['goes out after its hour', 'accepted', { replacedById: true }],
    ['is cancelled with the token', 'released', { id: true }],
  ] as const)('has scheduled what %s', async (_name, state, gone) => {
    const { accountId, id, before } = await replaced()
    const scheduled = new Date(Date.now() + 24 * HOUR_MS).toISOString()
    const sent = await world.node.call('POST /sms', { token: before, body: sms({ scheduled }) })
    expect(sent.status).toBe(200)
    if ('id' in gone) await deleteManualToken(world.db, id)
    else await world.db.apiToken.deleteMany({ where: { replacedById: id } })
    await world.db.send.updateMany({ where: { accountId }, data: { scheduledAt: new Date() } })
    await eventually(async () => (await world.db.sendMessage.count({ where: { accountId, state } })) === 1)
  })

  test('marks the token as used', async () => {
    const { accountId } = await world.makeAccount()
    const { id } = await world.makeToken({ accountId })
    const { id: row, token } = await world.makeToken({ accountId, expiresAt: new Date(Date.now() + HOUR_MS) })
    await world.db.apiToken.update({ where: { id: row }, data: { replacedById: id, spenderId: id } })
    const node = await world.startNode()
    await node.call('GET /token', { token })
    await node.close()
    expect((await world.db.apiToken.findUniqueOrThrow({ where: { id } })).lastUsedAt).not.toBeNull()
  })
})
