import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { newSecret } from '@vertexsms/secrets/new-secret'
import pg from 'pg'
import { createDatabase, type Database } from '../client.ts'
import { dataFolderIn, embeddedUrl } from '../embedded/embedded.ts'
import { servePglite } from '../embedded/pglite-server.ts'
import { readTestDatabaseUrl } from '../env.ts'
import { MIGRATIONS_FOLDER, migrate, readMigrations } from '../migrate.ts'
import type { ServiceRole } from '../prepare.ts'

/** A fresh database of one test file, with all migrations applied. */
export interface TestDatabase {
  /** Connects as the owner. */
  url: string
  /** Connects as a service does, with no right beyond its grants; as the owner on PGlite, whose connections share one session. */
  serviceUrl(role: ServiceRole): string
  /** The owner's: for what a test arranges and looks at. */
  db: Database
  /**
   * Sets the clock of this database (`database_now()`) to what `Date` says in this process, and lets it run on from
   * there. Call it after `Date` was shifted and again after it was put right. The function itself is replaced, which
   * only its owner can do: what is deployed has no offset that anybody could set. With `aheadMs` it is so far ahead of
   * `Date` instead, as the database of a node whose clock is behind.
   */
  followDate(aheadMs?: number): Promise<void>
  /** Disconnects and removes everything. */
  close(): Promise<void>
}

const CACHE_FOLDER = fileURLToPath(new URL('../../../../node_modules/.cache/vertexsms-test-database/', import.meta.url))
/** Part of the cache's name: a new engine writes another format. */
const ENGINE = 'pglite-0.5.14'
const TEMPLATE_LOCK_ID = 72707370

/**
 * A fresh, fully migrated database of its own for one test file. PGlite in this process by default, behind the same
 * front end as the demo's; with TEST_DATABASE_URL (a role that may create databases) a database on that server.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = readTestDatabaseUrl()
  const { url, close } = serverUrl ? await onServer(serverUrl) : await onPglite()
  const db = createDatabase({ url, poolSize: 10 })
  return {
    url,
    serviceUrl: (role) => (serverUrl ? withRole(url, role) : url),
    db,
    followDate: (aheadMs = 0) => followDate(db, aheadMs),
    async close() {
      await db.$disconnect()
      await close()
    },
  }
}

async function followDate(db: Database, aheadMs: number): Promise<void> {
  // The embedded engine reads this process's `Date` by itself; what is missing there is nothing. Of a server it is known
  // only that it answered between the two looks: as long as its clock and ours can be one and the same, they are, and
  // not apart by the time that the question took.
  const asked = Date.now()
  const [{ now }] = await db.$queryRaw<[{ now: Date }]>`SELECT clock_timestamp() AS now`
  const apartMs = Math.min(Math.max(0, asked - now.getTime()), Date.now() - now.getTime())
  const offsetMs = apartMs + aheadMs
  await db.$executeRawUnsafe(`CREATE OR REPLACE FUNCTION database_now() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT statement_timestamp() + interval ''${offsetMs} milliseconds'''`)
}

/**
 * Lays a migrated database without a row under `folder`, where the embedded one finds it: for products whose first start
 * from nothing, which takes several times as long, is not what the test is about.
 */
export async function layEmbedded(folder: string): Promise<void> {
  const dataDir = dataFolderIn(folder)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  execFileSync('tar', ['-xf', await embeddedDump(), '-C', dataDir], { stdio: 'ignore' })
}

interface Place {
  url: string
  close(): Promise<void>
}

async function onPglite(): Promise<Place> {
  const file = await embeddedDump()
  const pglite = await PGlite.create({ loadDataDir: new Blob([readFileSync(file)]) })
  const password = newSecret()
  const server = await servePglite(pglite, password)
  return {
    url: embeddedUrl(password, server.port),
    async close() {
      await server.close()
      await pglite.close()
    },
  }
}

/** A migrated embedded database as a file, which is kept: making one takes seconds, loading one a few tenths. */
export async function embeddedDump(): Promise<string> {
  const file = `${CACHE_FOLDER}${fingerprint()}.tar`
  if (existsSync(file)) return file
  const pglite = await PGlite.create()
  const password = newSecret()
  const server = await servePglite(pglite, password)
  await migrate(embeddedUrl(password, server.port))
  await server.close()
  const dump = await pglite.dumpDataDir('none')
  await pglite.close()
  mkdirSync(CACHE_FOLDER, { recursive: true })
  // Renamed into place: another test process never reads half a file.
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(temporary, Buffer.from(await dump.arrayBuffer()))
  renameSync(temporary, file)
  return file
}

async function onServer(serverUrl: string): Promise<Place> {
  const admin = new pg.Client({ connectionString: serverUrl })
  await admin.connect()
  const name = `vsms_test_${randomBytes(8).toString('hex')}`
  try {
    const template = await serverTemplate(admin, serverUrl)
    // Page by page through the log, as PostgreSQL 15 and later do by themselves, takes twice as long.
    const { rows } = await admin.query(`SELECT current_setting('server_version_num')::int >= 150000 AS "isNew"`)
    await admin.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"${rows[0]?.isNew ? ' STRATEGY FILE_COPY' : ''}`)
  } catch (error) {
    await admin.end()
    throw error
  }
  return {
    url: withDatabase(serverUrl, name),
    async close() {
      await admin.query(`DROP DATABASE "${name}" WITH (FORCE)`)
      await admin.end()
    },
  }
}

/** The migrated database the others are copies of, made once per server and set of migrations. */
async function serverTemplate(admin: pg.Client, serverUrl: string): Promise<string> {
  const name = `vsms_template_${fingerprint()}`
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

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

function withRole(url: string, role: ServiceRole): string {
  const connection = new URL(url)
  connection.searchParams.set('options', `-c role=${role}`)
  return connection.href
}

function fingerprint(): string {
  const hash = createHash('sha256').update(ENGINE)
  for (const { name, checksum } of readMigrations(MIGRATIONS_FOLDER)) hash.update(`${name}:${checksum};`)
  return hash.digest('hex').slice(0, 16)
}
