import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import type { databaseEnv } from '@vertexsms/service/env'
import type * as z from 'zod'
import { Prisma, PrismaClient } from '../generated/client.ts'
import { noteDriver } from './direct-query.ts'
import { LimitedPool, TIME_LIMITS, type TimeLimits } from './time-limits.ts'

export { Prisma }

/** The one way to the tables: a Prisma client whose model API, `$queryRaw` and `$transaction` everybody uses. */
export type Database = PrismaClient

/** Where the database is, and how long it may take. */
export interface DatabaseOptions {
  url: string
  /** Connections this process opens at most; {@link POOL_SIZE} when absent. */
  poolSize?: number
  /** Named prepared statements; off behind a pooler that shares connections between clients. */
  namedStatements?: boolean
  /** How long anything may take; {@link TIME_LIMITS} when absent. */
  limits?: TimeLimits
}

/** The options that the settings of a service stand for. */
export function databaseOptions(env: z.output<z.ZodObject<typeof databaseEnv>>): DatabaseOptions {
  return {
    url: env.DATABASE_URL,
    namedStatements: env.DATABASE_NAMED_STATEMENTS,
    limits: {
      connectMs: env.DATABASE_CONNECT_TIMEOUT_MS,
      statementMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
      lockMs: env.DATABASE_LOCK_TIMEOUT_MS,
      idleInTransactionMs: env.DATABASE_IDLE_TRANSACTION_TIMEOUT_MS,
    },
  }
}

/** Connections that a service opens at most. */
export const POOL_SIZE = 10
const IDLE_TIMEOUT_MS = 60_000
/** Statement texts that get a name; the rest go unnamed, so that varying lists cannot pile up on the server. */
const NAMED_STATEMENTS_LIMIT = 500

/**
 * A lazily connecting client. A server that is lost, or silent for longer than the limits allow, is reported by the query
 * that needed it, with an error that `isUnreachable` knows, and reconnected to by the next one. Close it with
 * `$disconnect()`.
 */
export function createDatabase({
  url,
  poolSize = POOL_SIZE,
  namedStatements = true,
  limits = TIME_LIMITS,
}: DatabaseOptions): Database {
  const nameOf = namedStatements ? statementNames() : () => ''
  const pool = new LimitedPool(
    { connectionString: url, max: poolSize, idleTimeoutMillis: IDLE_TIMEOUT_MS, allowExitOnIdle: true },
    limits,
  )
  const adapter = new PrismaPg(pool, {
    disposeExternalPool: true,
    // Without these two, a connection that breaks while it is idle would end the process.
    onPoolError: () => {},
    onConnectionError: () => {},
    ...(namedStatements ? { statementNameGenerator: nameOf } : {}),
  })
  const db = new PrismaClient({ adapter, errorFormat: 'minimal', log: [] })
  noteDriver(db, { pool, nameOf })
  return db
}

function statementNames(): (query: { sql: string }) => string {
  const names = new Map<string, string>()
  return ({ sql }) => {
    const known = names.get(sql)
    if (known) return known
    if (names.size >= NAMED_STATEMENTS_LIMIT) return ''
    const name = `v${createHash('sha256').update(sql).digest('base64url').slice(0, 22)}`
    names.set(sql, name)
    return name
  }
}
