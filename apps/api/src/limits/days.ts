import { LRUCache } from 'lru-cache'

/** One day of an account's owner, by the clock on the wall. */
export interface OwnersDay {
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly startsAt: Date
  readonly endsAt: Date
}

const HOUR_MS = 3_600_000

/** How far the days reach to either side of now: over yesterday and tomorrow, and further than two clocks differ. */
const REACH_MS = 50 * HOUR_MS

/** No change of a zone's clock falls between two midnights of these without being seen. */
const STEP_MS = HOUR_MS

/** Zones whose days are remembered, an hour long. */
const remembered = new LRUCache<string, readonly OwnersDay[]>({ max: 1_000 })

const formats = new LRUCache<string, Intl.DateTimeFormat>({ max: 500 })

/** Whether the time zone database of this process knows the zone. */
export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined
  } catch {
    return false
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const options = { timeZone, calendar: 'gregory', numberingSystem: 'latn' } as const
  const format = new Intl.DateTimeFormat('en-US', { ...options, year: 'numeric', month: '2-digit', day: '2-digit' })
  formats.set(timeZone, format)
  return format
}

function dateAt(format: Intl.DateTimeFormat, ms: number): string {
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  return `${parts.year}-${parts.month}-${parts.day}`
}

/**
 * The owner's days around a moment, in order and without a gap: the one it lies in, and at least one before and after. A
 * day begins at the first moment that bears its date, which need not be midnight, and lasts until a later date comes;
 * it has 23 to 25 hours where clocks change, and a date that a zone has skipped is none. Null, and a zone that this
 * process does not know, is UTC.
 */
export function daysAround(now: Date, timeZone: string | null): readonly OwnersDay[] {
  const zone = timeZone !== null && isTimeZone(timeZone) ? timeZone : 'UTC'
  const hour = Math.floor(now.getTime() / HOUR_MS)
  const key = `${zone} ${hour}`
  const known = remembered.get(key)
  if (known) return known
  const days = computeDays(hour * HOUR_MS, formatOf(zone))
  remembered.set(key, days)
  return days
}

function computeDays(aroundMs: number, format: Intl.DateTimeFormat): readonly OwnersDay[] {
  const starts: { readonly date: string; readonly ms: number }[] = []
  let latest = dateAt(format, aroundMs - REACH_MS)
  for (let ms = aroundMs - REACH_MS + STEP_MS; ms <= aroundMs + REACH_MS + STEP_MS; ms += STEP_MS) {
    const date = dateAt(format, ms)
    // A clock that is set back over midnight does not bring yesterday back.
    if (date <= latest) continue
    starts.push({ date, ms: firstOf(format, latest, ms - STEP_MS, ms) })
    latest = date
  }
  return starts.slice(0, -1).map(({ date, ms }, at) => {
    const next = starts[at + 1]?.ms ?? ms
    return { date, startsAt: new Date(ms), endsAt: new Date(next) }
  })
}

/** The first moment after `date`, by halves, to the millisecond. */
function firstOf(format: Intl.DateTimeFormat, date: string, before: number, at: number): number {
  let low = before
  let high = at
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (dateAt(format, middle) > date) high = middle
    else low = middle
  }
  return high
}

/** The one of these days that a moment lies in; the nearest for a moment outside of them. */
export function dayAt(days: readonly OwnersDay[], moment: Date): OwnersDay {
  const day = days.findLast(({ startsAt }) => startsAt <= moment) ?? days[0]
  if (day === undefined) throw new Error('there are no days')
  return day
}
