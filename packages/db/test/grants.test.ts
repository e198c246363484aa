// What the two roles and the three logins may do, may not, and how long: all over the same logins, which are of a whole server.
import { randomBytes } from 'node:crypto'
import { createLogger } from '@vertexsms/service/logger'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase } from '../src/client.ts'
import { readTestDatabaseUrl } from '../src/env.ts'
import { MIGRATIONS_FOLDER, migrate, readMigrations } from '../src/migrate.ts'
import { prepareDatabase, SERVICE_ROLES, scramVerifier } from '../src/prepare.ts'
import { expectMigrated, waitForDatabase } from '../src/readiness.ts'
import { doorTo } from '../src/testing/door.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

const ALL = 'DELETE INSERT SELECT UPDATE'

/** Who may do what: the whole of it. A table that is not here may be touched by the migrations alone. */
const GRANTS: Record<string, Record<string, string>> = {
  vertexsms_auth: {
    _prisma_migrations: 'SELECT(finished_at,migration_name)',
    access_request: ALL,
    account: ALL,
    activity: 'SELECT',
    api_token: ALL,
    approval: 'SELECT UPDATE(decided_at,expires_at,sealed_text,state)',
    callback: 'SELECT',
    connection: ALL,
    hlr_lookup: 'SELECT',
    message: 'SELECT UPDATE(status)',
    notice: 'DELETE INSERT SELECT UPDATE(attempts,claimed_until,next_at,sent_at)',
    oidc_artifact: ALL,
    oidc_client: ALL,
    passkey: ALL,
    passkey_challenge: ALL,
    password_link: ALL,
    password_request: ALL,
    rate_counter: ALL,
    sandbox_text: 'SELECT',
    send: 'SELECT',
    send_message: 'SELECT UPDATE(not_sent_at,was_sent_at)',
    sender_id: 'SELECT',
    session: ALL,
    signing_key: ALL,
    spender:
      'DELETE INSERT SELECT UPDATE(ask_above_micros,ask_new_country,countries,ended_at,ended_name,max_per_day_micros,max_per_send_micros,max_total_micros,paused_at,recipients_per_day,resumed_at,senders)',
    spender_count: 'SELECT',
    upstream_account: 'INSERT SELECT UPDATE(changed_at,checked_at,generation,hlr_price_micros,last_four,sealed_token)',
    upstream_sender: 'SELECT(account_id,confirmed_at,created_at,id,name,notification_url,reviewed_at,type)',
    used_refresh_token: ALL,
  },
  vertexsms_api: {
    _prisma_migrations: 'SELECT(finished_at,migration_name)',
    account: 'SELECT(balance_micros,created_at,email,id,status,time_zone) UPDATE(balance_micros)',
    activity: 'DELETE INSERT SELECT UPDATE(count)',
    approval: ALL,
    api_token: 'SELECT UPDATE(last_used_at)',
    callback: ALL,
    connection: 'SELECT UPDATE(created_at)',
    hlr_lookup: ALL,
    message: ALL,
    notice: 'INSERT',
    rate_counter: ALL,
    sandbox_text: ALL,
    send: ALL,
    send_message: ALL,
    sender_id: ALL,
    spender: 'INSERT(account_id,created_at,id,kind) SELECT UPDATE(auto_paused_at,auto_paused_reason)',
    spender_count: ALL,
    signing_key: 'SELECT(alg,created_at,kid,public_jwk,retires_at,signs_from)',
    upstream_account: 'SELECT(account_id,generation,hlr_price_micros,id,sealed_token)',
    upstream_sender: 'DELETE INSERT SELECT UPDATE(confirmed_at,reference,reviewed_at,tries)',
  },
}

describe('grants', () => {
  let database: TestDatabase

  beforeAll(async () => {
    database = await testDatabase()
  })
  afterAll(() => database.close())

  test.each(Object.keys(GRANTS))('%s may do what stands here and nothing else', async (role) => {
    const rows = await database.db.$queryRaw<{ table: string; rights: string }[]>`
      WITH whole AS (
        SELECT table_name, privilege_type FROM information_schema.role_table_grants
        WHERE grantee = ${role} AND table_schema = 'public'
      ), partial AS (
        SELECT c.table_name, format('%s(%s)', c.privilege_type, string_agg(c.column_name, ',' ORDER BY c.column_name))
          AS privilege_type
        FROM information_schema.role_column_grants c
        WHERE c.grantee = ${role} AND c.table_schema = 'public'
          AND NOT EXISTS (SELECT FROM whole w WHERE w.table_name = c.table_name AND w.privilege_type = c.privilege_type)
        GROUP BY c.table_name, c.privilege_type
      )
      SELECT table_name::text AS "table", string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights
      FROM (SELECT * FROM whole UNION ALL SELECT * FROM partial) AS every
      GROUP BY table_name ORDER BY table_name`
    expect(Object.fromEntries(rows.map(({ table, rights }) => [table, rights]))).toEqual(GRANTS[role])
  })
})

