// What was allowed for a send binds it at its time, too: prices may be others by then.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { idle } from '../src/sending/hand-over.ts'
import { quoteSms } from '../src/sending/quoting.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { type FakeOperator, fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'

const HOUR_MS = 3_600_000
/** Of one message now, told and by the dearest row. */
const [PRICE, DEAREST] = [39_000n, 60_000n]

let database: ServiceDatabase
let owner: Database
let db: Database
let payer: Payer
let operator: FakeOperator
beforeAll(async () => {
  database = await serviceDatabase()
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  await owner.send.deleteMany()
  payer = await makePayer(owner)
  operator = { ...fakeOperator(), dearestRateMicros: async () => DEAREST }
})

const costs = (micros: bigint, parts = 1): void => {
  const { cost, send } = fakeOperator()
  operator.cost = async (order) => {
    const told = await cost(order)
    return told && { ...told, micros, parts }
  }
  operator.dearestRateMicros = async () => micros + DEAREST - PRICE
  const { handOvers } = operator
  operator.send = async (order) => {
    handOvers.set(order.messageId, (handOvers.get(order.messageId) ?? 0) + 1)
    const answer = await send(order)
    // As the real one, which tells no price.
    return answer.kind === 'accepted' ? { ...answer, parts, priceMicros: null } : answer
  }
}

/** Accepts a send for in an hour, with the owner's word where it is asked for. */
async function schedule(to: readonly string[], body: Record<string, unknown> = {}): Promise<void> {
  const { sending } = pathNode(db, operator)
  const scheduled = new Date(Date.now() + HOUR_MS).toISOString()
  const call = smsCall(payer, to, { body: { scheduled, ...body } })
  const send = () => (to.length === 1 ? sending.sendOne(call) : sending.sendList(call))
  await send().catch(async (error: { code?: string }) => {
    if (error.code !== 'APPROVAL_REQUIRED') throw error
    const data = { state: 'approved' as const, decidedAt: new Date(), sealedText: null }
    await owner.approval.updateMany({ where: { accountId: payer.accountId, state: 'pending' }, data })
    await send()
  })
}

/** What became of all of it at its time, by a process that remembers no price. */
async function atItsTime(laterMs = HOUR_MS + 60_000): Promise<string[]> {
  const { deps, sending } = pathNode(db, operator)
  await database.followDate(laterMs)
  await turn(createScheduleJob(deps, sending, 1_000))
  const where = { accountId: payer.accountId }
  await expect
    .poll(() => owner.sendMessage.count({ where: { ...where, state: { in: ['held', 'handed_over'] } } }))
    .toBe(0)
  const rows = await owner.sendMessage.findMany({ where, orderBy: { position: 'asc' } })
  return rows.map(({ state, failure, chargedMicros }) => `${state} ${failure ?? chargedMicros}`)
}

const asksAbove = (micros: bigint) => limit(owner, payer, payer.tokenId, { askAboveMicros: micros })

describe('a scheduled send that a filter refuses before the operator has answered', () => {
  test.each([
    ['what was held for it, where no price was told', () => {}, DEAREST],
    ['what it was told to cost', () => costs(PRICE), PRICE],
  ])('costs %s', async (_what, told, charged) => {
    told()
    await schedule(['37060000001'], charged === PRICE ? { maxPrice: PRICE } : {})
    const door = createReportDoor(
      db,
      () => operator,
      () => {},
    )
    const { send } = operator
    operator.send = async (order) => {
      const answer = await send(order)
      await database.followDate(HOUR_MS + 120_000)
      await door.delivery({ messageId: order.messageId, status: 2, error: 21, mcc: null, mnc: null })
      return answer.kind === 'accepted' ? { ...answer, priceMicros: null } : answer
    }
    await atItsTime()
    const row = () => owner.sendMessage.findFirstOrThrow({ where: { accountId: payer.accountId } })
    await expect.poll(row).toMatchObject({ state: 'accepted', chargedMicros: charged })
  })
})

