import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readTestDatabaseUrl } from '../src/env.ts'
import { MIGRATIONS_FOLDER, MigrationError, migrate, readMigrations } from '../src/migrate.ts'
import { NEWEST_MIGRATION } from '../src/newest-migration.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

let database: TestDatabase
let client: pg.Client
let folder: string

beforeAll(async () => {
  database = await testDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.close()
})

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'migrations-'))
  await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
})

afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, sql: string): void {
  mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, name, 'migration.sql'), sql)
}

async function tables(): Promise<string[]> {
  const { rows } = await client.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
  return rows.map(({ tablename }) => tablename).filter((name) => name !== '_prisma_migrations')
}

const refused = { name: 'MigrationError' }

describe('the migrator', () => {
  it('applies what is missing in the order of the names, and nothing twice', async () => {
    write('20260102000000_b', 'ALTER TABLE a ADD COLUMN b int;')
    write('20260101000000_a', 'CREATE TABLE a (id int); CREATE TABLE c (id int);')
    expect(await migrate(database.url, folder)).toEqual(['20260101000000_a', '20260102000000_b'])
    expect(await migrate(database.url, folder)).toEqual([])
    write('20260103000000_d', 'CREATE TABLE d (id int)')
    expect(await migrate(database.url, folder)).toEqual(['20260103000000_d'])
    expect(await tables()).toEqual(['a', 'c', 'd'])
  })

  it('runs function bodies with semicolons whole', async () => {
    write(
      '20260101000000_f',
      `CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RETURN 2; END; $$;`,
    )
    await migrate(database.url, folder)
    expect((await client.query('SELECT f() AS f')).rows[0].f).toBe(2)
  })

  it('leaves nothing of a file that fails, and applies it once it is right', async () => {
    write('20260101000000_a', 'CREATE TABLE a (id int); SELECT 1 / 0;')
    await expect(migrate(database.url, folder)).rejects.toThrow(/division by zero/)
    expect(await tables()).toEqual([])
    write('20260101000000_a', 'CREATE TABLE a (id int);')
    expect(await migrate(database.url, folder)).toEqual(['20260101000000_a'])
  })

  it('applies each file once when several processes start together', async () => {
    for (let index = 1; index <= 5; index++) write(`2026010${index}000000_t`, `CREATE TABLE t${index} (id int);`)
    const runs = await Promise.all(Array.from({ length: 4 }, () => migrate(database.url, folder)))
    expect(runs.flat().sort()).toEqual(readMigrations(folder).map(({ name }) => name))
  })

  it('refuses a file that was edited after it was applied', async () => {
    write('20260101000000_a', 'CREATE TABLE a (id int);')
    await migrate(database.url, folder)
    write('20260101000000_a', 'CREATE TABLE a (id bigint);')
    write('20260102000000_b', 'CREATE TABLE b (id int);')
    await expect(migrate(database.url, folder)).rejects.toMatchObject(refused)
    expect(await tables()).toEqual(['a'])
  })

  it('refuses a history whose file is gone', async () => {
    write('20260101000000_a', 'CREATE TABLE a (id int);')
    await migrate(database.url, folder)
    rmSync(join(folder, '20260101000000_a'), { recursive: true })
    await expect(migrate(database.url, folder)).rejects.toMatchObject(refused)
  })

  it('refuses a new file that sorts before an applied one', async () => {
    write('20260102000000_b', 'CREATE TABLE b (id int);')
    await migrate(database.url, folder)
    write('20260101000000_a', 'CREATE TABLE a (id int);')
    await expect(migrate(database.url, folder)).rejects.toBeInstanceOf(MigrationError)
  })

  it('refuses an entry that is marked failed, until it is marked rolled back', async () => {
    write('20260101000000_a', 'CREATE TABLE a (id int);')
    await migrate(database.url, folder)
    await client.query(`UPDATE "_prisma_migrations" SET finished_at = NULL`)
    await expect(migrate(database.url, folder)).rejects.toMatchObject(refused)
    await client.query(`UPDATE "_prisma_migrations" SET rolled_back_at = '2026-01-01'; DROP TABLE a`)
    expect(await migrate(database.url, folder)).toEqual(['20260101000000_a'])
  })

  // The embedded database has one session for all connections.
  it.skipIf(readTestDatabaseUrl() === undefined)(
    'gives up a table that somebody else holds, says which file was not applied, and applies it after that',
    async () => {
      write('20260101000000_a', 'CREATE TABLE a (id int);')
      await migrate(database.url, folder)
      write('20260102000000_b', 'CREATE TABLE b (id int); ALTER TABLE a ADD COLUMN b int;')
      await client.query('BEGIN; LOCK TABLE a IN ACCESS SHARE MODE')
      const message = expect.stringMatching(/^migration 20260102000000_b was not applied: another session/)
      await expect(migrate(database.url, folder, 20)).rejects.toMatchObject({ ...refused, message })
      await client.query('COMMIT')
      expect(await tables()).toEqual(['a'])
      expect(await migrate(database.url, folder)).toEqual(['20260102000000_b'])
    },
  )

  it.skipIf(readTestDatabaseUrl() === undefined)(
    'gives up where somebody else waits for it as it waits for them, in the same words, and applies the file after that',
    async () => {
      write('20260101000000_a', 'CREATE TABLE a (id int); CREATE TABLE b (id int);')
      await migrate(database.url, folder)
      write('20260102000000_b', 'ALTER TABLE a ADD COLUMN b int; ALTER TABLE b ADD COLUMN a int;')
      // Whoever looks first is given up: not this one.
      await client.query(`BEGIN; SET LOCAL deadlock_timeout = '1min'; LOCK TABLE b IN ACCESS SHARE MODE`)
      const run = migrate(database.url, folder, 5_000).catch((error: unknown) => error)
      const waiting = `SELECT FROM pg_locks WHERE relation = 'b'::regclass AND NOT granted`
      await expect.poll(async () => (await client.query(waiting)).rowCount).toBe(1)
      await client.query('LOCK TABLE a IN ACCESS SHARE MODE')
      await client.query('COMMIT')
      const message = expect.stringMatching(/^migration 20260102000000_b was not applied: another session/)
      expect(await run).toMatchObject({ ...refused, message })
      expect(await migrate(database.url, folder)).toEqual(['20260102000000_b'])
    },
  )

  it('gives the tables that the client expects', async () => {
    await migrate(database.url, MIGRATIONS_FOLDER)
    expect(await database.db.account.count()).toBe(0)
    expect(await database.db.apiToken.findMany({ include: { connection: true, artifacts: true } })).toEqual([])
  })

  it('is told of the newest by name where there are no files', () => {
    expect(NEWEST_MIGRATION).toBe(readMigrations(MIGRATIONS_FOLDER).at(-1)?.name)
  })
})
