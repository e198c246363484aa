import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createDatabase, type Database, type DatabaseOptions } from '../client.ts'
import { poolOf } from '../direct-query.ts'
import { areTestDatabasesKept } from '../env.ts'
import { migrate } from '../migrate.ts'

/** A migrated database without a row, and the owner's client for it. */
export interface Place {
  readonly url: string
  readonly db: Database
  /** Another client for it, which ends with the place and not before. */
  open(options: DatabaseOptions): Database
  close(): Promise<void>
}

const TEMPLATE_LOCK_ID = 72707370
/** Above it a table is made anew faster than it is emptied, and what is left of its rows would slow the next looks. */
const TABLE_MAX_BYTES = 1_000_000
const KEPT_SESSIONS = 'kept by the tests'

interface Kept {
  readonly url: string
  readonly db: Database
  /** By their options, in the order in which they were asked for. */
  readonly clients: Map<string, Database[]>
  /** What {@link marksOf} said when it was new. */
  readonly marks: Marks
}

// Databases of this process that are as new again. A database costs a tenth of a second to make and to drop, each session
// on it a fortieth and the plans of its statements more, and most files of tests leave a few rows and nothing else.
const kept: Kept[] = []

/**
 * A database of its own on a server whose role may create databases. Where the server ends with the tests, one that a file
 * before left is emptied and given again, if nothing but rows has changed in it; elsewhere each is dropped after its file.
 */
export async function onServer(serverUrl: string, fingerprint: string): Promise<Place> {
  const database = kept.pop() ?? (await makeDatabase(serverUrl, fingerprint))
  const opened = new Map<string, number>()
  return {
    url: database.url,
    db: database.db,
    open(options) {
      const key = JSON.stringify(options)
      const clients = database.clients.get(key) ?? []
      database.clients.set(key, clients)
      const place = opened.get(key) ?? 0
      opened.set(key, place + 1)
      const client = clients[place] ?? createDatabase({ ...options, url: keptUrl(options.url) })
      clients[place] = client
      return client
    },
    async close() {
      if (areTestDatabasesKept() && (await isAsNewAgain(database))) kept.push(database)
      else await dropDatabase(serverUrl, database)
    },
  }
}

async function makeDatabase(serverUrl: string, fingerprint: string): Promise<Kept> {
  const name = `vsms_test_${randomBytes(8).toString('hex')}`
  await asAdmin(serverUrl, async (admin) => {
    const template = await serverTemplate(admin, serverUrl, fingerprint)
    // Page by page through the log, as PostgreSQL 15 and later do by themselves, takes twice as long.
    const { rows } = await admin.query(`SELECT current_setting('server_version_num')::int >= 150000 AS "isNew"`)
    await admin.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"${rows[0]?.isNew ? ' STRATEGY FILE_COPY' : ''}`)
  })
  const url = withDatabase(serverUrl, name)
  const db = createDatabase({ url: keptUrl(url), poolSize: 10 })
  return { url, db, clients: new Map(), marks: await marksOf(db) }
}

async function dropDatabase(serverUrl: string, { url, db, clients }: Kept): Promise<void> {
  await Promise.all([db, ...[...clients.values()].flat()].map((client) => client.$disconnect()))
  const name = new URL(url).pathname.slice(1)
  await asAdmin(serverUrl, (admin) => admin.query(`DROP DATABASE "${name}" WITH (FORCE)`))
}

async function asAdmin<Result>(serverUrl: string, act: (admin: pg.Client) => Promise<Result>): Promise<Result> {
  const admin = new pg.Client({ connectionString: serverUrl })
  await admin.connect()
  try {
    return await act(admin)
  } finally {
    await admin.end()
  }
}

/**
 * Ends all sessions but the kept ones, takes from these what was set in them, empties the tables, and tells whether that
 * left the database as it was made.
 */
async function isAsNewAgain({ db, clients, marks }: Kept): Promise<boolean> {
  try {
    const cleared = await Promise.all([db, ...[...clients.values()].flat()].map(clearSessions))
    if (cleared.includes(false)) return false
    await db.$executeRawUnsafe(EMPTY)
    const now = await marksOf(db)
    if (now.clock !== marks.clock) await db.$executeRawUnsafe(marks.clock)
    return now.catalog === marks.catalog && now.largestBytes <= TABLE_MAX_BYTES
  } catch {
    // Whatever it was that a test did to it: the next file gets another.
    return false
  }
}

