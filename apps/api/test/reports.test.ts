// What a report changes, in every state of its message: one file, so that its money stands beside its delivery and its results.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { settle } from '../src/ledger/settle.ts'
import { createReportDoor, ReportTooEarly } from '../src/sending/reports.ts'
import type { DeliveryReport, ReportDoor } from '../src/upstream/upstream.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { admitted, countOf, limit, makePayer, message, type Payer } from './support/ledger.ts'

const HOLD = 50_000n
const PRICE = 39_000n
const NETWORK = 30_000n
const DEAREST = 60_000n
const LOOKUP = 5_000n
const RESULT = { error: '0', imsi: '1', country: 'LT', operatorId: 1, operator: 'A', mcc: '246', mnc: '03', ported: [] }

let database: ServiceDatabase
let owner: Database
let db: Database
let door: ReportDoor
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase()
  owner = database.owner
  db = database.db
  door = doorOf(db)
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  payer = await makePayer(owner)
})

/** The door of a node that has the database so, where this happens before it knows a rate. */
function doorOf(db: Database, meanwhile: () => Promise<unknown> = async () => {}): ReportDoor {
  return createReportDoor(
    db,
    () => ({
      networkRateMicros: async (_accountId, _country, mcc) => {
        await meanwhile()
        return mcc === '246' ? NETWORK : null
      },
      hlrPriceMicros: async () => LOOKUP,
      dearestRateMicros: async () => DEAREST,
    }),
    () => {},
  )
}

/** A message that was handed over a moment ago. */
async function handed(dlrUrl: string | null = 'https://example.com/report'): Promise<bigint> {
  const one = message(HOLD)
  expect((await admitted(db, payer, [one], { send: { dlrUrl } })).kind).toBe('admitted')
  return one.id
}
/** One that was settled so. */
async function settled(
  outcome: 'accepted' | 'unknown' | 'released',
  chargedMicros: bigint | null = PRICE,
): Promise<bigint> {
  const id = await handed()
  await settle(db, [{ messageId: id, outcome, ...(outcome === 'accepted' ? { chargedMicros } : {}) }])
  return id
}
const report = (messageId: bigint, status: number, error = 0, mcc: string | null = '246'): DeliveryReport => ({
  messageId,
  status,
  error,
  mcc,
  mnc: mcc && '03',
})
const row = (id: bigint) => owner.sendMessage.findUniqueOrThrow({ where: { id } })
const spent = async () => (await countOf(owner, payer.tokenId)).totalSpentMicros
const callbacks = async () =>
  (await owner.callback.findMany({ where: { accountId: payer.accountId }, orderBy: { id: 'asc' } })).map(
    ({ body }) => body,
  )

describe('a delivery', () => {
  test('is kept with its network and told to the customer under our id, once, however often it is reported', async () => {
    const id = await settled('accepted')
    await Promise.all(Array.from({ length: 6 }, () => door.delivery(report(id, 1))))
    expect(await row(id)).toMatchObject({ delivery: 1, deliveryError: 0, mccmnc: '24603', finalAt: expect.any(Date) })
    expect(await callbacks()).toEqual([{ id: String(id), status: 1, error: 0, mcc: '246', mnc: '03' }])
    expect(await spent()).toBe(PRICE)
  })

  test('that was told is followed by seen alone', async () => {
    const id = await settled('accepted')
    for (const status of [1, 2, 16, 3, 1]) await door.delivery(report(id, status))
    expect((await row(id)).delivery).toBe(3)
    expect((await callbacks()).map((body) => (body as { status: number }).status)).toEqual([1, 3])
    const failed = await settled('accepted')
    for (const status of [2, 1, 3]) await door.delivery(report(failed, status))
    expect((await row(failed)).delivery).toBe(2)
  })

  test('that is none yet, or of a message that is gone, is taken and changes nothing', async () => {
    const id = await settled('accepted')
    await door.delivery(report(id, 0))
    await door.delivery(report(1n, 1))
    await door.lookup({ messageId: 1n, result: RESULT })
    expect((await row(id)).delivery).toBeNull()
    expect(await callbacks()).toEqual([])
  })

  test('that failed stays charged', async () => {
    const id = await settled('accepted')
    await door.delivery(report(id, 2, 21))
    expect(await row(id)).toMatchObject({ state: 'accepted', delivery: 2, deliveryError: 21, chargedMicros: PRICE })
  })
})

