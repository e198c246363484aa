import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase } from '../src/client.ts'
import { readTestDatabaseUrl } from '../src/env.ts'
import { doorTo } from '../src/testing/door.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'
import { isUnreachable } from '../src/unreachable.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test?.close())

// Short, since they are waited out; long enough for a machine that is out of breath.
const limits = { connectMs: 1_500, statementMs: 1_000, lockMs: 700, idleInTransactionMs: 3_000 }

async function behindDoor(poolSize = 3) {
  const door = await doorTo(test.url)
  return { door, db: createDatabase({ url: door.url, poolSize, limits }) }
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  )

/** Asks until there is an answer: connecting may take longer than the limits while nothing is silent. */
async function answered(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const error = await work().then(
      () => null,
      (reason: unknown) => reason,
    )
    if (error === null) return
    if (!isUnreachable(error)) throw error
  }
  expect.unreachable('no answer')
}

describe('a database that goes silent without closing', () => {
  it('is reported by every kind of statement, and by those that wait for a free connection', async () => {
    const { db, door } = await behindDoor()
    await Promise.all([1, 2, 3].map(() => answered(() => db.$queryRaw`SELECT 1`)))
    door.silence()
    const kinds = [
      () => db.$queryRaw`SELECT 1`,
      () => db.account.findFirst(),
      () => db.account.deleteMany({ where: { email: 'x' } }),
      () => db.$transaction([db.$queryRaw`SELECT 1`, db.account.count()]),
      () => db.$transaction((tx) => tx.account.count()),
    ]
    const errors = await Promise.all([...kinds, ...kinds].map((work) => failure(work())))
    expect(errors.map(isUnreachable)).toEqual(errors.map(() => true))
    door.open()
    await door.close()
    await db.$disconnect()
  })

  it('answers again as soon as it speaks: no connection of before is used once one was found silent', async () => {
    const { db, door } = await behindDoor()
    await Promise.all([1, 2, 3].map(() => answered(() => db.$queryRaw`SELECT 1`)))
    door.silence()
    expect(isUnreachable(await failure(db.$queryRaw`SELECT 1`))).toBe(true)
    door.open()
    for (let at = 0; at < 6; at++) expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
    await db.$disconnect()
    await door.close()
  })

  it('in the middle of a transaction leaves nothing of it, and the connection is not used again', async () => {
    const { db, door } = await behindDoor(1)
    const now = new Date()
    const row = { passwordHash: 'x', status: 'active' as const, createdAt: now }
    const id = '00000000-0000-4000-8000-00000000000a'
    const error = await failure(
      db.$transaction(async (tx) => {
        await tx.account.create({ data: { ...row, id, email: 'silent@vertexsms.test' } })
        door.silence()
        await tx.account.count()
      }),
    )
    expect(isUnreachable(error)).toBe(true)
    door.open()
    door.cut()
    expect(await db.account.count({ where: { id } })).toBe(0)
    await db.$disconnect()
    await door.close()
  })

  it('is not confused with a mistake in a statement', async () => {
    const { db, door } = await behindDoor()
    expect(isUnreachable(await failure(db.$queryRaw`SELECT nothing FROM nowhere`))).toBe(false)
    expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
    await db.$disconnect()
    await door.close()
  })
})

// The embedded database runs in its owner's process, which ends it: it keeps no limits of its own.
describe.skipIf(readTestDatabaseUrl() === undefined)('a server', () => {
  it('ends a statement, and a wait for a lock, that take too long, and the connection serves on', async () => {
    const { db, door } = await behindDoor(1)
    expect(isUnreachable(await failure(db.$queryRaw`SELECT 1::int AS one FROM pg_sleep(5)`))).toBe(true)
    const holder = createDatabase({ url: test.url, poolSize: 1 })
    await holder.$transaction(async (tx) => {
      await tx.$executeRaw`LOCK TABLE sandbox_text IN ACCESS EXCLUSIVE MODE`
      expect(isUnreachable(await failure(db.sandboxText.count()))).toBe(true)
    })
    expect(await db.sandboxText.count()).toBe(0)
    await holder.$disconnect()
    await db.$disconnect()
    await door.close()
  })
})
