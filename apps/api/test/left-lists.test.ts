// What becomes of the rest of a list that does not go on, and that nobody else's goes with it.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { idle } from '../src/sending/hand-over.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'

const HOUR_MS = 3_600_000
// A list is answered while it runs on, and nothing of it ends by time.
const TIMES = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000, answerMs: 50 }

let database: ServiceDatabase
let payer: Payer
let bystander: Payer
beforeAll(async () => {
  database = await serviceDatabase()
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  payer = await makePayer(database.owner)
  bystander = await makePayer(database.owner)
})

/** A node whose upstream answers once it is let. */
function closedNode(db = database.db) {
  const { passed, open } = makeGate()
  const operator = fakeOperator(undefined, () => passed)
  const { deps, sending } = pathNode(db, operator, { times: TIMES })
  const job = createScheduleJob(deps, sending, 1_000)
  return { deps, sending, job, open, handOvers: operator.handOvers }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `3706000${1000 + from + at}`)
const inAnHour = () => new Date(Date.now() + HOUR_MS).toISOString()

/** How many messages of an account stand where, with the reason of those that were given back. */
async function standsOf({ accountId }: Payer) {
  const rows = await database.owner.sendMessage.groupBy({
    by: ['state', 'failure'],
    where: { accountId },
    _count: true,
  })
  return Object.fromEntries(rows.map(({ state, failure, _count }) => [failure ? `${state} ${failure}` : state, _count]))
}

/** Resolves once so many messages of an account are with the upstream. */
const areUnderWay = (of: Payer, count: number) => eventually(async () => (await standsOf(of)).handed_over === count)

test('a node that stops gives back the rest of its own list alone, and says of it that nothing was sent', async () => {
  const [stopping, other] = [closedNode(), closedNode()]
  await stopping.sending.sendList(smsCall(payer, numbers(6)))
  await other.sending.sendList(smsCall(bystander, numbers(6)))
  await Promise.all([payer, bystander].map((of) => areUnderWay(of, 4)))
  stopping.sending.stop()
  stopping.open()
  await idle(stopping.deps)
  expect(await standsOf(payer)).toEqual({ accepted: 4, 'released UNAVAILABLE': 2 })
  expect(await standsOf(bystander)).toEqual({ handed_over: 4, held: 2 })
  other.open()
  await idle(other.deps)
  expect(await standsOf(bystander)).toEqual({ accepted: 6 })
})

test('a list that waits for its turn is given back by a node that stops, while the lists before it are under way', async () => {
  const node = closedNode()
  for (const from of [0, 10, 20]) await node.sending.sendList(smsCall(payer, numbers(4, from)))
  await areUnderWay(payer, 8)
  expect(await standsOf(payer)).toEqual({ handed_over: 8, held: 4 })
  node.sending.stop()
  await eventually(async () => (await standsOf(payer))['released UNAVAILABLE'] === 4)
  expect(await standsOf(payer)).toEqual({ handed_over: 8, 'released UNAVAILABLE': 4 })
  node.open()
  await idle(node.deps)
  expect(node.handOvers.size).toBe(8)
})

test('the rest of a scheduled list is for another node at once when its own stops', async () => {
  const [stopping, other] = [closedNode(), closedNode()]
  await stopping.sending.sendList(smsCall(payer, numbers(6), { body: { scheduled: inAnHour() } }))
  await database.followDate(HOUR_MS + 1_000)
  await turn(stopping.job)
  await eventually(async () => stopping.handOvers.size === 4)
  await turn(other.job)
  expect(other.handOvers.size).toBe(0)
  stopping.sending.stop()
  stopping.open()
  await idle(stopping.deps)
  other.open()
  await turn(other.job)
  await idle(other.deps)
  expect(other.handOvers.size).toBe(2)
  expect(await standsOf(payer)).toEqual({ accepted: 6 })
})

test('the rest of a list whose token was deleted says so, whatever stands in the way of others', async () => {
  // Another account is paused, and a message of its is late.
  const scheduler = closedNode()
  await scheduler.sending.sendList(smsCall(bystander, numbers(1), { body: { scheduled: inAnHour(), expireIn: 3600 } }))
  await database.owner.spender.updateMany({
    where: { accountId: bystander.accountId },
    data: { pausedAt: new Date() },
  })
  await database.followDate(3 * HOUR_MS)
  const node = closedNode()
  const now = () => new Date(Date.now() + 3 * HOUR_MS)
  await node.sending.sendList(smsCall(payer, numbers(6), { now }))
  await areUnderWay(payer, 4)
  await database.owner.apiToken.delete({ where: { id: payer.tokenId } })
  node.open()
  await idle(node.deps)
  expect(await standsOf(payer)).toEqual({ accepted: 4, 'released TOKEN_INVALID': 2 })
  expect(await standsOf(bystander)).toEqual({ scheduled: 1 })
})

test('the rest of a list whose token was deleted says so, though its account is paused as well', async () => {
  const node = closedNode()
  await node.sending.sendList(smsCall(payer, numbers(6)))
  await areUnderWay(payer, 4)
  await database.owner.spender.updateMany({ where: { accountId: payer.accountId }, data: { pausedAt: new Date() } })
  await database.owner.apiToken.delete({ where: { id: payer.tokenId } })
  node.open()
  await idle(node.deps)
  expect(await standsOf(payer)).toEqual({ accepted: 4, 'released TOKEN_INVALID': 2 })
})

test('the rest of a list that was paused says so, though the pause is over when it is asked why', async () => {
  const paused = (since: Date | null) =>
    database.owner.spender.update({ where: { id: payer.tokenId }, data: { pausedAt: since } })
  const db = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (/AS paused/.test(String(args.sql))) await paused(null)
        return query(args)
      },
    },
  }) as unknown as Database
  const node = closedNode(db)
  await node.sending.sendList(smsCall(payer, numbers(6)))
  await areUnderWay(payer, 4)
  await paused(new Date())
  node.open()
  await idle(node.deps)
  expect(await standsOf(payer)).toEqual({ accepted: 4, 'released CONNECTION_PAUSED': 2 })
})
