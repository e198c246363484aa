// What the isolation of the other files stands on.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Database } from '../src/client.ts'
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
    'SET statement_timeout = 77',
    'SET search_path = pg_catalog, public',
    'SET ROLE vertexsms_auth',
    'SET SESSION AUTHORIZATION vertexsms_auth',
    'SET default_transaction_read_only = on',
    `SET TimeZone = 'Asia/Tokyo'`,
    'SELECT pg_advisory_lock_shared(4711)::text',
    'LISTEN news',
    'PREPARE one AS SELECT 1',
  ])('is given to the next one with its sessions as they began: %s', async (statement) => {
    const first = await testDatabase()
    const owner = await sessionOf(first.db)
    const service = await sessionOf(first.open(serviceOf(first)))
    for (const db of [first.db, first.open(serviceOf(first))]) await db.$executeRawUnsafe(statement)
    await first.close()
    const second = await testDatabase()
    expect(second.url).toBe(first.url)
    expect(await sessionOf(second.db)).toEqual(owner)
    expect(await sessionOf(second.open(serviceOf(second)))).toEqual(service)
    await second.close()
  })

  it('is dropped where a transaction was left open', async () => {
    const first = await testDatabase()
    await new Promise<void>((began) => {
      const left = first.db.$transaction(async (tx) => {
        await tx.$executeRaw`LOCK TABLE account`
        began()
        await new Promise(() => {})
      })
      left.catch(() => {})
    })
    await first.close()
    const second = await testDatabase()
    expect(second.url).not.toBe(first.url)
    await second.close()
  })

  it('is dropped where one of its clients was closed', async () => {
    const first = await testDatabase()
    const closed = first.open(serviceOf(first))
    await closed.account.count()
    await closed.$disconnect()
    await first.close()
    const second = await testDatabase()
    expect(second.url).not.toBe(first.url)
    await second.close()
  })

  it.each([
    ['a column was added', 'ALTER TABLE account ADD COLUMN nickname text'],
    ['a table was made', 'CREATE TABLE later (id int)'],
    ['an index was dropped', 'DROP INDEX rate_counter_expires_at_idx'],
    ['a function was made', `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
    ['a right was taken', 'REVOKE INSERT ON account FROM vertexsms_auth'],
    ['the clock was taken', 'REVOKE EXECUTE ON FUNCTION database_now() FROM PUBLIC'],
    ['the clock has a namesake', `CREATE FUNCTION database_now(int) RETURNS int LANGUAGE sql AS 'SELECT 1'`],
    ['a policy was made', 'CREATE POLICY nothing ON account USING (false)'],
    ['a comment was made', `COMMENT ON TABLE account IS 'people'`],
    ['rights were promised', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC'],
    ['a column is stored otherwise', 'ALTER TABLE oidc_artifact ALTER COLUMN payload SET STORAGE EXTERNAL'],
    ['a number grows otherwise', 'ALTER SEQUENCE activity_id_seq INCREMENT 5'],
    ['a table of the session was made', 'CREATE TEMP TABLE account (id int)'],
    ['statistics were taken', 'ANALYZE account'],
    ['a migration was forgotten', 'DELETE FROM _prisma_migrations'],
    [
      'it lets nobody in',
      `DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$`,
    ],
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

const serviceOf = (test: TestDatabase) => ({ url: test.serviceUrl('vertexsms_api'), poolSize: 1 })

/** What a test could meet in the session of a client. */
const sessionOf = async (db: Database) =>
  (
    await db.$queryRaw<
      object[]
    >`SELECT pg_backend_pid() AS pid, current_user::text AS role, session_user::text AS login,
      (SELECT json_object_agg(name, setting) FROM pg_settings WHERE source IN ('client', 'session')) AS settings,
      (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
      (SELECT count(*)::int FROM pg_listening_channels()) AS channels,
      (SELECT count(*)::int FROM pg_prepared_statements WHERE from_sql) AS prepared`
  )[0]

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