const serverUrl = readTestDatabaseUrl()

// Logins are of a whole server; the embedded database has one.
describe.skipIf(!serverUrl)('logins', () => {
  const tag = randomBytes(4).toString('hex')
  const name = `vsms_test_logins_${tag}`
  const login = (service: string) => ({ name: `${service}_${tag}`, password: randomBytes(24).toString('base64url') })
  const logins = { migrate: login('migrate'), auth: login('auth'), api: login('api') }
  let admin: pg.Client
  const urls: Record<string, string> = {}

  beforeAll(async () => {
    admin = new pg.Client({ connectionString: serverUrl })
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    const base = new URL(serverUrl ?? '')
    base.pathname = `/${name}`
    urls.owner = base.href
    for (const [service, { name: user, password }] of Object.entries(logins)) {
      const url = new URL(base)
      url.username = user
      url.password = password
      urls[service] = url.href
    }
    await migrate(urls.owner ?? '')
    await prepareDatabase(urls.owner ?? '', logins)
  })

  afterAll(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    for (const { name: user } of Object.values(logins)) await admin.query(`DROP ROLE IF EXISTS ${user}`)
    await admin.end()
  })

  const as = async (service: string, sql: string): Promise<string> => {
    const client = new pg.Client({ connectionString: urls[service] })
    await client.connect()
    try {
      await client.query(sql)
      return 'done'
    } catch (error) {
      return String((error as { code?: string }).code)
    } finally {
      await client.end()
    }
  }

  test('a password is kept as the server itself would keep it, which never sees it (RFC 5803)', async () => {
    const user = `scram_${tag}`
    await admin.query("SET password_encryption = 'scram-sha-256'")
    await admin.query(`CREATE ROLE ${user} PASSWORD 'correct horse'`)
    const { rows } = await admin.query<{ kept: string }>(
      `SELECT rolpassword AS kept FROM pg_authid WHERE rolname = '${user}'`,
    )
    await admin.query(`DROP ROLE ${user}`)
    const salt = Buffer.from(/:([^$]+)\$/.exec(rows[0]?.kept ?? '')?.[1] ?? '', 'base64')
    expect(salt).toHaveLength(16)
    expect(scramVerifier('correct horse', salt)).toBe(rows[0]?.kept)
    expect(scramVerifier('correct horsf', salt)).not.toBe(rows[0]?.kept)
  })

  test('an installation with one login is taken over, and a second run changes nothing', async () => {
    await prepareDatabase(urls.owner ?? '', logins)
    await expect(migrate(urls.migrate ?? '')).resolves.toEqual([])
    await expect(as('migrate', 'CREATE TABLE later (id int); ALTER TABLE account ADD COLUMN later int')).resolves.toBe(
      'done',
    )
  })

  /** What a service that starts behind a pooler finds of limits that nobody told the server, and what its log says of it. */
  const behindPooler = async (url: string) => {
    const lines: string[] = []
    const logger = createLogger({
      service: 'api',
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    })
    const pooler = await doorTo(url, 'pooler')
    const db = createDatabase({ url: pooler.url, poolSize: 1, namedStatements: false })
    const found = await db.$queryRaw`
      SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
             current_setting('idle_in_transaction_session_timeout') AS idle`
    await waitForDatabase(db, logger, 0)
    await db.$disconnect()
    await pooler.close()
    return { found, said: lines.map((line) => JSON.parse(line).msg) }
  }

  test.each(['auth', 'api'])(
    'the server ends what %s began behind a pooler, which does not tell it when',
    async (service) => {
      const found = [{ statement: '5s', lock: '3s', idle: '10s' }]
      expect(await behindPooler(urls[service] ?? '')).toEqual({ found, said: [] })
      await prepareDatabase(urls.owner ?? '', logins, { statementMs: 7_000, lockMs: 2_000, idleInTransactionMs: 9_000 })
      expect((await behindPooler(urls[service] ?? '')).found).toEqual([{ statement: '7s', lock: '2s', idle: '9s' }])
      await prepareDatabase(urls.owner ?? '', logins)
    },
  )

  test('a login behind a pooler that keeps no limits is told of', async () => {
    const found = [{ statement: '0', lock: '0', idle: '0' }]
    const said = ['the database keeps no time limits']
    expect(await behindPooler(urls.migrate ?? '')).toEqual({ found, said })
    await admin.query(`ALTER ROLE ${logins.migrate.name} SET statement_timeout = '5s'`)
    expect((await behindPooler(urls.migrate ?? '')).said).toEqual(said)
    await admin.query(`ALTER ROLE ${logins.migrate.name} RESET ALL`)
  })

  test('a second run, with another password, waits for no table that somebody reads', async () => {
    const kept = async () => {
      const role = [logins.auth.name]
      return (await admin.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', role)).rows[0]?.rolpassword
    }
    const before = await kept()
    const reader = new pg.Client({ connectionString: urls.api })
    await reader.connect()
    try {
      await reader.query('BEGIN')
      await reader.query('SELECT id FROM account')
      const impatient = new URL(urls.owner ?? '')
      impatient.searchParams.set('options', '-c lock_timeout=500')
      const auth = { ...logins.auth, password: randomBytes(24).toString('base64url') }
      await prepareDatabase(impatient.href, { ...logins, auth })
    } finally {
      await reader.end()
    }
    expect(await kept()).not.toBe(before)
    await prepareDatabase(urls.owner ?? '', logins)
  })

  test.each(Object.entries(SERVICE_ROLES))(
    '%s finds out whether every migration that it knows was applied',
    async (service, role) => {
      const db = createDatabase({ url: urls[service] ?? '', poolSize: 1 })
      const look = () => expectMigrated(db).then(() => 'up to date', String)
      const older = expect.stringContaining('this database was migrated by an older version; run `migrate` first')
      const newest = `migration_name = '${readMigrations(MIGRATIONS_FOLDER).at(-1)?.name}'`
      const columns = 'SELECT (migration_name, finished_at) ON "_prisma_migrations"'
      expect(await look()).toBe('up to date')
      for (const [change, back] of [
        [`REVOKE ${columns} FROM ${role}`, `GRANT ${columns} TO ${role}`],
        [
          `UPDATE "_prisma_migrations" SET finished_at = NULL WHERE ${newest}`,
          `UPDATE "_prisma_migrations" SET finished_at = started_at WHERE ${newest}`,
        ],
      ]) {
        expect(await as('owner', change ?? '')).toBe('done')
        expect(await look()).toEqual(older)
        expect(await as('owner', back ?? '')).toBe('done')
        expect(await look()).toBe('up to date')
      }
      await db.$disconnect()
    },
  )

  test.each(Object.entries(SERVICE_ROLES))(
    '%s is told that it lacks its role, not that it should migrate',
    async (service, role) => {
      const db = createDatabase({ url: urls[service] ?? '', poolSize: 1 })
      const user = logins[service as keyof typeof SERVICE_ROLES].name
      const look = () => expectMigrated(db).then(() => 'up to date', String)
      await admin.query(`REVOKE ${role} FROM ${user}`)
      expect(await look()).toContain(
        'DATABASE_URL: this user was not given the role of its service; run `prepare-database`',
      )
      await admin.query(`GRANT ${role} TO ${user}`)
      expect(await look()).toBe('up to date')
      await db.$disconnect()
    },
  )

  test('a service does its own work, and is refused what belongs to the other', async () => {
    const refused = '42501'
    await expect(as('auth', 'SELECT sealed_jwk FROM signing_key')).resolves.toBe('done')
    await expect(as('api', 'SELECT public_jwk FROM signing_key')).resolves.toBe('done')
    await expect(as('api', 'SELECT sealed_jwk FROM signing_key')).resolves.toBe(refused)
    await expect(as('api', 'SELECT password_hash FROM account')).resolves.toBe(refused)
    await expect(as('api', 'SELECT * FROM session')).resolves.toBe(refused)
    await expect(as('api', "INSERT INTO api_token (id) VALUES ('00000000-0000-0000-0000-000000000000')")).resolves.toBe(
      refused,
    )
    await expect(as('auth', 'UPDATE message SET price_micros = 0')).resolves.toBe(refused)
    // It exports what an account owns, and changes none of it.
    await expect(as('auth', 'SELECT * FROM callback')).resolves.toBe('done')
    await expect(as('auth', 'DELETE FROM callback')).resolves.toBe(refused)
    await expect(as('api', 'SELECT sealed_token FROM upstream_account')).resolves.toBe('done')
    await expect(as('api', 'UPDATE upstream_account SET generation = 1')).resolves.toBe(refused)
    await expect(as('auth', 'UPDATE upstream_account SET generation = 1')).resolves.toBe('done')
    // A generation must not come twice.
    await expect(as('auth', 'DELETE FROM upstream_account')).resolves.toBe(refused)
    for (const service of ['auth', 'api']) {
      await expect(as(service, 'CREATE TABLE mine (id int)')).resolves.toBe(refused)
      await expect(as(service, 'DROP TABLE account')).resolves.toBe(refused)
      await expect(as(service, 'SELECT * FROM _prisma_migrations')).resolves.toBe(refused)
      await expect(as(service, 'CREATE ROLE another')).resolves.toBe(refused)
    }
  })
})
