import { databaseEnv, databaseUrlSchema, readEnv } from '@vertexsms/service/env'
import * as z from 'zod'

/** DATABASE_URL (or DATABASE_URL_FILE). Throws ConfigurationError. */
export function readDatabaseUrl(): string {
  return readEnv(z.object({ DATABASE_URL: databaseUrlSchema })).DATABASE_URL
}

/** TEST_DATABASE_URL: a real server for the tests, whose role may create databases; undefined means PGlite. */
export function readTestDatabaseUrl(): string | undefined {
  return readEnv(z.object({ TEST_DATABASE_URL: databaseUrlSchema.optional() })).TEST_DATABASE_URL
}

/** TEST_DATABASES_KEPT: the server of the tests ends with them, so that a database may outlive its file of tests. */
export function areTestDatabasesKept(): boolean {
  return process.env.TEST_DATABASES_KEPT === '1'
}

/**
 * What `prepare-database` reads: DATABASE_URL of a role that may make roles, and the URL that each service will connect
 * with, whose user and password it makes, and the limits that these keep. Throws ConfigurationError.
 */
export function readPrepareEnv() {
  const login = databaseUrlSchema.refine(
    (value) => new URL(value).username !== '' && new URL(value).password !== '',
    'must have a user and a password',
  )
  return readEnv(
    z.object({
      DATABASE_URL: databaseUrlSchema,
      MIGRATE_DATABASE_URL: login,
      AUTH_DATABASE_URL: login,
      API_DATABASE_URL: login,
      DATABASE_STATEMENT_TIMEOUT_MS: databaseEnv.DATABASE_STATEMENT_TIMEOUT_MS,
      DATABASE_LOCK_TIMEOUT_MS: databaseEnv.DATABASE_LOCK_TIMEOUT_MS,
      DATABASE_IDLE_TRANSACTION_TIMEOUT_MS: databaseEnv.DATABASE_IDLE_TRANSACTION_TIMEOUT_MS,
    }),
  )
}
