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
  // Rounded, not cut: what ends in 30 days says so at once. Each step ends where rounding would reach the next one.
  if (size < HOUR_MS - MINUTE_MS / 2) return relative.format(Math.round(differenceMs / MINUTE_MS), 'minute')
  if (size < DAY_MS - HOUR_MS / 2) return relative.format(Math.round(differenceMs / HOUR_MS), 'hour')
  if (size < RELATIVE_DAYS * DAY_MS) return relative.format(Math.round(differenceMs / DAY_MS), 'day')
  return day.format(moment)
}

/** How long a wait of whole seconds is, as a person reads it: never shorter than it is. */
export function waitText(seconds: number): string {
  if (seconds <= 90) return `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
  const minutes = Math.ceil(seconds / 60)
  return minutes <= 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}
