import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { PATIENT_LIMITS } from './patience.ts'

/** A fresh database of one test file, as the API's own code meets it. */
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
