import { databaseUrlSchema, readEnv } from '@vertexsms/service/env'
import { z } from 'zod'

/** DATABASE_URL (or DATABASE_URL_FILE). Throws ConfigurationError. */
export function readDatabaseUrl(): string {
  return readEnv(z.object({ DATABASE_URL: databaseUrlSchema })).DATABASE_URL
}

/** TEST_DATABASE_URL: a real server for the tests, whose role may create databases; undefined means PGlite. */
export function readTestDatabaseUrl(): string | undefined {
  return readEnv(z.object({ TEST_DATABASE_URL: databaseUrlSchema.optional() })).TEST_DATABASE_URL
}