describe('money that comes late', () => {
  test('is given back for an account that was out of money, once, with a signed entry', async () => {
    const id = await settled('accepted')
    await Promise.all([door.delivery(report(id, 2, 24)), door.delivery(report(id, 2, 24))])
    await door.delivery(report(id, 2, 24))
    expect(await row(id)).toMatchObject({ state: 'released', chargedMicros: 0n, failureNumber: 24, delivery: 2 })
    for (const spender of [payer.tokenId, payer.accountId]) {
      expect(await countOf(owner, spender)).toMatchObject({
        totalSpentMicros: 0n,
        totalHeldMicros: 0n,
        daySpentMicros: 0n,
      })
    }
    const entries = await owner.activity.findMany({ where: { spenderId: payer.tokenId }, orderBy: { id: 'asc' } })
    expect(entries.map(({ amountMicros }) => amountMicros)).toEqual([PRICE, -PRICE])
  })

  test('is charged for an unknown message that was sent, and given back for one that is shown never accepted', async () => {
    const sent = await settled('unknown')
    await door.delivery(report(sent, 1, 0, null))
    expect(await row(sent)).toMatchObject({ state: 'accepted', chargedMicros: HOLD, holdMicros: 0n })
    const refused = await settled('unknown')
    await door.delivery(report(refused, 2, 21, null))
    expect(await row(refused)).toMatchObject({ state: 'released', chargedMicros: 0n, holdMicros: 0n })
    expect(await spent()).toBe(HOLD)
  })

  test('is not lowered where the hold was what the operator told, though its answer was lost', async () => {
    const one = message(HOLD, { holdTold: true })
    expect((await admitted(db, payer, [one])).kind).toBe('admitted')
    await settle(db, [{ messageId: one.id, outcome: 'unknown' }])
    await door.delivery(report(one.id, 1))
    await door.delivery(report(one.id, 3))
    expect(await row(one.id)).toMatchObject({ state: 'accepted', delivery: 3, chargedMicros: HOLD })
  })

  test('is lowered to the rate of the network where only the hold had been charged, and never raised', async () => {
    const byHold = await settled('accepted', null)
    await door.delivery(report(byHold, 1, 0, '999'))
    expect((await row(byHold)).chargedMicros).toBe(HOLD)
    const lowered = await settled('accepted', null)
    await door.delivery(report(lowered, 1))
    expect((await row(lowered)).chargedMicros).toBe(NETWORK)
    const priced = await settled('accepted', 1n)
    await door.delivery(report(priced, 1))
    expect((await row(priced)).chargedMicros).toBe(1n)
    expect(await spent()).toBe(HOLD + NETWORK + 1n)
  })

  test('is charged for what had been given back and arrived all the same, above the limit too', async () => {
    const id = await settled('released')
    await limit(owner, payer, payer.tokenId, { maxTotalMicros: 1n })
    await door.delivery(report(id, 1, 0, '999'))
    await door.delivery(report(id, 1, 0, '999'))
    expect(await row(id)).toMatchObject({ state: 'accepted', chargedMicros: DEAREST, delivery: 1 })
    expect(await spent()).toBe(DEAREST)
    expect((await admitted(db, payer, [message(1n)])).kind).toBe('refused')
  })

  test.each([
    ['was told before it left, of one refused by a filter', { holdTold: true }, { outcome: 'unknown' }, 21, HOLD],
    ['was told with the answer, of one not paid for', {}, { outcome: 'accepted', chargedMicros: PRICE }, 24, PRICE],
    [
      'was told before it left, for all that was sent',
      { holdTold: true },
      { outcome: 'accepted', parts: 2 },
      24,
      2n * HOLD,
    ],
  ] as const)(
    'is charged again, where it was given back, by the price that %s',
    async (_what, told, answer, error, charged) => {
      const one = message(HOLD, told)
      expect((await admitted(db, payer, [one])).kind).toBe('admitted')
      await settle(db, [{ messageId: one.id, ...answer }])
      await door.delivery(report(one.id, 2, error))
      expect(await row(one.id)).toMatchObject({ state: 'released', chargedMicros: 0n })
      await door.delivery(report(one.id, 1))
      expect(await row(one.id)).toMatchObject({ state: 'accepted', chargedMicros: charged })
      expect(await spent()).toBe(charged)
    },
  )

  test.each([
    ['that it failed in the network', 'accepted', [[2, 1]]],
    ['that its time passed', 'accepted', [[16, 2]]],
    [
      'that it was refused, and that it was sent all the same',
      'unknown',
      [
        [2, 21],
        [1, 0],
      ],
    ],
    [
      'that its owner was out of money, and that it was sent all the same',
      'accepted',
      [
        [2, 24],
        [2, 1],
      ],
    ],
  ] as const)('is not given back for want of money after reports %s', async (_what, outcome, reports) => {
    const id = await settled(outcome)
    for (const [status, error] of reports) await door.delivery(report(id, status, error))
    const before = await row(id)
    expect(before.chargedMicros).toBeGreaterThan(0n)
    await door.delivery(report(id, 2, 24))
    expect(await row(id)).toEqual(before)
    expect(await spent()).toBe(before.chargedMicros)
    expect(await countOf(owner, payer.accountId)).toMatchObject({
      totalSpentMicros: before.chargedMicros,
      totalHeldMicros: 0n,
    })
  })

  test('is charged again by the rate of its network where only the hold had been charged before', async () => {
    const id = await settled('accepted', null)
    await door.delivery(report(id, 2, 24))
    await door.delivery(report(id, 1))
    expect(await row(id)).toMatchObject({ state: 'accepted', chargedMicros: NETWORK })
  })

  test('is not charged for what was given back and is reported as refused', async () => {
    const id = await settled('released')
    await door.delivery(report(id, 2, 24))
    expect(await row(id)).toMatchObject({ state: 'released', chargedMicros: 0n })
  })
})

