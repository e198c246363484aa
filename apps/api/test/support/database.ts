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
  const { db: owner, serviceUrl, followDate, close } = await testDatabase()
  const db = createDatabase({ url: serviceUrl('vertexsms_api'), poolSize, limits: PATIENT_LIMITS })
  return {
    db,
    owner,
    followDate,
    async close() {
      await db.$disconnect()
      await close()
    },
  }
}

/** The databases of nodes: those that ask for the same have the same, and its connections. */
export interface SharedDatabases {
  of(options: DatabaseOptions): Database
  close(): Promise<void>
}

/** None yet; each opens `poolSize` connections at most, on which what one node had planned is planned for all. */
export function sharedDatabases(poolSize: number): SharedDatabases {
  const open = new Map<string, Database>()
  return {
    of(options) {
      const key = JSON.stringify(options)
      const db = open.get(key) ?? createDatabase({ ...options, poolSize })
      open.set(key, db)
      return db
    },
    async close() {
      await Promise.all([...open.values()].map((db) => db.$disconnect()))
    },
  }
}
