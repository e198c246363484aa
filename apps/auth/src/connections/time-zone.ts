const ZONE = /^[A-Za-z]+(?:\/[A-Za-z0-9_+-]+)*$/

/** True for an IANA time zone that this runtime knows; an offset is none, for it has no summer. */
export function isTimeZone(name: string): boolean {
  if (!ZONE.test(name) || name.length > 64) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