describe('a report before its settle', () => {
  test('settles the message, and the answer that follows sets its price: charged once, one place given back', async () => {
    const id = await handed()
    await door.delivery(report(id, 1, 0, null))
    expect(await row(id)).toMatchObject({ state: 'accepted', delivery: 1, chargedMicros: HOLD })
    await settle(db, [{ messageId: id, outcome: 'accepted', reference: 'r', chargedMicros: PRICE }])
    expect(await row(id)).toMatchObject({ state: 'accepted', delivery: 1, chargedMicros: PRICE, reference: 'r' })
    expect(await countOf(owner, payer.accountId)).toMatchObject({
      totalSpentMicros: PRICE,
      totalHeldMicros: 0n,
      handedOver: 0,
    })
  })

  test('is not undone by an answer that never came', async () => {
    const id = await handed()
    await door.delivery(report(id, 1, 0, null))
    await settle(db, [{ messageId: id, outcome: 'unknown' }])
    expect(await row(id)).toMatchObject({ state: 'accepted', chargedMicros: HOLD })
  })

  test('that gives money back has to come again after the answer, and is then taken', async () => {
    const id = await handed()
    await expect(door.delivery(report(id, 2, 24))).rejects.toThrow(ReportTooEarly)
    expect((await row(id)).delivery).toBeNull()
    await settle(db, [{ messageId: id, outcome: 'accepted', chargedMicros: PRICE }])
    await door.delivery(report(id, 2, 24))
    expect(await row(id)).toMatchObject({ state: 'released', chargedMicros: 0n })
    expect(await spent()).toBe(0n)
  })

  test('that gives money back is taken once nobody can answer any more', async () => {
    const id = await handed()
    await database.followDate(60_000)
    await door.delivery(report(id, 2, 24))
    expect(await row(id)).toMatchObject({ state: 'released', delivery: 2 })
    expect(await countOf(owner, payer.accountId)).toMatchObject({
      totalSpentMicros: 0n,
      totalHeldMicros: 0n,
      handedOver: 0,
    })
  })
})

