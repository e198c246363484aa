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
