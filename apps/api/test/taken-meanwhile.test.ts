// What is found to be settled is judged again where it is settled: another node may have taken it between the two.
import { isDeepStrictEqual } from 'node:util'
import type { Database } from '@vertexsms/db/client'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { cancel } from '../src/sending/cancel.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { countOf, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'

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

async function scheduled(): Promise<bigint> {
  const { sending } = pathNode(database.db, fakeOperator())
  const body = { scheduled: new Date(Date.now() + 3_600_000).toISOString() }
  const { id } = await sending.sendOne(smsCall(payer, ['37060000001'], { body }))
  return id
}

const counts = () => countOf(database.db, payer.tokenId)
const message = (id: bigint) => database.db.sendMessage.findUniqueOrThrow({ where: { id } })

// Needs two sessions of the database.
test.skipIf(readTestDatabaseUrl() === undefined).each([
  ['lets be is cancelled, and its money given back', 'scheduled', null],
  ['hands over is told so, and moves no money', 'handed_over', 'ALREADY_HANDED_OVER'],
] as const)('a cancel of what another node looks at and %s', async (_what, state, code) => {
  const id = await scheduled()
  const before = await counts()
  const cancelled: Promise<unknown>[] = []
  await database.db.$transaction(
    async (tx) => {
      await tx.$queryRaw`SELECT id FROM send_message WHERE id = ${id} FOR UPDATE`
      cancelled.push(
        cancel(database.db, payer.tokenId, id).then(
          () => null,
          (error: { code: string }) => error.code,
        ),
      )
      await eventually(async () => {
        const [{ waiting }] = await database.db.$queryRaw<[{ waiting: bigint }]>`
          SELECT count(*) AS waiting FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%failure_reason%'`
        return waiting === 1n
      })
      await tx.sendMessage.update({ where: { id }, data: { state } })
    },
    { timeout: 30_000 },
  )
  expect(await Promise.all(cancelled)).toEqual([code])
  expect((await message(id)).state).toBe(code === null ? 'released' : state)
  expect(isDeepStrictEqual(await counts(), before)).toBe(code !== null)
})

test('a cancel of what was handed over says so, and moves no money', async () => {
  const id = await scheduled()
  await database.db.sendMessage.update({ where: { id }, data: { state: 'handed_over', handedAt: new Date() } })
  const before = await counts()
  await expect(cancel(database.db, payer.tokenId, id)).rejects.toMatchObject({ code: 'ALREADY_HANDED_OVER' })
  expect(await counts()).toEqual(before)
  expect((await message(id)).state).toBe('handed_over')
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
  await createSweepJob(db, 'sandbox', 1_000).run(new Date())
  expect(wasFound()).toBe(true)
  expect(await counts()).toEqual(before)
  expect((await message(id)).state).toBe('handed_over')
  // With a lease that is over it is what a sweep takes.
  await database.db.sendMessage.update({ where: { id }, data: { leaseUntil: over } })
  await createSweepJob(database.db, 'sandbox', 1_000).run(new Date())
  expect((await message(id)).state).toBe('unknown')
})
