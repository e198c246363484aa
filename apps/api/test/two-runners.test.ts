// A node that is slow loses a scheduled list to another one, and comes back to it, or does not hear what it claimed: each
// message goes out once.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ApiError } from '../src/http/api-error.ts'
import { AT_ONCE_MAX } from '../src/ledger/standing.ts'
import type { SendingDeps } from '../src/sending/deps.ts'
import { idle } from '../src/sending/hand-over.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { type FakeOperator, fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const TIMES = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000 }

let database: ServiceDatabase
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase()
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  payer = await makePayer(database.owner)
})

/** A node whose upstream tells prices and answers once it is let. */
function slowNode(changes: Partial<SendingDeps> = {}, ratesAre: () => void = () => {}) {
  const [asked, rates, answers] = [makeGate(), makeGate(), makeGate()]
  const fake = fakeOperator(undefined, () => answers.passed)
  const operator: FakeOperator = {
    ...fake,
    async generation() {
      asked.open()
      await rates.passed
      ratesAre()
      return 0
    },
  }
  const { deps, sending } = pathNode(database.db, operator, { times: TIMES, ...changes })
  const job = createScheduleJob(deps, sending, 1_000)
  const { handOvers } = operator
  return { deps, sending, job, asked: asked.passed, tellRates: rates.open, answer: answers.open, handOvers }
}

/**
 * The database as a node meets it that never hears what became of its claim of this number, after which so much happens, and
 * keeps no lease while it is away.
 */
function losing(claim: number, isAway = () => false, meanwhile = async () => {}): Database {
  let claims = 0
  return database.db.$extends({
    query: {
      async $executeRaw({ args, query }) {
        if (isAway()) throw new Error('connection reset')
        return query(args)
      },
      async $queryRaw({ args, query }) {
        const answer = await query(args)
        if (!/renewed AS/.test(String(args.sql)) || ++claims !== claim) return answer
        await meanwhile()
        throw new Error('connection reset')
      },
    },
  }) as unknown as Database
}

async function scheduleList(count: number, body: { expireIn?: number } = {}): Promise<void> {
  const { sending } = pathNode(database.db, fakeOperator())
  const scheduled = new Date(Date.now() + HOUR_MS).toISOString()
  const to = Array.from({ length: count }, (_, at) => `3706000000${at}`)
  await sending.sendList(smsCall(payer, to, { body: { scheduled, ...body } }))
}

/** A node that takes the list so many minutes after its time, when no lease runs any more, and waits for so many answers. */
async function takenByAnother(minutes: number, handOvers: number) {
  await database.followDate(HOUR_MS + minutes * MINUTE_MS)
  const other = slowNode()
  other.tellRates()
  await turn(other.job)
  await eventually(async () => other.handOvers.size === handOvers)
  return other
}

const timesOf = ({ handOvers }: ReturnType<typeof slowNode>) => [...handOvers.values()]

test('a list whose runner is gone goes out once, though a node was longer with it than its turn and lost an answer', async () => {
  await scheduleList(6)
  const dead = slowNode({ at: (step) => (step === 'claimed' ? new Promise(() => {}) : undefined) })
  dead.tellRates()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(dead.job)
  const where = { accountId: payer.accountId, state: 'handed_over' as const }
  await eventually(async () => (await database.owner.sendMessage.count({ where })) === 4)
  await database.followDate(HOUR_MS + 2 * MINUTE_MS)
  const late = slowNode({ db: losing(1) })
  const judging = turn(late.job)
  await late.asked
  const other = await takenByAnother(3, 2)
  late.tellRates()
  late.answer()
  await judging
  await idle(late.deps)
  other.answer()
  await idle(other.deps)
  expect([late, other].map(timesOf)).toEqual([[], [1, 1]])
})

