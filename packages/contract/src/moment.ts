/** The longest text that is looked at. */
export const MOMENT_MAX_CHARACTERS = 40

const EXAMPLE = 'for example 2026-12-24T09:00:00+02:00'
const SENTENCES = {
  form: `must be ISO 8601 with an offset from UTC, ${EXAMPLE}.`,
  time: `must be ISO 8601 with an offset from UTC; the time of day is missing, ${EXAMPLE}.`,
  offset: `must be ISO 8601 with an offset from UTC; the offset is missing. Add Z or the offset, ${EXAMPLE}.`,
  exists: 'is not a date that exists. Check day, month, hour and offset.',
} as const

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?$/
const OFFSET = /(?:z|([+\-\u2212])(\d\d)(?::?(\d\d))?)$/i

/**
 * Reads a moment in ISO 8601 with an offset from UTC: seconds may be left out, the offset may be `Z`, `+02`, `+0200` or
 * `+02:00`, a space may stand for the `T`. Gives it in UTC, or a sentence without its subject that says what is wrong.
 */
export function readMoment(written: string): { readonly iso: string } | { readonly fix: string } {
  if (written.length > MOMENT_MAX_CHARACTERS) return { fix: SENTENCES.form }
  const [day = '', time = '', ...more] = written.trim().split(/[Tt]|(?<! ) +(?=[\d+\-\u2212Zz])/)
  const date = DATE.exec(day)
  if (date === null) return { fix: SENTENCES.form }
  if (time === '') return { fix: SENTENCES.time }
  const rest = [time, ...more].join('')
  const offset = OFFSET.exec(rest)
  const clock = TIME.exec(offset === null ? rest : rest.slice(0, offset.index))
  if (clock === null || more.length > 1) return { fix: SENTENCES.form }
  if (offset === null) return { fix: SENTENCES.offset }
  const [year, month, dayOfMonth] = date.slice(1).map(Number) as [number, number, number]
  const [hour, minute] = clock.slice(1, 3).map(Number) as [number, number]
  const second = Number(clock[3] ?? 0)
  const offsetMinutes = Number(offset[2] ?? 0) * 60 + Number(offset[3] ?? 0)
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, dayOfMonth)
  local.setUTCHours(hour, minute, second, Number((clock[4] ?? '').padEnd(3, '0').slice(0, 3)))
  const exists =
    local.getUTCMonth() === month - 1 && local.getUTCDate() === dayOfMonth && hour < 24 && minute < 60 && second < 60
  if (!exists || Number(offset[3] ?? 0) > 59 || offsetMinutes > OFFSET_MAX_MINUTES) return { fix: SENTENCES.exists }
  const sign = offset[1] === undefined || offset[1] === '+' ? 1 : -1
  const moment = new Date(local.getTime() - sign * offsetMinutes * 60_000)
  // The offset may lead out of the years that four digits name.
  const utcYear = moment.getUTCFullYear()
  return utcYear < 0 || utcYear > YEAR_MAX ? { fix: SENTENCES.exists } : { iso: moment.toISOString() }
}

const YEAR_MAX = 9999

/** The farthest zones are 14 hours from UTC. */
const OFFSET_MAX_MINUTES = 14 * 60
