import { toEurText } from '@vertexsms/contract/money'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import { DAY_PRESETS_MICROS, NO_DAY_LIMIT, OTHER_AMOUNT, readDayLimit } from '../connections/day-limit.ts'
import { commonCountries, narrower } from '../connections/limits.ts'
import { readRules } from '../connections/rules.ts'
import { twoWaysProblem } from '../connections/typed-eur.ts'
import type { BoundsView } from '../views/consent.ts'
import type { Words } from '../words/words.ts'

/** What a person may set on the consent page: the limit a day, the countries, and how long. */
export interface Bounds {
  readonly maxPerDayMicros: bigint | null
  readonly countries: readonly string[]
  readonly lifetimeSeconds: number
}

/** What the form starts from. */
export interface Start {
  /** Limits of the connection that goes on, or those of a connection that begins. */
  readonly limits: SpenderLimits
  /** What the client asked to be held to; null when it asked nothing. */
  readonly asked: SpenderLimits | null
  /** True where there is a connection already: what is wider than its limits must be typed. */
  readonly isEarlier: boolean
  /** The longest that a connection may live. */
  readonly connectionSeconds: number
}

/** The fields as they were typed; one that was not sent starts as the page shows it. */
export interface TypedBounds {
  readonly limit?: string | undefined
  readonly own_limit?: string | undefined
  readonly countries?: string | undefined
  readonly lasts?: string | undefined
}

const HOUR_SECONDS = 3600
const DAY_SECONDS = 24 * HOUR_SECONDS
const LASTS = [
  { value: '1h', seconds: HOUR_SECONDS },
  { value: '1d', seconds: DAY_SECONDS },
  { value: '30d', seconds: 30 * DAY_SECONDS },
  { value: '1y', seconds: 365 * DAY_SECONDS },
] as const
/** How long a connection may live, by the value of its field. */
interface Time {
  readonly value: keyof Words['consent']['times']
  readonly seconds: number
}
/** Preselected; an app that is still in use then asks again. */
const USUAL_SECONDS = 30 * DAY_SECONDS

/** Reads what was typed: what to set, or what is wrong, a sentence for each field. */
export function readBounds(
  typed: TypedBounds,
  start: Start,
  t: Words,
): { bounds: Bounds } | { problems: BoundsView['problems'] } {
  const first = firstBounds(start)
  const limit = readLimit(typed, first.maxPerDayMicros, start.asked?.maxPerDayMicros ?? null, t)
  const countries = readCountries(typed.countries, first.countries, start, t)
  const lasts = typed.lasts === undefined ? usualTime(start) : timesOf(start).find(({ value }) => value === typed.lasts)
  if ('problem' in limit || 'problem' in countries || !lasts) {
    return {
      problems: {
        ...('problem' in limit && { own_limit: limit.problem }),
        ...('problem' in countries && { countries: countries.problem }),
        ...(!lasts && { lasts: t.consent.problems.lasts }),
      },
    }
  }
  return {
    bounds: { maxPerDayMicros: limit.micros, countries: countries.codes, lifetimeSeconds: lasts.seconds },
  }
}