test.each([
  ['rose', 90_000n],
  ['cannot be had any more', null],
])(
  'what is left of a list whose runner is gone costs what was held for it, though its price %s',
  async (_meanwhile, micros) => {
    await scheduleList(6)
    const dead = slowNode({ at: (step) => (step === 'claimed' ? new Promise(() => {}) : undefined) })
    dead.tellRates()
    await database.followDate(HOUR_MS + MINUTE_MS)
    await turn(dead.job)
    const where = { accountId: payer.accountId }
    await eventually(async () => (await database.owner.sendMessage.count({ where: { ...where, state: 'held' } })) === 2)
    await database.followDate(HOUR_MS + 2 * MINUTE_MS)
    const fake = fakeOperator()
    const door = createReportDoor(
      database.db,
      () => fake,
      () => {},
    )
    const { deps, sending } = pathNode(database.db, {
      ...fake,
      dearestRateMicros: async () => micros,
      // Given back by a report, and taken without a price after that.
      async send({ messageId }) {
        await database.owner.sendMessage.update({ where: { id: messageId }, data: { leaseUntil: new Date(0) } })
        await door.delivery({ messageId, status: 2, error: 21, mcc: null, mnc: null })
        return { kind: 'accepted', reference: `r${messageId}`, parts: 1, priceMicros: null }
      },
    })
    await turn(createScheduleJob(deps, sending, 1_000))
    await idle(deps)
    const rows = await database.owner.sendMessage.findMany({ where: { ...where, state: 'accepted' } })
    expect(rows.map(({ chargedMicros }) => chargedMicros)).toEqual([39_000n, 39_000n])
  },
)

// Three claims for ten messages, and a last one that finds nothing more.
test.each([1, 2, 3, 4])(
  'a list goes out once and whole, though claim %d of its node was not answered',
  async (claim) => {
    const operator = fakeOperator()
    const { deps, sending } = pathNode(losing(claim), operator, { times: TIMES })
    const to = Array.from({ length: 10 }, (_, at) => `3706000000${at}`)
    await sending.sendList(smsCall(payer, to))
    await idle(deps)
    expect([...operator.handOvers.values()]).toEqual(Array(10).fill(1))
    const { accountId, tokenId } = payer
    const rows = await database.owner.sendMessage.findMany({ where: { accountId } })
    expect(rows.map(({ state }) => state)).toEqual(Array(10).fill('accepted'))
    const counts = await database.owner.spenderCount.findMany({ where: { spenderId: { in: [accountId, tokenId] } } })
    const totalSpentMicros = rows.reduce((sum, { chargedMicros }) => sum + chargedMicros, 0n)
    expect(counts).toHaveLength(2)
    for (const count of counts) expect(count).toMatchObject({ handedOver: 0, totalHeldMicros: 0n, totalSpentMicros })
  },
)

const anHourLater = () => database.followDate(HOUR_MS)
const sweptAnHourLater = async () => {
  await anHourLater()
  await turn(createSweepJob(database.db, 'sandbox', 1_000))
}

test.each([
  ['goes out late', 300_000, async () => {}, ['sent', 'sent']],
  ['is given back where its lease may soon be over', 200, async () => {}, ['not_sent', 'not_sent']],
  ['is given back where its lease is over', 300_000, anHourLater, ['not_sent', 'not_sent']],
  ['is given back where it was called unknown', 300_000, sweptAnHourLater, ['not_sent', 'not_sent']],
])('what a node hears only later that it claimed %s', async (_what, leaseSlackMs, meanwhile, statuses) => {
  const node = slowNode({ db: losing(1, undefined, meanwhile), times: { ...TIMES, handOverMs: 20_000, leaseSlackMs } })
  node.tellRates()
  node.answer()
  const { answer } = await node.sending.sendList(smsCall(payer, ['37060000001', '37060000002']))
  expect(answer.messages.map(({ status }) => status)).toEqual(statuses)
  expect(node.handOvers.size).toBe(statuses.filter((status) => status === 'sent').length)
  const { totalHeldMicros, handedOver } = await database.owner.spenderCount.findFirstOrThrow({
    where: { spenderId: payer.accountId },
  })
  expect([totalHeldMicros, handedOver]).toEqual([0n, 0])
})

