// What the isolation of the other files stands on.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { areTestDatabasesKept } from '../src/env.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

describe.skipIf(!areTestDatabasesKept())('The database of a file of tests', () => {
  it('is given to the next one without its rows, with its clock put right and its numbers from one', async () => {
    const first = await testDatabase()
    await first.followDate(86_400_000)
    expect(await seen(first)).toEqual({ accounts: 0, daysAhead: 1, number: 1 })
    await addAccount(first)
    expect(await seen(first)).toEqual({ accounts: 1, daysAhead: 1, number: 2 })
    await first.close()
    const second = await testDatabase()
    expect(second.url).toBe(first.url)
    expect(await seen(second)).toEqual({ accounts: 0, daysAhead: 0, number: 1 })
    await second.close()
  })

  it('is given to nobody else meanwhile', async () => {
    const [one, other] = await Promise.all([testDatabase(), testDatabase()])
    expect(one.url).not.toBe(other.url)
    await Promise.all([one.close(), other.close()])
  })

  it.each([
    ['a column was added', 'ALTER TABLE account ADD COLUMN nickname text'],
    ['a table was made', 'CREATE TABLE later (id int)'],
    ['an index was dropped', 'DROP INDEX rate_counter_expires_at_idx'],
    ['a function was made', `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
    ['a right was taken', 'REVOKE INSERT ON account FROM vertexsms_auth'],
    [
      'it takes no writes',
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
    ],
    [
      'a table has grown',
      `INSERT INTO rate_counter (key, window_at, hits, expires_at)
        SELECT repeat('k', 99) || n, 'now', 1, 'now' FROM generate_series(1, 10000) AS n`,
    ],
  ])('is dropped where %s', async (_what, change) => {
    const first = await testDatabase()
    await first.db.$executeRawUnsafe(change)
    await first.close()
    const second = await testDatabase()
    expect(second.url).not.toBe(first.url)
    await second.close()
  })
})

const addAccount = ({ db }: TestDatabase) =>
  db.account.create({
    data: {
      id: randomUUID(),
      email: `${randomUUID()}@example.com`,
      passwordHash: 'unused',
      status: 'active',
      createdAt: new Date(),
    },
  })

/** What a test could find there; each look takes the next number. */
async function seen({ db }: TestDatabase) {
  const [row] = await db.$queryRaw<[{ daysAhead: number; number: number }]>`SELECT
    round(extract(epoch FROM database_now() - statement_timestamp()) / 86400)::int AS "daysAhead",
    nextval(pg_get_serial_sequence('activity', 'id'))::int AS number`
  return { accounts: await db.account.count(), ...row }
}
