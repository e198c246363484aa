import pg from 'pg'

// Which errors say that the database is not there at the moment, as against a statement that is wrong. Decided by codes
// and classes alone. node-postgres leaves some of its own errors without a code, so the pool names them where they
// arise: see `ReportingPool`.

/** Prisma: unreachable, too slow, closed, no free connection, transaction could not be had in time, too many connections. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2037'])

/** SQLSTATE classes: connection exception, insufficient resources, operator intervention (shutdown, time limit). */
const SQLSTATE_CLASSES: readonly string[] = ['08', '53', '57']

/** SQLSTATE codes of other classes: read-only after a failover, a lock not had in time, no such database or role yet. */
const SQLSTATE_CODES = new Set(['25006', '55P03', '3D000', '28000', '28P01'])

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

/** The connection to the database broke, or none could be had in time. SQLSTATE 08006; the driver's error is the cause. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  readonly code = '08006'

  constructor(cause: unknown) {
    super('the connection to the database was lost', { cause })
  }
}

/**
 * True when `error`, or an error it was caused by, says that the database cannot be reached or cannot answer now, so that
 * the same request may work later. The one rule for every app; never by message text.
 */
export function isUnreachable(error: unknown): boolean {
  let current: unknown = error
  for (let depth = 0; depth < MAX_CAUSES && typeof current === 'object' && current !== null; depth += 1) {
    const { code, originalCode, kind, cause, meta } = current as Record<string, unknown>
    if ([code, originalCode].some(isOutageCode) || (typeof kind === 'string' && ADAPTER_KINDS.has(kind))) return true
    if (depth === 0 && typeof code === 'string' && SYSTEM_CODES.has(code)) return true
    current = cause ?? (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError
  }
  return false
}

function isOutageCode(code: unknown): boolean {
  if (typeof code !== 'string') return false
  if (PRISMA_CODES.has(code) || SQLSTATE_CODES.has(code)) return true
  return /^[0-9A-Z]{5}$/.test(code) && SQLSTATE_CLASSES.includes(code.slice(0, 2))
}

/**
 * A pool that says with a code what node-postgres says in words alone: whatever is neither the server's own answer nor a
 * mistake in a value means that the connection broke or could not be had, and is thrown as {@link ConnectionLost}.
 */
export class ReportingPool extends pg.Pool {
  constructor(config: pg.PoolConfig, Client: typeof ReportingClient = ReportingClient) {
    super({ ...config, Client })
  }

  override connect = coded(pg.Pool.prototype.connect)
  override query = coded(pg.Pool.prototype.query)
}

/** A connection of such a pool. */
export class ReportingClient extends pg.Client {
  override query = coded(pg.Client.prototype.query)
}

/** The same method, whose promise rejects with coded errors. The forms with a callback are the pool's own, and stay. */
function coded<Method extends (...args: never[]) => unknown>(method: Method): Method {
  return function (this: unknown, ...args: never[]) {
    const result = Reflect.apply(method, this, args)
    return result instanceof Promise ? result.catch(withCode) : result
  } as Method
}

function withCode(error: unknown): never {
  const known = [pg.DatabaseError, TypeError, RangeError, ConnectionLost].some((kind) => error instanceof kind)
  throw known ? error : new ConnectionLost(error)
}
