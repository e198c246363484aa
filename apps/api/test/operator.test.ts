// The simulated operator through the interface that the real one has too: orders, reports, lookups, senders.
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newSmsId } from '../src/upstream/ids.ts'
import { createOperator, type SimulatedOperator } from '../src/upstream/sandbox/operator.ts'
import { createSandbox, type Sandbox } from '../src/upstream/sandbox/sandbox.ts'
import type { DeliveryReport, LookupReport, SmsOrder } from '../src/upstream/upstream.ts'
import { seed } from './support/world.ts'

const BALANCE = 1_000_000n
let db: Database
let close: () => Promise<void>
let followDate: (aheadMs?: number) => Promise<void>
let operator: SimulatedOperator
let sandbox: Sandbox
let accountId: string
let delivered: DeliveryReport[] = []
let lookups: LookupReport[] = []
/** How many further reports the door refuses. */
let refusing = 0

beforeAll(async () => {
  ;({ db, close, followDate } = await testDatabase())
  const take =
    <Report>(into: () => Report[]) =>
    async (report: Report) => {
      if (refusing-- > 0) throw new Error('not now')
      into().push(report)
    }
  const options = { db, times: { deliveryMs: 1_000, hlrMs: 1_000, reviewMs: 1_000 }, wakeIn: () => {} }
  operator = createOperator({
    ...options,
    door: { delivery: take(() => delivered), lookup: take(() => lookups) },
  })
  sandbox = createSandbox({ ...options, pinKey: new Uint8Array(32), checkCallbackUrl: (url) => url })
})
afterAll(() => close())
beforeEach(async () => {
  await followDate()
  await db.message.deleteMany()
  accountId = (await seed(db).makeAccount(BALANCE)).accountId
  delivered = []
  lookups = []
  refusing = 0
})

const order = (set: Partial<SmsOrder> = {}): SmsOrder => ({
  accountId,
  generation: 0,
  messageId: newSmsId(),
  to: '37060000001',
  from: 'Tests',
  message: 'Hello',
  coding: 0,
  codingNamed: false,
  ...set,
})
const spent = async () => BALANCE - ((await operator.balanceMicros(accountId)) ?? 0n)
/** Lets so much time pass, as one node or several see it. */
async function pass(ms: number, nodes = 1): Promise<void> {
  await followDate(ms)
  const now = await databaseNow(db)
  await Promise.all(Array.from({ length: nodes }, () => sandbox.advance(now)))
  await Promise.all(Array.from({ length: nodes }, () => operator.tell(now)))
}

