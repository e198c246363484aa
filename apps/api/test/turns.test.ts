// Lists of one account take turns: whoever posts many is no burden for the others.
import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { AT_ONCE_MAX } from '../src/ledger/standing.ts'
import { sendingTimes } from '../src/sending/deps.ts'
import { idle } from '../src/sending/hand-over.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { LIMITS } from '../src/service-limits.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_LIMITS, PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'

let database: TestDatabase
let db: Database
let payer: Payer
let claims = 0
beforeAll(async () => {
  database = await testDatabase()
  const plain = createDatabase({ url: database.serviceUrl('vertexsms_api'), poolSize: 10, limits: PATIENT_LIMITS })
  db = plain.$extends({
    query: {
      $queryRaw({ args, query }) {
        if (/renewed AS/.test(String(args.sql))) claims++
        return query(args)
      },
    },
  }) as unknown as Database
})
afterAll(async () => {
  await db?.$disconnect()
  await database?.close()
})
beforeEach(async () => {
  claims = 0
  await database.followDate()
  payer = await makePayer(database.db)
})

/** An upstream that answers once it is let. */
function closedOperator(isHeld: (to: string) => boolean = () => true) {
  const { passed, open } = makeGate()
  return { operator: fakeOperator(undefined, ({ to }) => (isHeld(to) ? passed : undefined)), open }
}

const PATIENT = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000, answerMs: 300 }
const list = (at: number, count = 5) =>
  Array.from({ length: count }, (_, place) => `3706${String(at * 1_000 + place).padStart(7, '0')}`)
const statesOf = async ({ accountId }: Payer) => {
  const rows = await database.db.sendMessage.groupBy({ by: ['state'], where: { accountId }, _count: true })
  return Object.fromEntries(rows.map(({ state, _count }) => [state, _count]))
}

test('lists that wait for places ask the database for nothing, and every message goes out once', async () => {
  const { operator, open } = closedOperator()
  const { sending, deps } = pathNode(db, operator, { times: PATIENT })
  const lists = Array.from({ length: 20 }, (_, at) => list(at))
  const answers = await Promise.all(lists.map((to) => sending.sendList(smsCall(payer, to))))
  expect(answers.flatMap(({ answer }) => answer.messages.map(({ status }) => status))).toEqual(
    lists.flat().map(() => 'queued'),
  )
  // The answers come after their time, however far the lists are by then.
  await eventually(async () => (await statesOf(payer)).handed_over === AT_ONCE_MAX)
  expect(await statesOf(payer)).toEqual({ handed_over: AT_ONCE_MAX, held: 100 - AT_ONCE_MAX })
  // The two whose turn it is have claimed once each.
  expect(claims).toBe(2)
  open()
  await idle(deps)
  expect(await statesOf(payer)).toEqual({ accepted: 100 })
  expect([...operator.handOvers.values()].every((times) => times === 1)).toBe(true)
})

test('a list that waits for its turn longer than the lease of its runner is not given back', async () => {
  const { operator, open } = closedOperator()
  const times = { ...PATIENT, runnerMs: 3_000 }
  const { sending, deps } = pathNode(db, operator, { times })
  const first = [list(1, 4), list(2, 4)].map((to) => sending.sendList(smsCall(payer, to)))
  await eventually(async () => (await statesOf(payer)).handed_over === AT_ONCE_MAX)
  await sending.sendList(smsCall(payer, list(3)))
  const last = () => database.db.send.findFirstOrThrow({ where: payerSends(), orderBy: { createdAt: 'desc' } })
  const payerSends = () => ({ accountId: payer.accountId })
  const admittedUntil = (await last()).runnerUntil?.getTime() ?? 0
  const sweep = createSweepJob(db, 'sandbox', 1_000)
  await eventually(async () => {
    await turn(sweep)
    return Date.now() > admittedUntil + 1_000
  })
  expect((await statesOf(payer)).held).toBe(5)
  open()
  await Promise.all(first)
  await idle(deps)
  expect(await statesOf(payer)).toEqual({ accepted: 13 })
})

test('more lists than may be under way are refused before anything is held, a repeat is not', async () => {
  const { operator, open } = closedOperator()
  const { sending, deps } = pathNode(db, operator, { times: PATIENT })
  const keyed = smsCall(payer, list(0), { idempotencyKey: 'k' })
  await sending.sendList(keyed)
  const others = Array.from({ length: LIMITS.lists.perAccount - 1 }, (_, at) => list(at + 1, 2))
  await Promise.all(others.map((to) => sending.sendList(smsCall(payer, to))))
  await eventually(async () => (await statesOf(payer)).handed_over === AT_ONCE_MAX)
  const before = await statesOf(payer)
  await expect(sending.sendList(smsCall(payer, list(900, 2)))).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  expect(await statesOf(payer)).toEqual(before)
  const other = await makePayer(database.db)
  await sending.sendList(smsCall(other, list(901, 2)))
  open()
  expect((await sending.sendList(keyed)).replayed).toBe(true)
  await idle(deps)
  await sending.sendList(smsCall(payer, list(900, 2)))
  expect((await statesOf(payer)).held).toBeUndefined()
})

test('of what is due a few sends of one account are under way, and the rest waits for any node', async () => {
  const { operator, open } = closedOperator((to) => to !== '37069999999')
  const { sending, deps } = pathNode(db, operator, { times: PATIENT })
  const other = await makePayer(database.db)
  const body = { scheduled: new Date(Date.now() + 3_600_000).toISOString() }
  for (const [to = ''] of Array.from({ length: 40 }, (_, at) => list(at, 1)))
    await sending.sendOne(smsCall(payer, [to], { body }))
  await sending.sendOne(smsCall(other, ['37069999999'], { body }))
  await database.db.send.updateMany({ data: { scheduledAt: new Date(Date.now() - 1_000) } })
  const job = createScheduleJob(deps, sending, 1_000)
  while ((await turn(job)) > 0);
  await eventually(async () => (await statesOf(other)).accepted === 1)
  await eventually(async () => (await statesOf(payer)).handed_over === AT_ONCE_MAX)
  const { scheduled = 0 } = await statesOf(payer)
  expect(scheduled).toBeGreaterThanOrEqual(40 - LIMITS.lists.duePerAccount - 8)
  open()
  await eventually(async () => {
    await turn(job)
    return (await statesOf(payer)).accepted === 40
  })
  await idle(deps)
})

test('the rest of a list is not given back while the upstream takes as long as it may', async () => {
  const { operator, open } = closedOperator()
  const { sending, deps } = pathNode(db, operator, { times: sendingTimes(60_000, 8_000) })
  const sent = sending.sendList(smsCall(payer, list(1, 8)))
  await eventually(async () => (await statesOf(payer)).handed_over === 4)
  await database.followDate(50_000)
  await turn(createSweepJob(db, 'sandbox', 1_000))
  expect(await statesOf(payer)).toEqual({ handed_over: 4, held: 4 })
  open()
  expect((await sent).answer.messages.map(({ status }) => status)).toEqual(Array(8).fill('sent'))
  await idle(deps)
})
