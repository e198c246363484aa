// Which of the scheduled sends whose time has come go out, and when.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'

const HOUR_MS = 3_600_000

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
  const scheduled = new Date(Date.now() + HOUR_MS).toISOString()
  for (const hundred of [1, 2, 3]) {
    const to = Array.from({ length: 100 }, (_, at) => `3706${hundred}0000${String(at).padStart(2, '0')}`)
    await sending.sendList(smsCall(payer, to, { body: { scheduled } }))
  }
  await database.followDate(8 * HOUR_MS)
  const job = createScheduleJob(deps, sending, 1_000)
  while ((await turn(job)) > 0);
  const where = { accountId: payer.accountId, failureReason: 'expired' }
  await expect.poll(() => database.owner.sendMessage.count({ where })).toBe(300)
  expect(operator.handOvers.size).toBe(0)
})