describe('a scheduled send whose price has risen', () => {
  const one = ['37060000001']
  const REFUSED = 'released PRICE_CHANGED'

  test('does not go out above the most that its caller allowed', async () => {
    await schedule(one, { maxPrice: PRICE })
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual([REFUSED])
    expect(operator.handOvers.size).toBe(0)
  })

  test('does not go out above its quote', async () => {
    const scheduled = new Date(Date.now() + HOUR_MS).toISOString()
    const call = smsCall(payer, one, { body: { scheduled } })
    const { deps, sending } = pathNode(db, operator)
    const { quoteId } = await quoteSms(deps, sending.prices, call.sender, call.body)
    await schedule(one, { scheduled, quoteId })
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual([REFUSED])
  })

  test('does not go out above what its owner approved', async () => {
    await asksAbove(1n)
    await schedule(one)
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual([REFUSED])
    expect(operator.handOvers.size).toBe(0)
  })

  test('does not go out under an approval that is gone', async () => {
    await asksAbove(1n)
    await schedule(['37060000001'])
    await owner.approval.deleteMany({ where: { accountId: payer.accountId } })
    costs(PRICE * 10n)
    expect(await atItsTime()).toEqual(['released PRICE_CHANGED'])
  })

  test('does not go out above the price from which its owner wants to be asked, who was not', async () => {
    await asksAbove(PRICE)
    await schedule(one)
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual(['released APPROVAL_REQUIRED'])
  })

  test('is held to the lower of what its caller allowed and what its owner wants to be asked above', async () => {
    await asksAbove(PRICE * 2n)
    await schedule(one, { maxPrice: PRICE })
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual([REFUSED])
  })

  test('is judged by the price of the whole of it', async () => {
    await schedule(['37060000001', '37060000002'], { maxPrice: PRICE * 2n })
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual([REFUSED, REFUSED])
  })

  test('goes out up to the very price that was allowed, and at any where nothing was said', async () => {
    await schedule(one, { maxPrice: PRICE * 2n })
    await schedule(['37060000002'])
    costs(PRICE * 2n)
    expect((await atItsTime()).sort()).toEqual([`accepted ${PRICE * 2n}`, `accepted ${PRICE + DEAREST}`])
  })
})

describe('a scheduled send whose price is the same', () => {
  test.each([
    ['its token', () => payer.tokenId],
    ['its account', () => payer.accountId],
  ])(
    'wants the approval that was not asked for where the owner of %s wants to be asked above less since',
    async (_whose, id) => {
      await schedule(['37060000001'])
      costs(PRICE)
      await limit(owner, payer, id(), { askAboveMicros: PRICE - 1n })
      expect(await atItsTime()).toEqual(['released APPROVAL_REQUIRED'])
      expect(operator.handOvers.size).toBe(0)
    },
  )

  test('goes out as it was approved, though its owner wants to be asked above less since', async () => {
    await asksAbove(1n)
    await schedule(['37060000001'])
    await asksAbove(0n)
    costs(PRICE)
    expect(await atItsTime()).toEqual([`accepted ${PRICE}`])
  })

  test.each([
    ['its caller', 0n, { maxPrice: PRICE }],
    ['its owner', 1n, {}],
    ['its owner without being asked', PRICE, {}],
  ])(
    'goes out at the most that was allowed by %s, though the dearest row of its country is above it',
    async (_who, above, body) => {
      if (above > 0n) await asksAbove(above)
      await schedule(['37060000001'], body)
      costs(PRICE)
      expect(await atItsTime()).toEqual([`accepted ${PRICE}`])
    },
  )

  test.each([
    ['its caller allowed at most', null, { maxPrice: PRICE }],
    ['its owner wants to be asked above since', PRICE, {}],
  ])('waits for a price that %s while that cannot be had, and goes out once it can', async (_what, above, body) => {
    await schedule(['37060000001'], body)
    if (above !== null) await asksAbove(above)
    costs(PRICE)
    const { cost } = operator
    operator.cost = async () => null
    expect(await atItsTime()).toEqual(['scheduled 0'])
    operator.cost = cost
    expect(await atItsTime(HOUR_MS + 120_000)).toEqual([`accepted ${PRICE}`])
  })
})

