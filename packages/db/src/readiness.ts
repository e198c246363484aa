import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from '@vertexsms/service/env'
import type { Logger } from '@vertexsms/service/logger'
import type { Database } from './client.ts'
import { NEWEST_MIGRATION } from './newest-migration.ts'
import { SERVICE_ROLES } from './prepare.ts'
import { sqlStateOf } from './sql-state.ts'

/** SQLSTATE insufficient_privilege. */
const NOT_ALLOWED = '42501'

const RETRY_MS = 500

/**
 * True when the database answers and takes writes; false for a standby, and for a server that was set read-only. Rejects
 * when it cannot be reached.
 */
export async function takesWrites(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<
    { readOnly: string }[]
  >`SELECT current_setting('transaction_read_only') AS "readOnly"`
  return row?.readOnly === 'off'
}

/**
 * Resolves where every migration that this version knows was applied; those of a newer version may stand beside them. Rejects
 * with ConfigurationError where one is missing, or the database's user may not see whether it is; with what the driver says where
 * that cannot be asked.
 */
export async function expectMigrated(db: Database): Promise<void> {
  const [row] = await db.$queryRaw<[{ isMigrated: boolean }]>`
    SELECT to_regprocedure('database_now()') IS NOT NULL AS "isMigrated"`
  if (!row.isMigrated) throw notMigrated('this database has no tables yet')
  if (await isUpToDate(db)) return
  if (await isLackingItsRole(db)) {
    throw new ConfigurationError([
      'DATABASE_URL: this user was not given the role of its service; run `prepare-database`, or grant it',
    ])
  }
  throw notMigrated('this database was migrated by an older version')
}

/**
 * As {@link expectMigrated}, of a database that may be away at first: it is asked again until it answers, at most for
 * `withinMs`, and `away` is called where it did not answer at once. Says in the log where it keeps no time limits.
 */
export async function waitForDatabase(
  db: Database,
  logger: Logger,
  withinMs: number,
  away: () => void = () => {},
): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  for (let attempt = 1; ; attempt += 1) {
    try {
      await expectMigrated(db)
      if (!(await keepsTimeLimits(db))) logger.warn('the database keeps no time limits')
      return
    } catch (error) {
      if (error instanceof ConfigurationError || performance.now() >= giveUpAt) throw error
      if (attempt === 1) away()
      await delay(RETRY_MS)
    }
  }
}

function notMigrated(why: string): ConfigurationError {
  return new ConfigurationError([`DATABASE_URL: ${why}; run \`migrate\` first`])
}

/** They are applied in order: where the last is, all are. */
async function isUpToDate(db: Database): Promise<boolean> {
  try {
    const rows = await db.$queryRaw<unknown[]>`
      SELECT 1 FROM "_prisma_migrations" WHERE migration_name = ${NEWEST_MIGRATION} AND finished_at IS NOT NULL`
    return rows.length > 0
  } catch (error) {
    // The services may look at the history since the migration that lets them.
    if (sqlStateOf(error) === NOT_ALLOWED) return false
    throw error
  }
}

/** True for a user that may not look at the history and was made a member of neither role that a migration lets do so. */
async function isLackingItsRole(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<[{ lacks: boolean }]>`
    SELECT NOT has_column_privilege('"_prisma_migrations"'::regclass, 'migration_name', 'SELECT') AND NOT EXISTS (
      SELECT FROM pg_roles r WHERE r.rolname = ANY (${Object.values(SERVICE_ROLES)}::text[])
        AND pg_has_role(r.oid, 'USAGE')) AS lacks`
  return row.lacks
}

/**
 * False where the server lets a statement, a wait for a lock or an idle transaction last without an end, as behind a pooler that
 * keeps back what a connection is told: what nobody waits for any more could then still be carried out.
 */
async function keepsTimeLimits(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<[{ keeps: boolean }]>`
    SELECT NOT EXISTS (SELECT FROM pg_settings WHERE setting = '0'
                       AND name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'))
           -- The embedded one runs one statement after another and heeds no limit.
           OR version() LIKE '%PGlite%' AS keeps`
  return row.keeps
}
