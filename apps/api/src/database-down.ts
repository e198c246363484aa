// Which errors mean that the database cannot be reached, as against a statement that is wrong.

/** Prisma: unreachable, timed out, connection closed, no free connection, too many connections. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2037'])

/** SQLSTATE classes: connection exception, insufficient resources, operator intervention (shutdown, crash). */
const SQLSTATE_CLASSES = ['08', '53', '57']

const SYSTEM_CODES = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/

/** What node-postgres says without a code when a connection ends or cannot be had. */
const DRIVER_MESSAGES =
  /connection terminated|connection ended|client has encountered a connection error|timeout exceeded when trying to connect|not queryable/i

const DRIVER_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TlsConnectionError',
])

/** True when `error`, or an error it was caused by, says that the database is not there at the moment. */
export function isDatabaseDown(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false
  const { code, originalCode, kind, message, cause, meta } = error as Record<string, unknown>
  for (const value of [code, originalCode]) {
    if (typeof value !== 'string') continue
    if (PRISMA_CODES.has(value) || SYSTEM_CODES.test(value)) return true
    if (/^[0-9A-Z]{5}$/.test(value) && SQLSTATE_CLASSES.some((start) => value.startsWith(start))) return true
  }
  if (typeof kind === 'string' && DRIVER_KINDS.has(kind)) return true
  if (typeof message === 'string' && DRIVER_MESSAGES.test(message)) return true
  const driver =
    typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>).driverAdapterError : undefined
  return isDatabaseDown(cause, depth + 1) || isDatabaseDown(driver, depth + 1)
}
