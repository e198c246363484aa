import pg from 'pg'
import type { Database, Prisma } from './client.ts'

/** The driver behind a database, and the names of its prepared statements. */
export interface Driver {
  readonly pool: pg.Pool
  /** The name of a statement; empty for one that is not prepared. */
  readonly nameOf: (statement: { readonly sql: string }) => string
}

const drivers = new WeakMap<Database, Driver>()
/** Those whose client has taken the pool over: it listens for connections that break while idle, and ends the pool. */
const owned = new WeakSet<Database>()

/** Remembers what is behind a database, for {@link directQuery}. */
export function noteDriver(db: Database, driver: Driver): void {
  drivers.set(db, driver)
}

/** The connections of a database; undefined for one that stands for another. */
export function poolOf(db: Database): pg.Pool | undefined {
  return drivers.get(db)?.pool
}

// The driver gives a bigint as text, and the client as a BigInt, on which callers rely.
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format),
}

/**
 * One statement outside of any transaction, straight to the driver: half the cost of `$queryRaw`, and for the two
 * statements of the token path alone. Limits, errors, prepared statements and values are the same, but that `bytea` comes
 * as a Buffer and `numeric` as text. A database that stands for another, as in a test of faults, is asked through its own
 * `$queryRaw`.
 */
export async function directQuery<Row extends object>(db: Database, statement: Prisma.Sql): Promise<Row[]> {
  const driver = drivers.get(db)
  if (driver === undefined) return db.$queryRaw<Row[]>(statement)
  if (!owned.has(db)) {
    await db.$connect()
    owned.add(db)
  }
  const { text, values } = statement
  const name = driver.nameOf({ sql: text })
  const { rows } = await driver.pool.query<Row>({ text, values, types: TYPES, ...(name === '' ? {} : { name }) })
  return rows
}
