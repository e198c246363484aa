// Which of the scheduled sends whose time has come go out, and when.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { idle } from '../src/sending/hand-over.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

const at = (minutes: number) => new Date(Date.now() + HOUR_MS + minutes * MINUTE_MS).toISOString()
const others = (count: number) => Promise.all(Array.from({ length: count }, () => makePayer(database.owner)))

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

test('of however many are too late, none goes out', async () => {
  const operator = fakeOperator()
  const { deps, sending } = pathNode(database.db, operator)
  const scheduled = at(0)
  for (const hundred of [1, 2, 3]) {
    const to = Array.from({ length: 100 }, (_, place) => `3706${hundred}0000${String(place).padStart(2, '0')}`)
    await sending.sendList(smsCall(payer, to, { body: { scheduled } }))
  }
  await database.followDate(8 * HOUR_MS)
  const job = createScheduleJob(deps, sending, 1_000)
  while ((await turn(job)) > 0);
  const where = { accountId: payer.accountId, failureReason: 'expired' }
  await expect.poll(() => database.owner.sendMessage.count({ where })).toBe(300)
  expect(operator.handOvers.size).toBe(0)
})

/** Accepts sends of one message, so many minutes after the hour. */
async function scheduleSingles(of: Payer, count: number, minutes: number, priority: string): Promise<void> {
  const { sending } = pathNode(database.db, fakeOperator())
  const scheduled = at(minutes)
  for (let one = 0; one < count; one++)
    await sending.sendOne(smsCall(of, [`370611111${one + 10}`], { body: { scheduled, priority } }))
}

/** What one turn of a node hands over, and what came of it. */
async function inOneTurn(): Promise<void> {
  const { deps, sending } = pathNode(database.db, fakeOperator())
  await turn(createScheduleJob(deps, sending, 1_000))
  await idle(deps)
}

test('the rest of a list whose node died goes out before what became due since, of its account and of others', async () => {
  const list = Array.from({ length: 6 }, (_, place) => `3706000000${place}`)
  const never = new Promise<void>(() => {})
  const dead = pathNode(database.db, fakeOperator(), { at: (step) => (step === 'claimed' ? never : undefined) })
  await dead.sending.sendList(smsCall(payer, list, { body: { scheduled: at(0), priority: 'low' } }))
  await scheduleSingles(payer, 9, 2, 'high')
  // More than one turn takes.
  for (const other of await others(22)) await scheduleSingles(other, 1, 2, 'high')
  await database.followDate(HOUR_MS + MINUTE_MS)
  await turn(createScheduleJob(dead.deps, dead.sending, 1_000))
  const ofList = (state: 'handed_over' | 'accepted') =>
    database.owner.sendMessage.count({ where: { accountId: payer.accountId, recipient: { in: list }, state } })
  await eventually(async () => (await ofList('handed_over')) === 4)
  await database.followDate(HOUR_MS + 3 * MINUTE_MS)
  await inOneTurn()
  expect(await ofList('accepted')).toBe(2)
})

test('of every account something goes out before the further sends of those that have many', async () => {
  for (const of of await others(3)) await scheduleSingles(of, 8, 0, 'high')
  await scheduleSingles(payer, 1, 1, 'low')
  await database.followDate(HOUR_MS + 2 * MINUTE_MS)
  await inOneTurn()
  expect(await database.owner.sendMessage.count({ where: { accountId: payer.accountId, state: 'accepted' } })).toBe(1)
})
