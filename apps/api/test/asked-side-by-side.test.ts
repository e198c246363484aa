// What became of messages is asked of accounts side by side: whose operator is slow holds up nobody else.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStatusJob } from '../src/sending/ask-status.ts'
import { idle } from '../src/sending/hand-over.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'

const MANY = 60
/** Messages of one turn, here each of another account: more than are asked about at a time. */
const TURN = 50
const HOUR_MS = 3_600_000

let database: ServiceDatabase
beforeAll(async () => {
  database = await serviceDatabase()
})
afterAll(() => database?.close())

/** Sends so many messages, which the operator takes. */
async function sent(payer: Payer, count: number): Promise<void> {
  const { deps, sending } = pathNode(database.db, fakeOperator())
  await sending.sendList(
    smsCall(
      payer,
      Array.from({ length: count }, (_, at) => `3706000${2000 + at}`),
    ),
  )
  await idle(deps)
}

test('an account whose questions are not answered holds up no other, is asked no more meanwhile, and for all of its later', async () => {
  const [slow, other] = [await makePayer(database.owner), await makePayer(database.owner)]
  await sent(slow, MANY)
  await sent(other, 1)
  const { passed, open } = makeGate()
  const asked: string[] = []
  const told: bigint[] = []
  const operator = {
    ...fakeOperator(),
    async status(accountId: string) {
      asked.push(accountId)
      if (accountId === slow.accountId) await passed
      return { messageId: 0n, status: 1, error: 0, mcc: null, mnc: null }
    },
  }
  const door = { delivery: async ({ messageId }: { messageId: bigint }) => void told.push(messageId) }
  const job = createStatusJob({
    db: database.db,
    operator,
    door: { ...door, lookup: async () => {} },
    firstMs: 0,
    everyMs: 1_000,
  })
  const askedOf = ({ accountId }: Payer) => asked.filter((one) => one === accountId).length
  await eventually(async () => {
    await turn(job)
    return told.length > 0
  })
  expect([askedOf(other), told]).toEqual([1, [expect.any(BigInt)]])
  const before = askedOf(slow)
  expect(before).toBeGreaterThan(0)
  await turn(job)
  expect(askedOf(slow)).toBe(before)
  open()
  await eventually(async () => {
    await turn(job)
    return new Set(told).size === MANY + 1
  })
  await job.stop?.()
})

test('those for whom no account was free are asked about as soon as another is answered for, not a pause later', async () => {
  await database.owner.sendMessage.updateMany({ data: { finalAt: new Date() } })
  for (let at = 0; at < TURN + 1; at++) await sent(await makePayer(database.owner), 1)
  const { passed, open } = makeGate()
  let told = 0
  const operator = {
    ...fakeOperator(),
    async status() {
      await passed
      return { messageId: 0n, status: 1, error: 0, mcc: null, mnc: null }
    },
  }
  const door = { delivery: async () => void told++, lookup: async () => {} }
  // Each is due once in an hour.
  const job = createStatusJob({ db: database.db, operator, door, firstMs: HOUR_MS, everyMs: 1_000 })
  await database.followDate(HOUR_MS + 1_000)
  expect(await turn(job)).toBe(TURN)
  const next = turn(job)
  open()
  expect(await next).toBeGreaterThan(0)
  while ((await turn(job)) > 0);
  await job.stop?.()
  expect(told).toBe(TURN + 1)
})

test('what its question gave back is asked about again where the node died before the report was owed, and owed once', async () => {
  await database.followDate()
  await database.owner.sendMessage.updateMany({ data: { finalAt: new Date() } })
  const payer = await makePayer(database.owner)
  const { accountId } = payer
  const { deps, sending } = pathNode(database.db, fakeOperator())
  await sending.sendOne(smsCall(payer, ['37060000001'], { body: { dlrUrl: 'https://customer.example/reports' } }))
  await idle(deps)
  const status = async () => ({ messageId: 0n, status: 2, error: 24, mcc: null, mnc: null })
  const operator = { ...fakeOperator(), status }
  let dies = true
  const db = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (dies && String(args.sql).includes('reported AS')) throw new Error('the process died')
        return query(args)
      },
    },
  }) as unknown as Database
  const door = createReportDoor(
    db,
    () => operator,
    () => {},
  )
  const job = createStatusJob({ db, operator, door, firstMs: HOUR_MS, everyMs: 1_000 })
  const ask = async (hours: number) => {
    await database.followDate(hours * HOUR_MS + 1_000)
    await turn(job)
    await job.stop?.()
  }
  const became = async () => {
    const row = await database.owner.sendMessage.findFirstOrThrow({ where: { accountId } })
    return [row.state, row.chargedMicros, row.delivery, await database.owner.callback.count({ where: { accountId } })]
  }
  await ask(1)
  expect(await became()).toEqual(['released', 0n, null, 0])
  dies = false
  await ask(3)
  expect(await became()).toEqual(['released', 0n, 2, 1])
  await ask(9)
  expect(await became()).toEqual(['released', 0n, 2, 1])
})