describe('a send to more than ten that was quoted', () => {
  const many = Array.from({ length: 11 }, (_, at) => String(37060000001 + at))
  const quoted = async (body: Record<string, unknown>) => {
    const { deps, sending } = pathNode(db, operator)
    const call = smsCall(payer, many, { body })
    const { price, quoteId } = await quoteSms(deps, sending.prices, call.sender, call.body)
    expect(price).toBe('0.429')
    return { ...body, quoteId }
  }

  test('goes out at its very price, though the dearest row of its country is above it', async () => {
    const { sending } = pathNode(db, operator)
    const { answer } = await sending.sendList(smsCall(payer, many, { body: await quoted({}) }))
    expect(answer.messages.map(({ status }) => status)).toEqual(many.map(() => 'sent'))
    expect(answer.price).toBe('0.429')
  })

  test('goes out at that price at its time, too', async () => {
    await schedule(many, await quoted({ scheduled: new Date(Date.now() + HOUR_MS).toISOString() }))
    expect(await atItsTime()).toEqual(many.map(() => `accepted ${PRICE}`))
  })
})

describe('a scheduled send that its limits allowed by its very price', () => {
  const two = ['37060000001', '37060000002']

  test('goes out at that price, though the dearest row of its country is above a limit', async () => {
    await limit(owner, payer, payer.tokenId, { maxPerSendMicros: PRICE * 2n })
    await schedule(two)
    costs(PRICE)
    expect(await atItsTime()).toEqual([`accepted ${PRICE}`, `accepted ${PRICE}`])
  })

  const numbers = (count: number) => Array.from({ length: count }, (_, at) => `3706000${1_000 + at}`)
  test.each([
    ['goes out at that price to as many as ten', 10, {}, 'accepted 39000'],
    ['is judged by the dearest row alone where it is to more', 11, {}, 'released SPEND_CAP_REACHED'],
    [
      'goes out at that price to more, where its caller said how much it may cost',
      11,
      { maxPrice: DEAREST * 11n },
      'accepted 39000',
    ],
  ])('%s', async (_, count, body, became) => {
    const to = numbers(count)
    await schedule(to, body)
    await limit(owner, payer, payer.tokenId, { maxPerSendMicros: PRICE * BigInt(count) })
    expect(await atItsTime()).toEqual(to.map(() => became))
  })

  test('goes out at that price to more, where its owner approved it', async () => {
    const to = numbers(11)
    await asksAbove(1n)
    await schedule(to)
    expect(await atItsTime()).toEqual(to.map(() => `accepted ${PRICE}`))
  })

  test('does not go out above a limit', async () => {
    await limit(owner, payer, payer.tokenId, { maxPerSendMicros: PRICE * 2n })
    await schedule(two)
    costs(PRICE + 1n)
    expect(await atItsTime()).toEqual(['released SPEND_CAP_REACHED', 'released SPEND_CAP_REACHED'])
    expect(operator.handOvers.size).toBe(0)
    const told = await owner.activity.findMany({ where: { accountId: payer.accountId } })
    expect(told.map(({ outcome }) => outcome)).toEqual(Array(2).fill('SPEND_CAP_REACHED per_send'))
  })

  test('goes out where its country has no row', async () => {
    operator.dearestRateMicros = async () => null
    await limit(owner, payer, payer.tokenId, { maxPerSendMicros: PRICE * 2n })
    await schedule(two)
    costs(PRICE)
    operator.dearestRateMicros = async () => null
    expect(await atItsTime()).toEqual([`accepted ${PRICE}`, `accepted ${PRICE}`])
  })

  test('holds nothing where its price cannot be had and no limit of money stands', async () => {
    operator.dearestRateMicros = async () => null
    await schedule(two)
    costs(PRICE)
    operator.dearestRateMicros = async () => null
    expect(await atItsTime()).toEqual(['accepted 0', 'accepted 0'])
  })

  test.each([
    ['from a sender that is allowed no more', { senders: ['Others'] }, 'SENDER_NOT_ALLOWED'],
    ['above what may be spent on the day of its time', { maxPerDayMicros: PRICE }, 'SPEND_CAP_REACHED'],
    ['to more than may be written to on that day', { recipientsPerDay: 1 }, 'RECIPIENTS_REACHED'],
  ])('does not go out %s', async (_what, limits, code) => {
    await schedule(two)
    await limit(owner, payer, payer.tokenId, limits)
    expect(await atItsTime()).toEqual(two.map(() => `released ${code}`))
  })

  test('does not go to a number whose network is in a country that is not allowed', async () => {
    await schedule(['37060000001'], { maxPrice: PRICE })
    await limit(owner, payer, payer.tokenId, { countries: ['LT'] })
    costs(PRICE)
    const { cost } = operator
    operator.cost = async (order) => {
      const told = await cost(order)
      return told && { ...told, country: 'LV' }
    }
    expect(await atItsTime()).toEqual(['released DESTINATION_NOT_ALLOWED'])
  })
})

