import type { TimeView } from '../views/pages.ts'

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Beyond this a date says more than a count of days. */
const RELATIVE_DAYS = 31

/** A moment as a person reads it: how long ago or ahead when it is near, else the date. Times are UTC and say so. */
export function timeView(moment: Date, now: Date): TimeView {
  return { iso: moment.toISOString(), full: `${full.format(moment)} UTC`, short: shortText(moment, now) }
}

function shortText(moment: Date, now: Date): string {
  const differenceMs = moment.getTime() - now.getTime()
  const size = Math.abs(differenceMs)
  if (size < MINUTE_MS) return differenceMs > 0 ? 'within a minute' : 'just now'
  if (size < HOUR_MS) return relative.format(Math.trunc(differenceMs / MINUTE_MS), 'minute')
  if (size < DAY_MS) return relative.format(Math.trunc(differenceMs / HOUR_MS), 'hour')
  if (size < RELATIVE_DAYS * DAY_MS) return relative.format(Math.trunc(differenceMs / DAY_MS), 'day')
  return day.format(moment)
}