/** The fields as the page shows them: as they were typed, else as they start. */
export function boundsView(
  typed: TypedBounds,
  start: Start,
  t: Words,
  problems: BoundsView['problems'] = {},
): Omit<BoundsView, 'isOfSome'> {
  const first = firstBounds(start)
  const own = typed.own_limit ?? ''
  const usual = first.maxPerDayMicros === null ? NO_DAY_LIMIT : toEurText(first.maxPerDayMicros)
  const choice = typed.limit ?? (own.trim() === '' ? usual : '')
  const ceiling = start.isEarlier || start.asked?.maxPerDayMicros != null ? first.maxPerDayMicros : null
  const amounts = [
    ...new Set([...DAY_PRESETS_MICROS, ...(first.maxPerDayMicros === null ? [] : [first.maxPerDayMicros])]),
  ]
    .filter((micros) => ceiling === null || micros <= ceiling)
    .sort((one, other) => Number(one - other))
  // What counts is shown as chosen; what is not among the choices, for it is wider than what there is, as if it were typed.
  const counts = readDayLimit(choice, own)
  const isChoice = counts !== null && counts.micros === readDayLimit(choice, '')?.micros
  const isOffered = isChoice && (counts.micros === null || amounts.includes(counts.micros))
  const value = counts?.micros == null ? NO_DAY_LIMIT : toEurText(counts.micros, 2)
  const chosen = isOffered && problems.own_limit === undefined ? value : OTHER_AMOUNT
  const shownOwn = isChoice && counts.micros !== null ? t.format.typed(counts.micros) : own
  const places = readCountries(typed.countries, first.countries, start, t)
  const lasts = typed.lasts ?? usualTime(start).value
  return {
    amounts: amounts.map((micros) => ({
      value: toEurText(micros, 2),
      short: t.format.eur(micros),
      label: t.consent.aDay(t.format.eur(micros)),
    })),
    offersNone: ceiling === null || chosen === NO_DAY_LIMIT,
    chosen,
    own: chosen === OTHER_AMOUNT ? shownOwn : '',
    ownAmount: counts?.micros == null ? null : t.format.eur(counts.micros),
    places: 'codes' in places ? places.codes : [],
    askedPlaces: start.asked?.countries ?? [],
    countries: typed.countries ?? first.countries.join(', '),
    times: timesOf(start).map(({ value }) => ({ value, label: t.consent.times[value], isChosen: value === lasts })),
    isEarlier: start.isEarlier,
    problems,
  }
}

/** Limits without those that the form sets. */
export function besidesForm(limits: SpenderLimits): SpenderLimits {
  return { ...limits, maxPerDayMicros: null, countries: [] }
}

/** How a person's word on wider limits is tied to what was shown: what they were, and what they become. */
export function wideningText(before: SpenderLimits, after: SpenderLimits): string {
  return `${boundsText(before)}>${boundsText(after)}`
}

function boundsText({ maxPerDayMicros, countries }: SpenderLimits): string {
  return `${maxPerDayMicros}/${[...countries].sort().join(',')}`
}

/** What the form starts from: the limits there are, and never more than was asked for. */
function firstBounds({ limits, asked }: Start): Pick<SpenderLimits, 'maxPerDayMicros' | 'countries'> {
  return (asked && narrower(limits, asked)) ?? limits
}

function timesOf({ connectionSeconds }: Start): readonly Time[] {
  const times = LASTS.filter(({ seconds }) => seconds <= connectionSeconds)
  return times.length > 0 ? times : [{ value: 'all', seconds: connectionSeconds }]
}

function usualTime(start: Start): Time {
  const usual = timesOf(start).findLast(({ seconds }) => seconds <= USUAL_SECONDS)
  if (!usual) throw new Error('no time to choose')
  return usual
}

/** The amount that is chosen or typed; where neither is, the one that the form starts with. */
function readLimit(
  { limit, own_limit: own = '' }: TypedBounds,
  first: bigint | null,
  asked: bigint | null,
  t: Words,
): { micros: bigint | null } | { problem: string } {
  if (limit === undefined && own.trim() === '') return { micros: first }
  const read = readDayLimit(limit ?? '', own)
  if (read === null) return { problem: twoWaysProblem(own, t) ?? t.consent.problems.amount }
  const { micros } = read
  if (asked !== null && (micros === null || micros > asked))
    return { problem: t.consent.problems.askedAmount(t.format.eur(asked)) }
  return { micros }
}

/** The countries that are typed, as they will hold: never more than were asked for. */
function readCountries(
  text: string | undefined,
  first: readonly string[],
  { asked }: Start,
  t: Words,
): { codes: readonly string[] } | { problem: string } {
  if (text === undefined) return { codes: first }
  const read = readRules({ countries: text }, t)
  if ('problems' in read) return { problem: read.problems.join(' ') }
  const most = asked?.countries ?? []
  const codes = commonCountries([read.rules.countries ?? [], most])
  return codes === null ? { problem: t.consent.problems.askedCountries(most.join(', ')) } : { codes }
}
