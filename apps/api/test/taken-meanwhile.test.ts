// What is found to be settled is judged again where it is settled: another node may have taken it between the two.
import { isDeepStrictEqual } from 'node:util'
import { type Database, Prisma } from '@vertexsms/db/client'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { sqlStateOf } from '@vertexsms/db/sql-state'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { settleWhere } from '../src/ledger/release.ts'
import { cancel } from '../src/sending/cancel.ts'
import { idle } from '../src/sending/hand-over.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { countOf, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'
import { waitingForLock } from './support/waiting.ts'

let database: TestDatabase
let payer: Payer
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())
beforeEach(async () => {
  payer = await makePayer(database.db)
})

/** The same database, in which something happens once a question has found anything. */
function afterFinding(meanwhile: () => Promise<unknown>): { db: Database; wasFound: () => boolean } {
  let found = false
  const db = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        const rows = await query(args)
        if (
          !found &&
          String((args as { sql: string }).sql).includes('WITH found AS') &&
          (rows as unknown[]).length > 0
        ) {
          found = true
          await meanwhile()
        }
        return rows
      },
    },
  }) as unknown as Database
  return { db, wasFound: () => found }
}

/** The same database, and the SQLSTATE of each statement that failed there. */
function failuresNoted(): { db: Database; failures: unknown[] } {
  const failures: unknown[] = []
  const db = database.db.$extends({
    query: {
      $queryRaw: ({ args, query }) =>
        query(args).catch((error: unknown) => {
          failures.push(sqlStateOf(error))
          throw error
        }),
    },
  }) as unknown as Database
  return { db, failures }
}

async function scheduled(): Promise<bigint> {
  const { sending } = pathNode(database.db, fakeOperator())
  const body = { scheduled: new Date(Date.now() + 3_600_000).toISOString() }
  const { id } = await sending.sendOne(smsCall(payer, ['37060000001'], { body }))
  return id
}

const counts = () => countOf(database.db, payer.tokenId)
const message = (id: bigint) => database.db.sendMessage.findUniqueOrThrow({ where: { id } })

/** Until so many statements wait for a message that another holds. */
const waited = (count: number) => eventually(async () => (await waitingForLock(database.db, 'send_message')) === count)

/** What a cancel says; null when it is done. */
const cancelled = (id: bigint, db = database.db) =>
  cancel(db, payer.tokenId, id).then(
    () => null,
    (error: { code: string }) => error.code,
  )

