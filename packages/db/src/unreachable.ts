import pg from 'pg'

// Which errors say that the database is not there at the moment, as against a statement that is wrong. Decided by codes
// and classes alone. node-postgres leaves some of its own errors without a code, so the pool names them where they
// arise: see `ReportingPool`.

/** Prisma: unreachable, too slow, closed, no free connection, transaction could not be had in time, too many connections. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])

/** SQLSTATE classes: connection exception, insufficient resources, operator intervention (shutdown, time limit), disk. */
const SQLSTATE_CLASSES: readonly string[] = ['08', '53', '57', '58']

/** SQLSTATE of a server that takes no writes: the standby that a failover has left us with. */
export const READ_ONLY = '25006'

/**
 * SQLSTATE codes of other classes: read-only, a lock not had in time, a transaction that was ended for its idleness or
 * length, a conflict (with a standby's recovery, a deadlock), no such database or role yet.
 */
const SQLSTATE_CODES = new Set([
  READ_ONLY,
  ...['55P03', '25P03', '25P04', '40001', '40P01'],
  ...['3D000', '28000', '28P01'],
])

/** Taken for the database's only when they come as they are: inside another error they may be about any other host. */
const SYSTEM_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
])

/** What the driver adapter calls the same things. */
const ADAPTER_KINDS = new Set([
  ...['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections', 'TlsConnectionError'],
  ...['DatabaseDoesNotExist', 'DatabaseAccessDenied', 'AuthenticationFailed'],
])

const MAX_CAUSES = 5

/**
 * SQLSTATE classes under which the server itself turns a client away or ends its connection, and undoes what it was at:
 * feature, value, transaction state, authorization, database, conflict, rights, resources, operator. Under others a pooler
 * speaks in its place, in the middle of a statement as well: PgBouncer by 08P01, Pgpool-II by XX000, PgCat by 58000.
 */
const SERVER_ENDS: readonly string[] = ['0A', '22', '25', '28', '3D', '40', '42', '53', '57']
/** SQLSTATE of a connection that could not be had: nothing was said to the server. */
const NOT_CONNECTED = '08001'
/** SQLSTATE of a connection that broke while the server had a statement. */
const BROKEN = '08006'

/** The connection to the database broke, or none could be had in time. The driver's error is the cause. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  /** SQLSTATE. */
  readonly code: typeof NOT_CONNECTED | typeof BROKEN

  constructor(cause: unknown, code: ConnectionLost['code']) {
    super('the connection to the database was lost', { cause })
    this.code = code
  }
}

/** The driver's names for a connection that broke, and Prisma's own. */
const BROKEN_CODES = new Set([BROKEN, '08007', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'P1017'])
const BROKEN_KINDS = new Set(['ConnectionClosed', 'SocketTimeout'])

/**
 * True when the connection broke while the server had the statement, so that it may have been carried out: what has an
 * effect must not be called undone, nor be repeated. So it is where a pooler ends the connection in the server's place, or the
 * server panics, which may be while it commits. False for whatever else the server itself answered.
 */
export function mayHaveRun(error: unknown): boolean {
  const levels = causes(error)
  if (levels.some(({ code }) => code === NOT_CONNECTED)) return false
  return levels.some(
    ({ code, originalCode, kind }) =>
      [code, originalCode].some((value) => BROKEN_CODES.has(String(value))) || BROKEN_KINDS.has(String(kind)),
  )
}

/**
 * True when `error`, or an error it was caused by, says that the database cannot be reached or cannot answer now, so that
 * the same request may work later. The one rule for every app; never by message text.
 */
export function isUnreachable(error: unknown): boolean {
  return causes(error).some(
    ({ code, originalCode, kind }, depth) =>
      [code, originalCode].some(isOutageCode) ||
      (typeof kind === 'string' && ADAPTER_KINDS.has(kind)) ||
      (depth === 0 && typeof code === 'string' && SYSTEM_CODES.has(code)),
  )
}

/** The error, what caused it, and so on inwards, a few levels deep. */
function causes(error: unknown): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = []
  let current: unknown = error
  while (found.length < MAX_CAUSES && typeof current === 'object' && current !== null) {
    const level = current as Record<string, unknown>
    found.push(level)
    current = level.cause ?? (level.meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError
  }
  return found
}

function isOutageCode(code: unknown): boolean {
  if (typeof code !== 'string') return false
  if (PRISMA_CODES.has(code) || SQLSTATE_CODES.has(code)) return true
  return /^[0-9A-Z]{5}$/.test(code) && SQLSTATE_CLASSES.includes(code.slice(0, 2))
}

/**
 * A pool that says with a code what node-postgres says in words alone, and poolers under codes of their own: whatever is
 * neither the server's own answer nor a mistake in a value means that the connection broke or could not be had, and is thrown
 * as {@link ConnectionLost}.
 */
export class ReportingPool extends pg.Pool {
  constructor(config: pg.PoolConfig, Client: typeof ReportingClient = ReportingClient) {
    super({ ...config, Client })
  }

  override connect = coded(pg.Pool.prototype.connect, NOT_CONNECTED)
  override query = coded(pg.Pool.prototype.query, BROKEN)
}

/** A connection of such a pool. */
export class ReportingClient extends pg.Client {
  override query = coded(pg.Client.prototype.query, BROKEN)
}

type Method = (...args: never[]) => unknown

/** The same method, whose promise or callback is given coded errors. */
function coded<Kind extends Method>(method: Kind, code: ConnectionLost['code']): Kind {
  return function (this: unknown, ...args: unknown[]) {
    const callback = args.at(-1)
    if (typeof callback === 'function') {
      args[args.length - 1] = (error: unknown, ...rest: unknown[]) =>
        callback(error ? withCode(error, code) : error, ...rest)
    }
    const result = Reflect.apply(method, this, args)
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      throw withCode(error, code)
    })
  } as unknown as Kind
}

function withCode(error: unknown, code: ConnectionLost['code']): unknown {
  if (error instanceof pg.DatabaseError) return isServersWord(error) ? error : new ConnectionLost(error, code)
  const known = [TypeError, RangeError, ConnectionLost].some((kind) => error instanceof kind)
  return known ? error : new ConnectionLost(error, code)
}

function isServersWord({ severity, code = '' }: pg.DatabaseError): boolean {
  if (severity === 'PANIC') return false
  return severity !== 'FATAL' || SERVER_ENDS.includes(code.slice(0, 2))
}
