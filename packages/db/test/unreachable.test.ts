import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, type Database } from '../src/client.ts'
import { readTestDatabaseUrl } from '../src/env.ts'
import { takesWrites } from '../src/readiness.ts'
import { type Door, doorTo } from '../src/testing/door.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'
import { isUnreachable, mayHaveRun } from '../src/unreachable.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test?.close())

/** A database behind a door that can be shut. */
async function behindDoor(): Promise<{ db: Database; door: Door }> {
  const door = await doorTo(test.url)
  return { door, db: createDatabase({ url: door.url, poolSize: 2 }) }
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  )

describe('a database that has gone', () => {
  it.each(['shut', 'close'] as const)('is known by every kind of statement (%s)', async (how) => {
    const { db, door } = await behindDoor()
    await db.$queryRaw`SELECT 1`
    await door[how]()
    for (const work of [
      () => db.$queryRaw`SELECT 1`,
      () => db.account.findFirst(),
      () => db.account.deleteMany({ where: { email: 'x' } }),
      () => db.$transaction([db.$queryRaw`SELECT 1`, db.account.count()]),
      () => db.$transaction((tx) => tx.account.count()),
    ]) {
      expect(isUnreachable(await failure(work()))).toBe(true)
    }
    await db.$disconnect()
    await door.close()
  })

  it('is known in the middle of a transaction', async () => {
    const { db, door } = await behindDoor()
    const error = await failure(
      db.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1`
        door.cut()
        // The second meets a connection that is known to be broken.
        await failure(tx.$queryRaw`SELECT 1`)
        await tx.$queryRaw`SELECT 1`
      }),
    )
    expect(isUnreachable(error)).toBe(true)
    expect((await db.$queryRaw<unknown[]>`SELECT 1`).length).toBe(1)
    await db.$disconnect()
    await door.close()
  })
})

describe('whether a statement may have run', () => {
  it('is said of one whose answer was lost', async () => {
    const { db, door } = await behindDoor()
    await db.$queryRaw`SELECT 1`
    door.loseAnswerTo('SELECT 2')
    const error = await failure(db.$queryRaw`SELECT 2`)
    expect([isUnreachable(error), mayHaveRun(error)]).toEqual([true, true])
    await db.$disconnect()
    await door.close()
  })

  it.each([
    ['PgBouncer', 'FATAL', '08P01'],
    ['Pgpool-II', 'FATAL', 'XX000'],
    ['PgCat', 'FATAL', '58000'],
    ['PostgreSQL itself, in a panic,', 'PANIC', '53100'],
  ] as const)('is said of one whose server %s lost, and not of one that it turned away', async (_, severity, code) => {
    const door = await doorTo(test.url, 'pooler', { severity, code })
    const db = createDatabase({ url: door.url, poolSize: 2 })
    await db.$queryRaw`SELECT 1`
    door.loseAnswerTo('SELECT 2')
    const lost = await failure(db.$queryRaw`SELECT 2`)
    expect([isUnreachable(lost), mayHaveRun(lost)]).toEqual([true, true])
    door.shut()
    for (const turnedAway of [
      await failure(db.$queryRaw`SELECT 1`),
      await failure(db.$transaction([db.$queryRaw`SELECT 1`])),
    ]) {
      expect([isUnreachable(turnedAway), mayHaveRun(turnedAway)]).toEqual([true, false])
    }
    await db.$disconnect()
    await door.close()
  })

  it.each([
    ['ends the connection', 'FATAL', '57P01', true],
    ['refuses the statement for a message that makes no sense', 'ERROR', '08P01', true],
    ['refuses the statement for a fault of its own', 'ERROR', 'XX000', false],
  ] as const)('is not said where the server itself %s', async (_, severity, code, isOutage) => {
    const door = await doorTo(test.url, 'pooler', { severity, code })
    const db = createDatabase({ url: door.url, poolSize: 2 })
    await db.$queryRaw`SELECT 1`
    door.loseAnswerTo('SELECT 2')
    const error = await failure(db.$queryRaw`SELECT 2`)
    expect([isUnreachable(error), mayHaveRun(error)]).toEqual([isOutage, false])
    await db.$disconnect()
    await door.close()
  })

  it('is not said where no connection was had, or the server itself refused it', async () => {
    const { db, door } = await behindDoor()
    door.shut()
    const refused = await failure(db.$queryRaw`SELECT 1`)
    expect([isUnreachable(refused), mayHaveRun(refused)]).toEqual([true, false])
    await door.close()
    const gone = await failure(db.$transaction([db.$queryRaw`SELECT 1`]))
    expect([isUnreachable(gone), mayHaveRun(gone)]).toEqual([true, false])
    await db.$disconnect()
    for (const code of ['57014', '25006', '40P01', '53300']) {
      expect(mayHaveRun(Object.assign(new Error('x'), { code })), code).toBe(false)
    }
  })
})

describe.skipIf(readTestDatabaseUrl() === undefined)('a server that was made read-only', () => {
  it.each([
    ['alone', (db: Database) => db.account.deleteMany({ where: { email: 'x' } })],
    [
      'in a transaction',
      (db: Database) =>
        db.$transaction(async (tx) => {
          await tx.$queryRaw`SELECT 1`
          await tx.account.deleteMany({ where: { email: 'x' } })
        }),
    ],
  ])('is known by a statement %s, and left for one that takes writes', async (_how, write) => {
    const name = new URL(test.url).pathname.slice(1)
    const db = createDatabase({ url: test.url, poolSize: 3 })
    await test.db.$executeRawUnsafe(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`)
    await Promise.all([1, 2, 3].map(() => db.$queryRaw`SELECT pg_sleep(0.05)::text`))
    expect(await takesWrites(db)).toBe(false)
    await test.db.$executeRawUnsafe(`ALTER DATABASE "${name}" RESET default_transaction_read_only`)
    // Sessions keep what they began with, as connections to a server that lost its place do.
    expect(isUnreachable(await failure(write(db)))).toBe(true)
    await write(db)
    expect(await takesWrites(db)).toBe(true)
    await db.$disconnect()
  })
})

