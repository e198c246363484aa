import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import startServer from '@vertexsms/db/testing/server'

/** A migrated PostgreSQL database for one run. */
export interface BenchDatabase extends Pick<TestDatabase, 'url' | 'serviceUrl'> {
  close(): Promise<void>
}

/**
 * A database of its own on the server of TEST_DATABASE_URL, or on a private one, started for the run where PostgreSQL is
 * installed in Debian's place. Throws where there is neither: the embedded database would measure itself.
 */
export async function benchDatabase(): Promise<BenchDatabase> {
  const end = await startServer()
  if (process.env.TEST_DATABASE_URL === undefined) throw new Error('no PostgreSQL: set TEST_DATABASE_URL')
  const database = await testDatabase()
  await database.db.$disconnect()
  return {
    url: database.url,
    serviceUrl: database.serviceUrl,
    async close() {
      await database.close()
      end?.()
    },
  }
}