test('what a statement claims that runs only after the one that was to replace it goes out too', async () => {
  let late: (() => Promise<unknown>) | undefined
  const runsLate = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (late !== undefined || !/renewed AS/.test(String(args.sql))) return query(args)
        late = () => query(args)
        throw new Error('connection reset')
      },
    },
  }) as unknown as Database
  const operator = fakeOperator()
  let claims = 0
  const { deps, sending } = pathNode(runsLate, operator, {
    times: TIMES,
    at: async (step) => {
      if (step === 'claimed' && ++claims === 1) await late?.()
    },
  })
  const to = Array.from({ length: 8 }, (_, at) => `3706000000${at}`)
  const { answer } = await sending.sendList(smsCall(payer, to))
  await idle(deps)
  expect(answer.messages.map(({ status }) => status)).toEqual(Array(8).fill('sent'))
  expect([...operator.handOvers.values()]).toEqual(Array(8).fill(1))
})

test('what a node claimed unheard is given back where it stops before it could hear of it', async () => {
  const node = slowNode({ db: losing(1, undefined, async () => node.sending.stop()) })
  node.tellRates()
  node.answer()
  await node.sending.sendList(smsCall(payer, ['37060000001', '37060000002']))
  await idle(node.deps)
  await expectGivenBack(node)
})

test('what a node claimed unheard is given back where it finds no database for as long as it may wait', async () => {
  const node = slowNode({ db: losing(1), times: { ...TIMES, runnerMs: 1 } })
  node.tellRates()
  node.answer()
  await node.sending.sendList(smsCall(payer, ['37060000001', '37060000002']))
  await idle(node.deps)
  await expectGivenBack(node)
})

test('what a node claimed unheard of a scheduled list is given back too where no other took the list meanwhile', async () => {
  await scheduleList(2)
  const node = slowNode({ db: losing(1), times: { ...TIMES, runnerMs: 1 } })
  node.tellRates()
  node.answer()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(node.job)
  await idle(node.deps)
  await expectGivenBack(node)
})

test('what a node claimed unheard stays with the one that took the list meanwhile', async () => {
  await scheduleList(6)
  let other: ReturnType<typeof slowNode> | undefined
  const takeOver = async () => {
    other = await takenByAnother(3, 2)
  }
  const node = slowNode({ db: losing(1, undefined, takeOver), times: { ...TIMES, runnerMs: 1 } })
  node.tellRates()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(node.job)
  await idle(node.deps)
  other?.answer()
  if (other) await idle(other.deps)
  expect([node.handOvers.size, other?.handOvers.size]).toEqual([0, 2])
  const rows = await database.owner.sendMessage.findMany({
    where: { accountId: payer.accountId },
    orderBy: { position: 'asc' },
  })
  expect(rows.map(({ state }) => state)).toEqual([...Array(4).fill('handed_over'), ...Array(2).fill('accepted')])
})

/** Expects that a node handed over nothing of a list of two, and that nothing of it is charged or held. */
async function expectGivenBack({ handOvers }: ReturnType<typeof slowNode>) {
  const rows = await database.owner.sendMessage.findMany({ where: { accountId: payer.accountId } })
  expect(rows.map(({ state, failureReason }) => [state, failureReason])).toEqual(
    Array(2).fill(['released', 'not_sent']),
  )
  expect(handOvers.size).toBe(0)
  const where = { spenderId: payer.accountId }
  expect(await database.owner.spenderCount.findFirstOrThrow({ where })).toMatchObject({
    totalHeldMicros: 0n,
    totalSpentMicros: 0n,
    handedOver: 0,
  })
}

test('a list goes out once, though the database did not answer a node for as long as it had the list', async () => {
  await scheduleList(8)
  const late = slowNode({ db: losing(2) })
  late.tellRates()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(late.job)
  await eventually(async () => late.handOvers.size === 4)
  const other = await takenByAnother(2, 4)
  late.answer()
  await idle(late.deps)
  other.answer()
  await idle(other.deps)
  expect([late, other].map(timesOf)).toEqual([Array(4).fill(1), Array(4).fill(1)])
  expect(await database.owner.sendMessage.count({ where: { accountId: payer.accountId, state: 'accepted' } })).toBe(8)
})