describe('an answer that comes after the report', () => {
  test('charges nothing for what the account was out of money for, whichever came first', async () => {
    const id = await handed()
    await database.followDate(60_000)
    await door.delivery(report(id, 2, 24))
    await settle(db, [{ messageId: id, outcome: 'accepted', chargedMicros: PRICE }])
    expect(await row(id)).toMatchObject({ state: 'released', chargedMicros: 0n, delivery: 2 })
    expect(await spent()).toBe(0n)
  })

  test.each([
    ['at its price', { chargedMicros: PRICE }, PRICE],
    ['by what was held for it where no price was told', { heldMicros: HOLD }, HOLD],
    ['for every part of it', { heldMicros: HOLD, parts: 2 }, HOLD * 2n],
  ])(
    'charges what was refused by a filter after it was accepted, whichever came first, %s',
    async (_how, told, charged) => {
      const [first, second] = [await handed(), await handed()]
      await settle(db, [{ messageId: first, outcome: 'accepted', ...told }])
      await database.followDate(60_000)
      for (const id of [first, second]) await door.delivery(report(id, 2, 21, null))
      await settle(db, [{ messageId: second, outcome: 'accepted', ...told }])
      for (const id of [first, second])
        expect(await row(id)).toMatchObject({ state: 'accepted', chargedMicros: charged })
      expect(await spent()).toBe(charged * 2n)
    },
  )
})

describe('an answer that comes while a report is looked at', () => {
  test.each([
    ['sets the price that was told', 0, { chargedMicros: PRICE }, PRICE],
    ['sets it past the lease, too', 60_000, { chargedMicros: PRICE }, PRICE],
    ['tells more parts, each at the rate of the report', 0, { parts: 2 }, NETWORK * 2n],
    ['is lowered to the rate of the report where no price was told', 0, {}, NETWORK],
  ])('%s', async (_what, laterMs, answer, charged) => {
    const id = await handed()
    await database.followDate(laterMs)
    const answered = () => settle(db, [{ messageId: id, outcome: 'accepted', reference: 'r', ...answer }])
    await doorOf(db, answered).delivery(report(id, 1))
    expect(await row(id)).toMatchObject({ state: 'accepted', delivery: 1, chargedMicros: charged, reference: 'r' })
    expect(await spent()).toBe(charged)
    expect(await callbacks()).toHaveLength(1)
  })

  test('and tells more parts of what a report before it has settled is charged for each at the rate', async () => {
    const id = await handed()
    await door.delivery(report(id, 1, 0, null))
    const answered = () => settle(db, [{ messageId: id, outcome: 'accepted', parts: 2 }])
    await doorOf(db, answered).delivery(report(id, 3))
    expect(await row(id)).toMatchObject({ delivery: 3, parts: 2, chargedMicros: NETWORK * 2n })
  })
})

describe('a refusal that comes after a report that the message was sent', () => {
  test.each([
    [1, {}],
    [2, {}],
    [16, {}],
    [2, { failureNumber: 24 }],
    [16, { failureNumber: 24 }],
  ])('gives nothing back, whichever came first (status %i, %j)', async (status, why) => {
    const [before, after] = [await handed(), await handed()]
    const refused = (messageId: bigint) =>
      settle(db, [{ messageId, outcome: 'released', failure: 'RATE_LIMITED', ...why }])
    await refused(before)
    for (const id of [before, after]) await door.delivery(report(id, status, status === 1 ? 0 : 1))
    await refused(after)
    for (const id of [before, after]) expect(await row(id)).toMatchObject({ state: 'accepted', chargedMicros: NETWORK })
    expect(await spent()).toBe(NETWORK * 2n)
  })
})

