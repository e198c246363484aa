import { ConfigurationError } from '@vertexsms/service/env'
import type { Database } from './client.ts'

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
 * Resolves where the database was migrated. Rejects with ConfigurationError where it never was, or its user sees nothing of
 * it; with what the driver says where that cannot be asked.
 */
export async function expectMigrated(db: Database): Promise<void> {
  const [row] = await db.$queryRaw<[{ isMigrated: boolean }]>`
    SELECT to_regprocedure('database_now()') IS NOT NULL AS "isMigrated"`
  if (!row.isMigrated)
    throw new ConfigurationError(['DATABASE_URL: this database has no tables yet; run `migrate` first'])
}
