import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { Prisma, PrismaClient } from '../generated/client.ts'
import { ReportingPool } from './unreachable.ts'

export { Prisma }

/** The one way to the tables: a Prisma client whose model API, `$queryRaw` and `$transaction` everybody uses. */
export type Database = PrismaClient

export interface DatabaseOptions {
  url: string
  /** Connections this process opens at most. */
  poolSize?: number
  /** Named prepared statements; off behind a pooler that shares connections between clients. */
  namedStatements?: boolean
}

const CONNECT_TIMEOUT_MS = 5_000
const IDLE_TIMEOUT_MS = 60_000
/** Statement texts that get a name; the rest go unnamed, so that varying lists cannot pile up on the server. */
const NAMED_STATEMENTS_LIMIT = 500

/**
 * A lazily connecting client. A lost server is reported by the query that needed it, with an error that `isUnreachable`
 * knows, and reconnected to by the next one. Close it with `$disconnect()`.
 */
export function createDatabase({ url, poolSize = 10, namedStatements = true }: DatabaseOptions): Database {
  const adapter = new PrismaPg(
    new ReportingPool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      allowExitOnIdle: true,
    }),
    {
      disposeExternalPool: true,
      // Without these two, a connection that breaks while it is idle would end the process.
      onPoolError: () => {},
      onConnectionError: () => {},
      ...(namedStatements ? { statementNameGenerator: statementNames() } : {}),
    },
  )
  return new PrismaClient({ adapter, errorFormat: 'minimal', log: [] })
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