describe('the simulated operator', () => {
  test('takes a message for its price, and keeps nothing but what it needs to deliver it', async () => {
    const sent = order({ message: 'x'.repeat(161) })
    const price = await operator.cost(sent)
    const answer = await operator.send(sent)
    expect(answer).toEqual({ kind: 'accepted', reference: expect.any(String), parts: 2, priceMicros: price?.micros })
    expect(await spent()).toBe(price?.micros)
    const row = await db.message.findFirstOrThrow({ where: { orderId: sent.messageId } })
    expect(row).toMatchObject({ connectionId: null, manualTokenId: null, dlrUrl: null, status: 'accepted' })
    expect(row.id).not.toBe(sent.messageId)
  })

  test('takes the same order as often as it is given', async () => {
    const sent = order()
    const price = (await operator.cost(sent))?.micros ?? 0n
    await Promise.all([operator.send(sent), operator.send(sent), operator.send(sent)])
    expect(await spent()).toBe(price * 3n)
    expect(await db.message.count({ where: { orderId: sent.messageId } })).toBe(3)
  })

  test.each([
    ['no mobile number', { to: '37052123456' }, 53, 'not_mobile'],
    ['a filtered number', { to: '447700900021' }, 21, undefined],
    ['a number that is out of money', { to: '447700900024' }, 24, undefined],
    ['a name that must be registered', { to: '6591234567' }, undefined, 'sender_not_confirmed'],
    ['a name where none is taken', { to: '12015550123' }, undefined, 'sender_name_not_taken'],
    ['a number that is not confirmed', { from: '37060000009' }, undefined, 'sender_not_confirmed'],
  ])('refuses %s, and charges and keeps nothing', async (_what, set, errorCode, reason) => {
    const answer = await operator.send(order(set))
    expect(answer).toMatchObject({ kind: 'refused', code: 'SEND_REFUSED', message: expect.any(String) })
    expect(answer).toMatchObject({ ...(errorCode ? { errorCode } : {}), ...(reason ? { reason } : {}) })
    expect(await spent()).toBe(0n)
    expect(await db.message.count({ where: { accountId } })).toBe(0)
  })

  test('never lets a balance go below nothing, however many orders come at once', async () => {
    const price = (await operator.cost(order()))?.micros ?? 1n
    const affordable = Number(BALANCE / price)
    const answers = await Promise.all(Array.from({ length: affordable + 5 }, () => operator.send(order())))
    expect(answers.filter(({ kind }) => kind === 'accepted').length).toBe(affordable)
    expect(answers.filter((answer) => answer.kind === 'refused' && answer.errorCode === 24).length).toBe(5)
    expect(await operator.balanceMicros(accountId)).toBeGreaterThanOrEqual(0n)
  })

  test('charges nothing for a test, and delivers or fails it as asked', async () => {
    const tests = [order({ testMode: 1 }), order({ testMode: 2 })]
    for (const one of tests) expect(await operator.send(one)).toMatchObject({ kind: 'accepted', priceMicros: 0n })
    await pass(2_000)
    const statusOf = ({ messageId }: SmsOrder) => delivered.find((report) => report.messageId === messageId)?.status
    expect(tests.map(statusOf)).toEqual([1, 2])
  })

  test('knows the dearest rate of a country, which no price in it exceeds, and none of a country it does not serve', async () => {
    for (const to of ['37060000001', '37061234567', '37067712345', '37069912345']) {
      const price = await operator.cost(order({ to }))
      expect(price?.micros).toBeLessThanOrEqual((await operator.dearestRateMicros(accountId, 'LT')) ?? 0n)
    }
    expect(await operator.dearestRateMicros(accountId, 'ZZ')).toBeNull()
    const price = await operator.cost(order())
    const [mcc = '', mnc = ''] = [price?.mccmnc.slice(0, 3), price?.mccmnc.slice(3)]
    expect(await operator.networkRateMicros(accountId, 'LT', mcc, mnc)).toBe(price?.micros)
    expect(await operator.networkRateMicros(accountId, 'LV', mcc, mnc)).toBeNull()
    expect(await operator.cost(order({ to: '37052123456', message: ' ' }))).toBeNull()
  })
})

describe('a report', () => {
  test('comes once its time has come, under our id, with the network, and only once', async () => {
    const sent = order()
    const answer = await operator.send(sent)
    await pass(500)
    expect(delivered).toEqual([])
    await pass(2_000)
    await pass(9_000)
    expect(delivered).toEqual([{ messageId: sent.messageId, status: 1, error: 0, mcc: '246', mnc: expect.any(String) }])
    const reference = answer.kind === 'accepted' ? answer.reference : ''
    expect(await operator.status(accountId, reference)).toEqual(delivered[0])
    expect(await operator.status(randomUUID(), reference)).toBeNull()
  })

  test('that the door did not take is told again, and only what it took counts as told', async () => {
    const sent = order()
    await operator.send(sent)
    refusing = 1
    await expect(pass(2_000)).rejects.toThrow('not now')
    expect((await db.message.findFirstOrThrow({ where: { orderId: sent.messageId } })).tellAt).not.toBeNull()
    await pass(3_000)
    expect(delivered).toEqual([])
    await pass(9_000)
    expect(delivered.length).toBe(1)
    expect((await db.message.findFirstOrThrow({ where: { orderId: sent.messageId } })).tellAt).toBeNull()
  })

  test('that the door did not take holds up no other', async () => {
    const orders = Array.from({ length: 5 }, () => order())
    for (const one of orders) await operator.send(one)
    refusing = 2
    await expect(pass(2_000)).rejects.toThrow()
    expect(delivered.length).toBe(3)
  })

  test('of a failed number carries its code, and one past its validity is 16', async () => {
    const failed = order({ to: '447700900001' })
    await operator.send(failed)
    const late = createOperator({
      db,
      times: { deliveryMs: 600_000, hlrMs: 0, reviewMs: 0 },
      wakeIn: () => {},
      door: { delivery: async () => {}, lookup: async () => {} },
    })
    const expired = order({ expireInSeconds: 360 })
    await late.send(expired)
    const usual = order()
    await late.send(usual)
    await pass(400_000)
    const of = ({ messageId }: SmsOrder) => delivered.find((report) => report.messageId === messageId)
    expect(of(failed)).toMatchObject({ status: 2, error: 1 })
    expect(of(expired)).toMatchObject({ status: 16, error: 2 })
    // One that names no validity has three days.
    const { createdAt, expiresAt } = await db.message.findFirstOrThrow({ where: { orderId: usual.messageId } })
    expect(expiresAt.getTime() - createdAt.getTime()).toBe(3 * 86_400_000)
  })

  test('and the text on the phone come from one of several nodes', async () => {
    await operator.send(order())
    await pass(2_000, 4)
    expect(await db.sandboxText.count({ where: { accountId } })).toBe(1)
    expect(delivered.length).toBeGreaterThan(0)
    expect(new Set(delivered.map(({ messageId }) => messageId)).size).toBe(1)
  })
})