/** Clears every session of a client; false for a client that was closed, or is in the middle of something. */
async function clearSessions(client: Database): Promise<boolean> {
  const pool = poolOf(client)
  if (pool === undefined || pool.ended || pool.idleCount < pool.totalCount) return false
  const sessions = await Promise.all(Array.from({ length: pool.idleCount }, () => pool.connect()))
  try {
    await Promise.all(sessions.map(clear))
  } finally {
    for (const session of sessions) session.release()
  }
  return true
}

// What DISCARD ALL does, but for the plans, for which the sessions are kept.
const CLEAR = `CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;
SELECT pg_advisory_unlock_all()`
const PREPARED_BY_HAND = 'SELECT name FROM pg_prepared_statements WHERE from_sql'

async function clear(session: pg.PoolClient): Promise<void> {
  await session.query(CLEAR)
  const { rows } = await session.query<{ name: string }>(PREPARED_BY_HAND)
  for (const { name } of rows) await session.query(`DEALLOCATE ${session.escapeIdentifier(name)}`)
}

// Without the triggers of foreign keys, in whatever order; rows go one by one, which leaves files and plans as they are.
const EMPTY = `DO $$
DECLARE name text;
BEGIN
  PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND (application_name <> '${KEPT_SESSIONS}' OR state <> 'idle') AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '1s';
  FOR name IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> '_prisma_migrations' AND pg_relation_size(oid) > 0
  LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$`

interface Marks {
  /** Differs once anything but rows was made, changed or removed. */
  readonly catalog: string
  /** The statement that makes the clock of the database what it is; tests move it on purpose. */
  readonly clock: string
  readonly largestBytes: number
}

const CATALOGS = `pg_class pg_attribute pg_attrdef pg_constraint pg_index pg_trigger pg_type pg_namespace pg_policy
  pg_default_acl pg_description pg_statistic _prisma_migrations`.split(/\s+/)

async function marksOf(db: Database): Promise<Marks> {
  const newest = (of: string) => `count(*) || ':' || max(${of}.xmin::text::bigint)`
  const [marks] = await db.$queryRawUnsafe<[Marks]>(`SELECT
    concat_ws(' ', ${CATALOGS.map((name) => `(SELECT ${newest(name)} FROM ${name})`).join(', ')},
      (SELECT ${newest('pg_proc')} FROM pg_proc WHERE proname <> 'database_now'),
      (SELECT count(*) || coalesce(string_agg(proacl::text, ' '), '') FROM pg_proc WHERE proname = 'database_now'),
      -- What ANALYZE and VACUUM find is written over the row of its table.
      (SELECT sum(reltuples) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
      (SELECT xmin FROM pg_database WHERE datname = current_database()),
      (SELECT string_agg(setconfig::text, ' ') FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))) AS catalog,
    pg_get_functiondef('database_now()'::regprocedure) AS clock,
    (SELECT max(pg_relation_size(oid))::int FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS "largestBytes"`)
  return marks
}

/** The migrated database the others are copies of, made once per server and set of migrations. */
async function serverTemplate(admin: pg.Client, serverUrl: string, fingerprint: string): Promise<string> {
  const name = `vsms_template_${fingerprint}`
  // Test processes that start together make it once. It appears under its name only when it is complete.
  await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK_ID])
  try {
    const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (rowCount) return name
    const building = `${name}_${randomBytes(4).toString('hex')}`
    await admin.query(`CREATE DATABASE "${building}"`)
    await migrate(withDatabase(serverUrl, building))
    await admin.query(`ALTER DATABASE "${building}" RENAME TO "${name}"`)
    return name
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK_ID])
  }
}

/** Tells the sessions that outlive a file from those that it left. */
function keptUrl(url: string): string {
  const named = new URL(url)
  named.searchParams.set('application_name', KEPT_SESSIONS)
  return named.href
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}
