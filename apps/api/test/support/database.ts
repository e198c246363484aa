import { createDatabase, type Database, type DatabaseOptions } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { PATIENT_LIMITS } from './patience.ts'

/** A database of one test file, as new, as the API's own code meets it. */
export interface ServiceDatabase extends Pick<TestDatabase, 'followDate' | 'close'> {
  /** With the rights of the service and no more. */
  readonly db: Database
  /** The owner's: for what a test arranges and looks at. */
  readonly owner: Database
}

/** Makes one, of which the service opens `poolSize` connections at most. */
export async function serviceDatabase(poolSize = 10): Promise<ServiceDatabase> {
  const { db: owner, open, serviceUrl, followDate, close } = await testDatabase()
  const db = open({ url: serviceUrl('vertexsms_api'), poolSize, limits: PATIENT_LIMITS })
  return { db, owner, followDate, close }
}

/** The databases of nodes: those that ask for the same have the same, and its connections. */
export interface SharedDatabases {
  of(options: DatabaseOptions): Database
  close(): Promise<void>
}

/**
 * None yet; each opens `poolSize` connections at most, on which what one node had planned is planned for all. Those of a
 * test database are opened by it, and end with it.
 */
export function sharedDatabases(poolSize: number, openKept?: TestDatabase['open']): SharedDatabases {
  const open = new Map<string, Database>()
  return {
    of(options) {
      const key = JSON.stringify(options)
      const db = open.get(key) ?? (openKept ?? createDatabase)({ ...options, poolSize })
      open.set(key, db)
      return db
    },
    async close() {
      if (openKept === undefined) await Promise.all([...open.values()].map((db) => db.$disconnect()))
    },
  }
}
