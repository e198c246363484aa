/** A time zone in which it is about noon, for accounts of which a test counts a day: none ends while it runs. */
export function noonZone(now = new Date()): string {
  const hours = 12 - now.getUTCHours()
  // POSIX counts to the west: Etc/GMT-3 is three hours ahead.
  return hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`
}