test.each([
  [{ expireIn: 3_600 }, 61],
  [{}, 361],
])('the rest of a list that became late while it went out, with %o, expires', async (body, minutes) => {
  await scheduleList(6, body)
  const node = slowNode()
  node.tellRates()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(node.job)
  await eventually(async () => node.handOvers.size === 4)
  await database.owner.$executeRaw`
    UPDATE send SET scheduled_at = database_now() - ${minutes}::int * interval '1 minute'
    WHERE account_id = ${payer.accountId}::uuid`
  node.answer()
  await idle(node.deps)
  const where = { accountId: payer.accountId }
  const rows = await database.owner.sendMessage.findMany({ where, orderBy: { position: 'asc' } })
  const became = rows.map(({ state, failure, failureReason }) => [state, failure, failureReason])
  expect(became).toEqual([...Array(4).fill(['accepted', null, null]), ...Array(2).fill(['released', null, 'expired'])])
  expect(node.handOvers.size).toBe(4)
})

test('a list goes out once, though a node could not keep it for as long as it waited for its turn', async () => {
  await scheduleList(8)
  let isAway = true
  const late = slowNode({ db: losing(1, () => isAway), times: { ...TIMES, runnerMs: 600 } })
  late.tellRates()
  late.answer()
  const leave = await late.deps.turns.take(payer.accountId, null, AT_ONCE_MAX)
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(late.job)
  const other = await takenByAnother(2, 4)
  isAway = false
  leave?.()
  await idle(late.deps)
  other.answer()
  await idle(other.deps)
  expect([late, other].map(timesOf)).toEqual([[], Array(8).fill(1)])
})

test('what a node judges too late takes nothing from the one that took the list meanwhile', async () => {
  await scheduleList(8)
  const late = slowNode({}, () => {
    throw new ApiError('UPSTREAM_ACCOUNT_MISSING')
  })
  await database.followDate(HOUR_MS + MINUTE_MS)
  const judging = turn(late.job)
  await late.asked
  const other = await takenByAnother(2, 4)
  late.tellRates()
  await judging
  other.answer()
  await idle(other.deps)
  expect(await database.owner.sendMessage.count({ where: { accountId: payer.accountId, state: 'accepted' } })).toBe(8)
})

test('a node that was told of a pause gives back nothing of a list that another took once it was resumed', async () => {
  await scheduleList(10)
  const [asksWhy, goesOn] = [makeGate(), makeGate()]
  const slow = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (/only_reads/.test(String(args.sql))) {
          asksWhy.open()
          await goesOn.passed
        }
        return query(args)
      },
    },
  }) as unknown as Database
  const late = slowNode({ db: slow })
  late.tellRates()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(late.job)
  await eventually(async () => late.handOvers.size === 4)
  const pause = (pausedAt: Date | null) =>
    database.owner.spender.update({ where: { id: payer.tokenId }, data: { pausedAt } })
  await pause(new Date())
  late.answer()
  await asksWhy.passed
  await pause(null)
  const other = await takenByAnother(3, 4)
  goesOn.open()
  await idle(late.deps)
  other.answer()
  await idle(other.deps)
  expect([late, other].map(timesOf)).toEqual([Array(4).fill(1), Array(6).fill(1)])
  expect(await database.owner.sendMessage.count({ where: { accountId: payer.accountId, state: 'accepted' } })).toBe(10)
})

test('a node that stops leaves the list to the one that took it meanwhile', async () => {
  await scheduleList(10)
  const late = slowNode()
  late.tellRates()
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(late.job)
  await eventually(async () => late.handOvers.size === 4)
  const other = await takenByAnother(2, 4)
  late.sending.stop()
  late.answer()
  await idle(late.deps)
  const third = slowNode()
  third.tellRates()
  await turn(third.job)
  other.answer()
  await idle(other.deps)
  await idle(third.deps)
  expect([late, other, third].map(timesOf)).toEqual([Array(4).fill(1), Array(6).fill(1), []])
})