// They need several sessions of the database.
describe.skipIf(readTestDatabaseUrl() === undefined)('what another node looks at', () => {
  test.each([
    ['and lets be is cancelled, and its money given back', 'scheduled', null],
    ['and hands over is told to be, and moves no money', 'handed_over', 'ALREADY_HANDED_OVER'],
  ] as const)('%s', async (_what, state, code) => {
    const id = await scheduled()
    const before = await counts()
    const telling: Promise<string | null>[] = []
    await database.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id FROM send_message WHERE id = ${id} FOR UPDATE`
        telling.push(cancelled(id))
        await waited(1)
        await tx.sendMessage.update({ where: { id }, data: { state } })
      },
      { timeout: 30_000 },
    )
    expect(await Promise.all(telling)).toEqual([code])
    expect((await message(id)).state).toBe(code === null ? 'released' : state)
    expect(isDeepStrictEqual(await counts(), before)).toBe(code !== null)
  })

  test('as a send first and then its message, as all do, is not taken from the other end by those that cancel it', async () => {
    const id = await scheduled()
    const { sendId } = await message(id)
    const telling: Promise<string | null>[] = []
    await database.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id::text FROM send WHERE id = ${sendId}::uuid FOR NO KEY UPDATE`
        telling.push(...[1, 2, 3].map(() => cancelled(id)))
        await waited(3)
        await tx.$queryRaw`SELECT id FROM send_message WHERE id = ${id} FOR UPDATE`
      },
      { timeout: 30_000 },
    )
    expect(await Promise.all(telling)).toEqual([null, null, null])
    expect((await message(id)).state).toBe('released')
  })

  test('is waited for by who sends it in its time before the counters are, which are everybody else’s', async () => {
    const id = await scheduled()
    const { sendId } = await message(id)
    await database.db.$executeRaw`UPDATE send SET scheduled_at = database_now() WHERE id = ${sendId}::uuid`
    const { deps, sending } = pathNode(database.db, fakeOperator())
    const running: Promise<unknown>[] = []
    await database.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id FROM send_message WHERE id = ${id} FOR UPDATE`
        running.push(turn(createScheduleJob(deps, sending, 1_000)))
        await waited(1)
        await tx.$queryRaw`
          SELECT spender_id::text FROM spender_count WHERE spender_id = ${payer.tokenId}::uuid FOR UPDATE NOWAIT`
      },
      { timeout: 30_000 },
    )
    await Promise.all(running)
    await idle(deps)
    expect((await message(id)).state).toBe('accepted')
  })

  test('as a message that is over, whose send it wants next, does not stand across a cancel that has the send', async () => {
    const id = await scheduled()
    const { sendId } = await message(id)
    await database.db.$executeRaw`
      UPDATE send SET scheduled_at = database_now() - interval '7 hours' WHERE id = ${sendId}::uuid`
    const { db, failures } = failuresNoted()
    const { deps, sending } = pathNode(db, fakeOperator())
    const settling = (count: number) =>
      eventually(async () => (await waitingForLock(database.db, 'failure_reason')) === count)
    const running: Promise<unknown>[] = []
    await database.db.$transaction(
      async (tx) => {
        // Somebody else of the account is at the counters: who has the message waits, and who cancels it takes the send.
        await tx.$queryRaw`
          SELECT spender_id::text FROM spender_count WHERE spender_id = ${payer.tokenId}::uuid FOR UPDATE`
        running.push(turn(createScheduleJob(deps, sending, 1_000)))
        await settling(1)
        running.push(cancelled(id, db))
        await settling(2)
      },
      { timeout: 30_000 },
    )
    await Promise.all(running)
    expect([(await message(id)).state, failures]).toEqual(['released', []])
  })
})

test('a cancel of what was handed over says so, and moves no money', async () => {
  const id = await scheduled()
  await database.db.sendMessage.update({ where: { id }, data: { state: 'handed_over', handedAt: new Date() } })
  const before = await counts()
  await expect(cancel(database.db, payer.tokenId, id)).rejects.toMatchObject({ code: 'ALREADY_HANDED_OVER' })
  expect(await counts()).toEqual(before)
  expect((await message(id)).state).toBe('handed_over')
})

test.each([
  ['expired', null, 'expired'],
  ['was refused by a limit', 'SPEND_CAP_REACHED', 'per_day'],
  ['was cancelled for its account’s sake', null, 'account_changed'],
  ['stayed behind with the rest of its list', 'CONNECTION_PAUSED', 'not_sent'],
] as const)(
  'a cancel of what %s before its time is done already, and moves no money',
  async (_what, failure, reason) => {
    const id = await scheduled()
    const released = { outcome: 'released', failure, reason } as const
    expect(await settleWhere(database.db, Prisma.sql`m.id = ${id}::bigint`, released)).toHaveLength(1)
    const before = await counts()
    expect(await cancelled(id)).toBeNull()
    expect(await counts()).toEqual(before)
    expect(await message(id)).toMatchObject({ state: 'released', failure, failureReason: reason })
  },
)

test('a cancel of what the upstream refused says that it was handed over', async () => {
  const { sending } = pathNode(
    database.db,
    fakeOperator(() => 'refused'),
  )
  await expect(sending.sendOne(smsCall(payer, ['37060000001']))).rejects.toMatchObject({ code: 'SEND_REFUSED' })
  const { id } = await database.db.sendMessage.findFirstOrThrow({ where: { accountId: payer.accountId } })
  expect(await cancelled(id)).toBe('ALREADY_HANDED_OVER')
})

test('a sweep leaves alone what was answered for meanwhile', async () => {
  const id = await scheduled()
  const over = new Date(Date.now() - 1_000)
  await database.db.sendMessage.update({
    where: { id },
    data: { state: 'handed_over', handedAt: over, leaseUntil: over },
  })
  const before = await counts()
  const { db, wasFound } = afterFinding(() =>
    database.db.sendMessage.update({ where: { id }, data: { leaseUntil: new Date(Date.now() + 60_000) } }),
  )
  await turn(createSweepJob(db, 'sandbox', 1_000))
  expect(wasFound()).toBe(true)
  expect(await counts()).toEqual(before)
  expect((await message(id)).state).toBe('handed_over')
  // With a lease that is over it is what a sweep takes.
  await database.db.sendMessage.update({ where: { id }, data: { leaseUntil: over } })
  await turn(createSweepJob(database.db, 'sandbox', 1_000))
  expect((await message(id)).state).toBe('unknown')
})