describe('a lookup', () => {
  test('is charged, answered in time and told under our id alone', async () => {
    const messageId = 1_234_567n
    expect(await operator.hlr({ accountId, generation: 0, messageId, msisdn: '37061234567' })).toMatchObject({
      kind: 'accepted',
    })
    expect(await spent()).toBe(await operator.hlrPriceMicros(accountId))
    await pass(2_000)
    expect(lookups).toEqual([{ messageId, result: expect.objectContaining({ error: '0', country: 'LT' }) }])
    expect(lookups[0]?.result).not.toHaveProperty('id')
  })

  test.each([
    ['37052123456', 53],
    ['447700900020', 20],
    ['447700900024', 24],
  ])('of %s is refused with %i and charged nothing', async (msisdn, errorCode) => {
    const answer = await operator.hlr({ accountId, generation: 0, messageId: 1n, msisdn })
    expect(answer).toMatchObject({ kind: 'refused', code: 'LOOKUP_REFUSED', errorCode })
    expect(await spent()).toBe(0n)
  })
})

describe('a row of the release before', () => {
  /** As it was written when the operator still knew connections, times and callback addresses. */
  async function oldRow(set: { status?: 'scheduled' | 'accepted' | 'cancelled'; connectionId?: string } = {}) {
    const now = await databaseNow(db)
    const soon = new Date(now.getTime() + 1_000)
    return db.message.create({
      data: {
        id: newSmsId(),
        accountId,
        recipient: '37060000001',
        sender: 'Tests',
        text: 'Hello',
        coding: 0,
        parts: 1,
        priority: 1,
        priceMicros: 39_000n,
        mccmnc: '24603',
        status: 'accepted',
        outcomeCode: 0,
        dlrUrl: 'https://example.com/report',
        createdAt: now,
        sendAt: soon,
        reportAt: soon,
        expiresAt: new Date(now.getTime() + 100_000),
        ...set,
      },
    })
  }

  test('is delivered, and its callback is owed; nobody else is told', async () => {
    const { id } = await oldRow({ status: 'scheduled' })
    await pass(2_000)
    await pass(2_000)
    expect(await db.message.findUniqueOrThrow({ where: { id } })).toMatchObject({ status: 'delivered', tellAt: null })
    const owed = await db.callback.findMany({ where: { accountId } })
    expect(owed.map(({ body }) => body)).toEqual([{ id: String(id), status: 1, error: 0, mcc: '246', mnc: '03' }])
    expect(delivered).toEqual([])
  })

  test('that was cancelled is given back once, and what its connection’s end left is cancelled at its time', async () => {
    await oldRow({ status: 'cancelled' })
    await pass(2_000, 3)
    expect(await spent()).toBe(-39_000n)
    const connectionId = randomUUID()
    const now = await databaseNow(db)
    await db.connection.create({
      data: {
        id: connectionId,
        accountId,
        grantId: randomUUID(),
        clientId: 'client',
        clientName: 'Client',
        redirectHost: 'localhost',
        scopes: [],
        createdAt: now,
        approvedAt: now,
        expiresAt: new Date(now.getTime() + 1_000_000),
        endedAt: now,
      },
    })
    const { id } = await oldRow({ status: 'scheduled', connectionId })
    await pass(5_000)
    expect(await db.message.findUniqueOrThrow({ where: { id } })).toMatchObject({
      status: 'cancelled',
      priceMicros: 0n,
    })
    expect(await spent()).toBe(-78_000n)
  })
})
