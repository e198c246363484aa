/** What the adapter reports under a name of its own keeps the server's code beside it. */
const STATE = /^[0-9A-Z]{5}$/

/** Codes of Prisma for what a unique index refused and for a write conflict or deadlock. */
const PRISMA_STATES: Readonly<Record<string, string>> = { P2002: '23505', P2034: '40001' }

/** The SQLSTATE of an error that came out of a query, however it is wrapped; undefined where there is none. */
export function sqlStateOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined
  const { code, originalCode, cause, meta } = error as Record<string, unknown>
  if (typeof originalCode === 'string' && STATE.test(originalCode)) return originalCode
  if (typeof code === 'string' && PRISMA_STATES[code] !== undefined) return PRISMA_STATES[code]
  const driver = typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>) : undefined
  const inner = sqlStateOf(driver?.driverAdapterError, depth + 1) ?? sqlStateOf(cause, depth + 1)
  if (inner !== undefined) return inner
  return typeof code === 'string' && STATE.test(code) && !code.startsWith('P') ? code : undefined
}
