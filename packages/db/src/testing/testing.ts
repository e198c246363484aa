import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { newSecret } from '@vertexsms/secrets/new-secret'
import { createDatabase, type Database, type DatabaseOptions } from '../client.ts'
import { dataFolderIn, embeddedUrl } from '../embedded/embedded.ts'
import { servePglite } from '../embedded/pglite-server.ts'
import { readTestDatabaseUrl } from '../env.ts'
import { MIGRATIONS_FOLDER, migrate, readMigrations } from '../migrate.ts'
import type { ServiceRole } from '../prepare.ts'
import { onServer, type Place } from './on-server.ts'

/** A database that is as new, of one test file, with all migrations applied. */
export interface TestDatabase {
  /** Connects as the owner. */
  url: string
  /** Connects as a service does, with no right beyond its grants; as the owner on PGlite, whose connections share one session. */
  serviceUrl(role: ServiceRole): string
  /** The owner's: for what a test arranges and looks at. */
  db: Database
  /** Another client for it, as a service of its own would have; it ends with the database, and nobody else ends it. */
  open(options: DatabaseOptions): Database
  /**
   * Sets the clock of this database (`database_now()`) to what `Date` says in this process, and lets it run on from
   * there. Call it after `Date` was shifted and again after it was put right. The function itself is replaced, which
   * only its owner can do: what is deployed has no offset that anybody could set. With `aheadMs` it is so far ahead of
   * `Date` instead, as the database of a node whose clock is behind.
   */
  followDate(aheadMs?: number): Promise<void>
  /** Gives it back: nothing of what is there now will be met again. */
  close(): Promise<void>
}

const CACHE_FOLDER = fileURLToPath(new URL('../../../../node_modules/.cache/vertexsms-test-database/', import.meta.url))
/** Part of the cache's name: a new engine writes another format. */
const ENGINE = 'pglite-0.5.14'

/**
 * A fully migrated database of its own, as new, for one test file. PGlite in this process by default, behind the same
 * front end as the demo's; with TEST_DATABASE_URL (a role that may create databases) a database on that server.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = readTestDatabaseUrl()
  const { url, db, open, close } = serverUrl ? await onServer(serverUrl, fingerprint()) : await onPglite()
  return {
    url,
    serviceUrl: (role) => (serverUrl ? withRole(url, role) : url),
    db,
    open,
    followDate: (aheadMs = 0) => followDate(db, aheadMs),
    close,
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

async function onPglite(): Promise<Place> {
  const file = await embeddedDump()
  const pglite = await PGlite.create({ loadDataDir: new Blob([readFileSync(file)]) })
  const password = newSecret()
  const server = await servePglite(pglite, password)
  const url = embeddedUrl(password, server.port)
  const clients: Database[] = []
  const open = (options: DatabaseOptions) => {
    const client = createDatabase(options)
    clients.push(client)
    return client
  }
  return {
    url,
    db: open({ url, poolSize: 10 }),
    open,
    async close() {
      await Promise.all(clients.map((client) => client.$disconnect()))
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
