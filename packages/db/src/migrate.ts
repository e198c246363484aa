import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { sqlStateOf } from './sql-state.ts'
import { TIME_LIMITS } from './time-limits.ts'

/** The repository's own migrations. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url))

/** The number Prisma itself locks on, so that its tools and ours exclude each other. */
const LOCK_ID = 72707369

/** Runs once at a start, when a machine has most to do, and nobody waits behind it as behind a request. */
const CONNECT_MS = 30_000

/**
 * How long a file waits for a table that others hold. Every statement on that table queues behind it meanwhile, and none of
 * them may wait so long that it fails.
 */
const TABLE_WAIT_MS = TIME_LIMITS.lockMs - 1_000

/** SQLSTATE of a file that others do not let in: none was had in time, or they wait for what it holds as it does for theirs. */
const HELD_BY_OTHERS: ReadonlySet<string | undefined> = new Set(['55P03', '40P01'])

/**
 * The recorded history and the files disagree, a recorded run failed, or a table was held by somebody else: nothing further
 * was applied.
 */
export class MigrationError extends Error {
  override name = 'MigrationError'
  readonly code = 'MIGRATION_REFUSED'
}

interface Migration {
  name: string
  sql: string
  checksum: string
}

/**
 * Applies every migration that is missing, in order, and returns their names. Each file and its row in
 * `_prisma_migrations` are one transaction: a file that fails leaves nothing behind. Runs of several processes exclude
 * each other. Throws MigrationError when an applied file was edited or removed, an entry is marked failed, a new file
 * sorts before an applied one, or others hold a table that one changes, as a backup does, for longer than `tableWaitMs` or
 * until they have one that was changed before it.
 */
export async function migrate(
  url: string,
  folder: string = MIGRATIONS_FOLDER,
  tableWaitMs: number = TABLE_WAIT_MS,
): Promise<string[]> {
  const files = readMigrations(folder)
  // No limit for a statement: one that rewrites a table takes what it takes.
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    idle_in_transaction_session_timeout: TIME_LIMITS.idleInTransactionMs,
    keepAlive: true,
  })
  await client.connect()
  try {
    const applied: string[] = []
    for (;;) {
      const name = await applyNext(client, files, tableWaitMs)
      if (!name) return applied
      applied.push(name)
    }
  } finally {
    await client.end()
  }
}

/** Every migration of a folder in Prisma's layout (`<timestamp>_<name>/migration.sql`), in the order of application. */
export function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

async function applyNext(client: pg.Client, files: Migration[], tableWaitMs: number): Promise<string | null> {
  await client.query('BEGIN')
  try {
    // A lock of the transaction, not of the session: it also holds where connections share one session.
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK_ID])
    await client.query(HISTORY_TABLE)
    const next = nextMigration(files, await readHistory(client))
    if (next) {
      const startedAt = new Date()
      // Only from here on: for the run of another process is waited as long as it takes.
      await client.query(`SET LOCAL lock_timeout = ${tableWaitMs}`)
      await client.query(next.sql).catch((error: unknown) => {
        throw HELD_BY_OTHERS.has(sqlStateOf(error)) ? heldByOthers(next) : error
      })
      await client.query(
        `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, $4, $5, 1)`,
        [randomUUID(), next.checksum, next.name, startedAt, new Date()],
      )
    }
    await client.query('COMMIT')
    return next?.name ?? null
  } catch (error) {
    // A connection that is gone has rolled back by itself.
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

function heldByOthers({ name }: Migration): MigrationError {
  return new MigrationError(
    `migration ${name} was not applied: another session, a backup perhaps, holds a table that it changes; run it again after that`,
  )
}

interface HistoryEntry {
  migration_name: string
  checksum: string
  finished_at: Date | null
}

async function readHistory(client: pg.Client): Promise<HistoryEntry[]> {
  const { rows } = await client.query<HistoryEntry>(
    `SELECT migration_name, checksum, finished_at FROM "_prisma_migrations"
     WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  )
  return rows
}

function nextMigration(files: Migration[], history: HistoryEntry[]): Migration | undefined {
  for (const entry of history) {
    if (!entry.finished_at) throw new MigrationError(`migration ${entry.migration_name} is recorded as failed`)
    const file = files.find(({ name }) => name === entry.migration_name)
    if (!file) throw new MigrationError(`migration ${entry.migration_name} was applied but its file is missing`)
    if (file.checksum !== entry.checksum) {
      throw new MigrationError(`migration ${entry.migration_name} was edited after it was applied`)
    }
  }
  const done = new Set(history.map((entry) => entry.migration_name))
  const next = files.find(({ name }) => !done.has(name))
  const last = history.at(-1)?.migration_name
  if (next && last !== undefined && next.name < last) {
    throw new MigrationError(`migration ${next.name} sorts before ${last}, which is already applied`)
  }
  return next
}

/** Prisma's own table, so that its tools can read the history. Its time defaults are never used. */
const HISTORY_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL,
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`