describe('an error that is about the statement', () => {
  it('is not taken for an outage, whatever it says', async () => {
    const id = '00000000-0000-4000-8000-000000000000'
    for (const work of [
      () => test.db.$queryRaw`SELECT nonsense`,
      () => test.db.$queryRawUnsafe('SELECT 1/0'),
      () => test.db.$queryRawUnsafe("DO $$ BEGIN RAISE 'Connection terminated unexpectedly'; END $$"),
      () => test.db.account.findUniqueOrThrow({ where: { id } }),
    ]) {
      expect(isUnreachable(await failure(work()))).toBe(false)
    }
    for (const other of [
      null,
      'ECONNREFUSED',
      new Error('timeout exceeded when trying to connect'),
      { code: 'P2002' },
    ]) {
      expect(isUnreachable(other)).toBe(false)
    }
    // Another host's refusal inside an error of ours is not the database's.
    expect(isUnreachable(new Error('fetch', { cause: { code: 'ECONNREFUSED' } }))).toBe(false)
  })
})

describe('isUnreachable', () => {
  it.each([
    ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028'],
    ...['57P01', '57P02', '57P03', '53300', '08006', '08001', '55P03', '57014'],
    ...['25006', '25P03', '40001', '40P01', '58030', 'P2034'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'],
  ])('knows the code %s', (code) => {
    expect(isUnreachable(Object.assign(new Error('x'), { code }))).toBe(true)
  })

  it('finds what the driver adapter said inside of what Prisma throws', () => {
    const cause = { kind: 'postgres', originalCode: '57P01', code: '57P01' }
    expect(isUnreachable({ code: 'P2010', meta: { driverAdapterError: { cause } } })).toBe(true)
    expect(isUnreachable({ code: 'P2010', meta: { driverAdapterError: { cause: { kind: 'ColumnNotFound' } } } })).toBe(
      false,
    )
  })

  it('ends with an error that is its own cause', () => {
    const error: { cause?: unknown } = {}
    error.cause = error
    expect(isUnreachable(error)).toBe(false)
  })
})
