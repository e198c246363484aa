import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Prisma } from '../src/client.ts'
import { databaseNow } from '../src/clock.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

const HOUR_MS = 3_600_000
/** Far more than a statement takes, far less than any shift here. */
const NEAR_MS = 60_000

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterEach(() => void vi.useRealTimers())
afterAll(() => test?.close())

/** Runs statements as a role that may do everything with the tables, as a service may; nothing of it stays. */
async function asService(statement: string): Promise<string> {
  const outcome = await test.db
    .$transaction(async (tx: Prisma.TransactionClient) => {
      await tx.$executeRawUnsafe('CREATE ROLE vsms_clock_test')
      await tx.$executeRawUnsafe('GRANT ALL ON ALL TABLES IN SCHEMA public TO vsms_clock_test')
      await tx.$executeRawUnsafe('SET LOCAL ROLE vsms_clock_test')
      await tx.$executeRawUnsafe(statement)
      throw new Error(`done, and the clock says ${(await databaseNow(tx)).getTime()}`)
    })
    .catch((error: Error) => error.message)
  return String(outcome)
}

describe("the database's clock", () => {
  it('is deployed without an offset: one expression that reads no table and no setting', async () => {
    // The others of this file move theirs.
    const untouched = await testDatabase()
    const functions = await untouched.db.$queryRaw<{ source: string; language: string; settings: string[] | null }[]>`
      SELECT prosrc AS source, lanname AS language, proconfig AS settings
      FROM pg_proc JOIN pg_language l ON l.oid = prolang WHERE proname = 'database_now'`
    expect(functions).toEqual([{ source: 'SELECT statement_timestamp()', language: 'sql', settings: null }])
    expect(Math.abs((await databaseNow(untouched.db)).getTime() - Date.now())).toBeLessThan(NEAR_MS)
    await untouched.close()
  })

  it.each([
    `CREATE OR REPLACE FUNCTION database_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now() + interval ''1 hour'''`,
    'ALTER FUNCTION database_now() RENAME TO other_now',
    'DROP FUNCTION database_now()',
  ])('cannot be moved by the role of a service: %s', async (statement) => {
    expect(await asService(statement)).toMatch(/must be owner of function|permission denied/)
  })

  it('cannot be hidden by a function of the session', async () => {
    const outcome = await asService(
      `CREATE FUNCTION pg_temp.database_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now() + interval ''1 hour'''`,
    )
    const said = Number(/the clock says (\d+)/.exec(outcome)?.[1])
    expect(Math.abs(said - Date.now())).toBeLessThan(NEAR_MS)
  })

  it('tells the time of the statement, also in a transaction that has waited', async () => {
    await test.db.$transaction(async (tx) => {
      const before = await databaseNow(tx)
      while ((await databaseNow(tx)).getTime() === before.getTime()) await new Promise(setImmediate)
    })
  })

  it('follows the shifted clock of a test, and comes back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR_MS })
    await test.followDate()
    const shifted = await databaseNow(test.db)
    vi.useRealTimers()
    expect(Math.abs(shifted.getTime() - Date.now() - HOUR_MS)).toBeLessThan(NEAR_MS)
    await test.followDate()
    expect(Math.abs((await databaseNow(test.db)).getTime() - Date.now())).toBeLessThan(NEAR_MS)
  })
})