describe('the rest of a scheduled list that another node takes up', () => {
  const six = Array.from({ length: 6 }, (_, at) => String(37060000001 + at))
  const where = () => ({ accountId: payer.accountId })

  /** Four of the six are claimed by a node that dies, and the rest is handed over by another; gives what that one asked for. */
  async function takenUp(body: Record<string, unknown>, costNow: bigint, parts = 1): Promise<string[]> {
    await schedule(six, body)
    costs(costNow, parts)
    await database.followDate(HOUR_MS + 60_000)
    const dead = pathNode(db, operator, { at: (step) => (step === 'claimed' ? new Promise(() => {}) : undefined) })
    await turn(createScheduleJob(dead.deps, dead.sending, 1_000))
    await expect.poll(() => owner.sendMessage.count({ where: { ...where(), state: 'held' } })).toBe(2)
    const asked: string[] = []
    const { cost, dearestRateMicros } = operator
    operator.cost = (...of) => {
      asked.push('cost')
      return cost(...of)
    }
    operator.dearestRateMicros = (...of) => {
      asked.push('rates')
      return dearestRateMicros(...of)
    }
    await database.followDate(HOUR_MS + 180_000)
    const { deps, sending } = pathNode(db, operator)
    await turn(createScheduleJob(deps, sending, 1_000))
    await idle(deps)
    return asked
  }

  /**
   * What the rest was charged, before a report from a network whose rate is half of the price, and what all six were after
   * it: nobody knows of the others what became of them until then.
   */
  async function chargedAround(): Promise<(bigint | undefined)[][]> {
    const ofNetwork = { ...operator, networkRateMicros: async () => PRICE / 2n }
    const door = createReportDoor(
      db,
      () => ofNetwork,
      () => {},
    )
    const accepted = () => owner.sendMessage.findMany({ where: { ...where(), state: 'accepted' } })
    const before = await accepted()
    for (const { id } of await owner.sendMessage.findMany({ where: where() }))
      await door.delivery({ messageId: id, status: 1, error: 0, mcc: '246', mnc: '01' })
    return [before, await accepted()].map((rows) => rows.map(({ chargedMicros }) => chargedMicros))
  }

  test('costs what the operator had told of it, which no report lowers, and asks for no price', async () => {
    expect(await takenUp({ maxPrice: PRICE * 6n }, PRICE)).toEqual([])
    expect(await chargedAround()).toEqual([[PRICE, PRICE], Array(6).fill(PRICE)])
  })

  test('costs what was held where nothing was told, until a report names a network that is cheaper', async () => {
    expect(await takenUp({}, PRICE)).toEqual([])
    expect(await chargedAround()).toEqual([[DEAREST, DEAREST], Array(6).fill(PRICE / 2n)])
  })

  test('costs what was told at its time for as many parts as were told, which is not the price of each', async () => {
    expect(await takenUp({ maxPrice: PRICE * 6n }, PRICE, 2)).toEqual([])
    expect(await chargedAround()).toEqual([[PRICE, PRICE], Array(6).fill(PRICE)])
    const rows = await owner.sendMessage.findMany({ where: where() })
    expect(rows.map(({ parts }) => parts)).toEqual(Array(6).fill(2))
  })
})

