import { toEurText } from '@vertexsms/contract/money'
import { type Language, one, vienas } from './room.ts'

/** A moment, and the one at which the page is made; `partials/time` and `t.format` put them into words. */
export interface TimeView {
  readonly moment: Date
  readonly now: Date
}

/** How amounts, times, names of countries and lists read in one language. Times are UTC and say so. */
export interface Formats {
  /** An amount with its currency, two decimals at least; like a date it is never broken. */
  eur(micros: bigint): string
  /** The same for amounts that stand below each other: blanks as wide as a digit take the place of decimals it has not. */
  eurs(column: readonly bigint[]): (micros: bigint) => string
  /** True where an amount of a column needs more room than most columns have for one. */
  areLong(column: readonly bigint[]): boolean
  /** What each stands for by itself, in one line: those behind the first begin small. */
  inLine(phrases: readonly string[], mark?: ',' | ';'): string
  /**
   * An amount in EUR as it stands in a field: with the decimal mark that is usual, and nothing between thousands. Behind
   * an integer it never has three decimals, which could be thousands.
   */
  typed(micros: bigint): string
  number(count: number): string
  /** "a, b and c". */
  list(entries: readonly string[]): string
  /** The name of a country; its code where it has none. */
  country(code: string): string
  /** A moment as it is read at a glance: how long ago or ahead when it is near, else the date. */
  short(time: TimeView): string
  /** The date and the time, which may stand in two lines, each whole. */
  full(time: TimeView): string
  /** The same in the least room: how a column of moments is written out. */
  exact(time: TimeView): string
  /** Day, month and time, of what is never far away. */
  near(time: TimeView): string
  /** One of the owner's days, given as `YYYY-MM-DD`: the day and the month. */
  date(day: string): string
  /** How long a wait of whole seconds is: never shorter than it is. */
  wait(seconds: number): string
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** The fewest decimals of an amount; it has more only where they say something. */
const DECIMALS = 2
/** 10 000 EUR. */
const LONG_MICROS = 10_000_000_000n
/** As wide as a digit. */
const FIGURE_SPACE = '\u2007'
/** Holds together what is read in one piece. */
const NO_BREAK = '\u00a0'
/** Has no width, and lets no line end beside it. */
const WORD_JOINER = '\u2060'
/** As wide as a digit too, where a hyphen is not. */
const MINUS = '\u2212'
/** Beyond this a date says more than a count of days. */
const RELATIVE_DAYS = 31
/** So near a language may name the day (tomorrow, „poryt“): then it is the calendar's, in UTC as every time. */
const NAMED_DAYS = 2

/** What `Intl` does not know: which of its locales writes dates as people here do, and the few words it has not. */
const WORDS = {
  en: {
    dates: 'en-GB',
    decimalMark: '.',
    soon: 'within a minute',
    now: 'just now',
    seconds: (n: number) => `${n} ${one(n, 'second', 'seconds')}`,
    minutes: (n: number) => `${n} ${one(n, 'minute', 'minutes')}`,
    hours: (n: number) => `${n} ${one(n, 'hour', 'hours')}`,
  },
  lt: {
    dates: 'lt',
    decimalMark: ',',
    soon: 'per minutę',
    now: 'ką tik',
    seconds: (n: number) => `${n} ${vienas(n, 'sekundę', 'sekundes', 'sekundžių')}`,
    minutes: (n: number) => `${n} ${vienas(n, 'minutę', 'minutes', 'minučių')}`,
    hours: (n: number) => `${n} ${vienas(n, 'valandą', 'valandas', 'valandų')}`,
  },
} as const

/** The {@link Formats} of a language. */
export function formatsOf(language: Language): Formats {
  const words = WORDS[language]
  const amounts = new Intl.NumberFormat(language, { minimumFractionDigits: DECIMALS, maximumFractionDigits: 6 })
  // From the decimal text: a number would lose the last digits of a large amount.
  const amount = (micros: bigint) => amounts.format(toEurText(micros) as Intl.StringNumericLiteral).replace('-', MINUS)
  const numbers = new Intl.NumberFormat(language)
  const lists = new Intl.ListFormat(language, { type: 'conjunction' })
  const regions = new Intl.DisplayNames(language, { type: 'region', fallback: 'code' })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const day = new Intl.DateTimeFormat(words.dates, { dateStyle: 'medium', timeZone: 'UTC' })
  const dayOfMonth = new Intl.DateTimeFormat(words.dates, { day: 'numeric', month: 'short', timeZone: 'UTC' })
  const near = new Intl.DateTimeFormat(words.dates, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
  })
  const full = new Intl.DateTimeFormat(words.dates, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
  const brief = new Intl.DateTimeFormat(words.dates, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  const inTwo = (moment: Date, format: Intl.DateTimeFormat) =>
    whole(`${format.format(moment)} UTC`).replace(BEFORE_TIME, ' ')
  const days = (moment: Date, now: Date) => {
    const aheadMs = moment.getTime() - now.getTime()
    const rounded = Math.round(aheadMs / DAY_MS)
    const dates = Math.floor(moment.getTime() / DAY_MS) - Math.floor(now.getTime() / DAY_MS)
    if (Math.min(Math.abs(rounded), Math.abs(dates)) > NAMED_DAYS) return relative.format(rounded, 'day')
    return dates === 0 ? relative.format(Math.round(aheadMs / HOUR_MS), 'hour') : relative.format(dates, 'day')
  }

  return {
    eur: (micros) => `${amount(micros)}${NO_BREAK}EUR`,
    eurs: (column) => {
      const most = Math.max(...column.map(decimalsOf))
      return (micros) => `${amount(micros)}${FIGURE_SPACE.repeat(Math.max(0, most - decimalsOf(micros)))}${NO_BREAK}EUR`
    },
    areLong: (column) => column.some((micros) => micros >= LONG_MICROS),
    inLine: (phrases, mark = ',') =>
      phrases.map((one, at) => (at === 0 ? one : one.charAt(0).toLowerCase() + one.slice(1))).join(`${mark} `),
    typed: (micros) => {
      const decimals = decimalsOf(micros) === 3 && micros >= 1_000_000n ? 4 : DECIMALS
      return toEurText(micros, decimals).replace('.', words.decimalMark)
    },
    number: (count) => numbers.format(count),
    list: (entries) => lists.format(entries),
    country: (code) => (/^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? code) : code),
    short: ({ moment, now }) => {
      const aheadMs = moment.getTime() - now.getTime()
      const size = Math.abs(aheadMs)
      if (size < MINUTE_MS) return aheadMs > 0 ? words.soon : words.now
      // Rounded, not cut: what ends in 30 days says so at once. Each step ends where rounding would reach the next one.
      if (size < HOUR_MS - MINUTE_MS / 2) return relative.format(Math.round(aheadMs / MINUTE_MS), 'minute')
      if (size < DAY_MS - HOUR_MS / 2) return relative.format(Math.round(aheadMs / HOUR_MS), 'hour')
      if (size < RELATIVE_DAYS * DAY_MS) return days(moment, now)
      return whole(day.format(moment))
    },
    full: ({ moment }) => inTwo(moment, full),
    exact: ({ moment }) => inTwo(moment, brief),
    near: ({ moment }) => whole(`${near.format(moment)} UTC`),
    date: (written) => whole(dayOfMonth.format(new Date(written))),
    wait: (seconds) => {
      if (seconds <= 90) return words.seconds(seconds)
      const minutes = Math.ceil(seconds / 60)
      return minutes <= 90 ? words.minutes(minutes) : words.hours(Math.ceil(minutes / 60))
    },
  }
}

/** Where a date ends and its time begins. */
const BEFORE_TIME = /\u00a0(?=(?:at\u00a0)?\d\d:)/

/** A text that is not broken: neither at a space nor behind the hyphens of a Lithuanian date. */
function whole(text: string): string {
  return text.replaceAll(' ', NO_BREAK).replaceAll('-', `-${WORD_JOINER}`)
}

/** The decimals that an amount is written with. */
function decimalsOf(micros: bigint): number {
  return toEurText(micros, DECIMALS).split('.')[1]?.length ?? DECIMALS
}