describe('a message whose report changed its money and is not written yet', () => {
  test.each([
    ['lowered', 'accepted', [1, 0]],
    ['gave back', 'accepted', [2, 24]],
    ['charged', 'unknown', [1, 0]],
    ['charged late', 'released', [1, 0]],
  ] as const)('is not over where its report %s it', async (_what, before, [status, error]) => {
    const id = await settled(before, null)
    await owner.sendMessage.update({ where: { id }, data: { finalAt: null } })
    const dying = db.$extends({
      query: {
        async $queryRaw({ args, query }) {
          if (String(args.sql).includes('reported AS')) throw new Error('the process died')
          return query(args)
        },
      },
    }) as unknown as Database
    await expect(doorOf(dying).delivery(report(id, status, error))).rejects.toThrow('the process died')
    expect(await row(id)).toMatchObject({ delivery: null, finalAt: null })
    await door.delivery(report(id, status, error))
    expect(await row(id)).toMatchObject({ delivery: status, finalAt: expect.any(Date) })
    expect(await callbacks()).toHaveLength(1)
  })
})

describe('two reports at the same time', () => {
  test.each([
    [1, 0, 'accepted', PRICE],
    [2, 1, 'accepted', PRICE],
    [16, 2, 'accepted', PRICE],
    [2, 24, 'released', 0n],
  ] as const)(
    'of which one says that its owner was out of money, and one says %i with error %i, leave a message %s',
    async (status, error, state, charged) => {
      const id = await settled('accepted')
      let looks = 0
      const slowly = db.$extends({
        query: {
          async $queryRaw({ args, query }) {
            const answer = await query(args)
            if (++looks === 1) await door.delivery(report(id, 2, 24))
            return answer
          },
        },
      }) as unknown as Database
      await doorOf(slowly).delivery(report(id, status, error))
      expect(await row(id)).toMatchObject({ state, chargedMicros: charged, delivery: 2, deliveryError: 24 })
      for (const spender of [payer.tokenId, payer.accountId]) {
        expect(await countOf(owner, spender)).toMatchObject({ totalSpentMicros: charged, totalHeldMicros: 0n })
      }
    },
  )
})

describe('the result of a lookup', () => {
  test('is kept and told under our id, once', async () => {
    const id = await settled('accepted')
    await Promise.all(Array.from({ length: 4 }, () => door.lookup({ messageId: id, result: RESULT })))
    await door.lookup({ messageId: id, result: { ...RESULT, country: 'LV' } })
    expect((await row(id)).result).toEqual(RESULT)
    expect(await callbacks()).toEqual([{ ...RESULT, id: String(id) }])
    expect(await spent()).toBe(PRICE)
  })

  test('shows that an unknown one was asked', async () => {
    const id = await settled('unknown')
    await door.lookup({ messageId: id, result: { ...RESULT, error: '43' } })
    expect(await row(id)).toMatchObject({ state: 'accepted', chargedMicros: HOLD })
  })

  test.each([
    ['0', '24', '24'],
    ['43', '24', '24'],
    ['24', '43', '43'],
  ])(
    'with error %s, beside one with %s that comes while it is looked at, leaves what was asked charged',
    async (slow, quick, told) => {
      const one = message(HOLD)
      await admitted(db, payer, [one], { send: { kind: 'hlr' } })
      await settle(db, [{ messageId: one.id, outcome: 'accepted', chargedMicros: LOOKUP }])
      const lookup = (of: ReportDoor, error: string) => of.lookup({ messageId: one.id, result: { ...RESULT, error } })
      let looks = 0
      const slowly = db.$extends({
        query: {
          async $queryRaw({ args, query }) {
            const answer = await query(args)
            if (++looks === 1) await lookup(door, quick)
            return answer
          },
        },
      }) as unknown as Database
      await lookup(doorOf(slowly), slow)
      expect(await row(one.id)).toMatchObject({ state: 'accepted', chargedMicros: LOOKUP, result: { error: told } })
      expect(await spent()).toBe(LOOKUP)
    },
  )
})