test('a scheduled send whose price is long in coming holds up no other account, and goes out when it has come', async () => {
  const dear = payer
  await schedule(['37060000001'], { maxPrice: PRICE })
  payer = await makePayer(owner)
  await schedule(['37060000002'])
  costs(PRICE)
  const { cost } = operator
  const { passed: told, open: tell } = makeGate()
  operator.cost = (order) => told.then(() => cost(order))
  const { deps, sending } = pathNode(db, operator, { times: { ...PATIENT_TIMES, turnMs: 0 } })
  const job = createScheduleJob(deps, sending, 1_000)
  await database.followDate(HOUR_MS + 60_000)
  const stateOf = async ({ accountId }: Payer) =>
    (await owner.sendMessage.findFirstOrThrow({ where: { accountId } })).state
  for (const _ of ['takes both', 'finds neither']) await turn(job)
  await expect.poll(() => stateOf(payer)).toBe('accepted')
  expect(await stateOf(dear)).toBe('scheduled')
  // The lease of its turn is over, and what is known of its price is not: it is judged once.
  await database.followDate(HOUR_MS + 120_000)
  expect(await turn(job)).toBe(0)
  tell()
  await expect.poll(() => stateOf(dear)).toBe('accepted')
  expect([...operator.handOvers.values()]).toEqual([1, 1])
})

test('sends whose prices never come hold up no other, of their account or another, however long each is asked for', async () => {
  const free = '37060000099'
  const ofDear = payer
  for (const of of [payer, await makePayer(owner), await makePayer(owner)]) {
    payer = of
    for (let at = 1; at <= 8; at++) await schedule([`3706000000${at}`], { maxPrice: PRICE })
  }
  const another = await makePayer(owner)
  for (const of of [ofDear, another]) {
    payer = of
    await schedule([free])
  }
  costs(PRICE)
  let laterMs = HOUR_MS + 60_000
  operator.cost = async () => {
    laterMs += 10_000
    await database.followDate(laterMs)
    return null
  }
  const { deps, sending } = pathNode(db, operator)
  const job = createScheduleJob(deps, sending, 1_000)
  await database.followDate(laterMs)
  const accounts = [ofDear.accountId, another.accountId]
  const where = { accountId: { in: accounts }, recipient: free, state: 'accepted' } as const
  // What a turn takes up it may have to leave to another: the time that the others are asked for is over for it as well.
  await expect
    .poll(async () => {
      await turn(job)
      return owner.sendMessage.count({ where })
    })
    .toBe(2)
})

test('what is due together of one account is judged in the order of its priority', async () => {
  const priorities = ['low', 'normal', 'high', 'low', 'high', 'normal', 'high']
  for (const [at, priority] of priorities.entries()) await schedule([`3706000000${at}`], { priority, maxPrice: PRICE })
  costs(PRICE)
  const { cost } = operator
  const judged: (string | undefined)[] = []
  operator.cost = (order) => {
    judged.push(priorities[Number(order.to.at(-1))])
    return cost(order)
  }
  // The database joins as it does once it knows how few rows there are.
  await owner.$executeRaw`ANALYZE`
  await atItsTime()
  expect(judged).toEqual(['high', 'high', 'high', 'normal', 'normal', 'low', 'low'])
})
