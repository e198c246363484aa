/**
 * A stored payload in this process's own time: the library compares `exp` with the clock of its process, while the
 * database's clock decides. What is left by the database's clock at `now` is left here too, whatever the two say; the
 * seconds since `iat` likewise.
 */
export function inLocalTime<Payload extends object>(
  payload: Payload,
  { expiresAt, now }: { readonly expiresAt: Date; readonly now: Date },
): Payload {
  const exp = localSeconds(expiresAt, now)
  const { exp: storedExp, iat: storedIat } = payload as { exp?: unknown; iat?: unknown }
  if (typeof storedExp !== 'number') return payload
  return { ...payload, exp, ...(typeof storedIat === 'number' && { iat: storedIat + exp - storedExp }) }
}

/** A moment of the database in this process's time. */
export function localTime(moment: Date, now: Date): Date {
  return new Date(Date.now() + moment.getTime() - now.getTime())
}

function localSeconds(moment: Date, now: Date): number {
  return Math.floor(localTime(moment, now).getTime() / 1000)
}
