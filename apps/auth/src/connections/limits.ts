import { CURRENCY } from '@vertexsms/contract/limits'
import { SENDER_NAME_PATTERN } from '@vertexsms/contract/rest'
import { amountSchema } from '@vertexsms/contract/sending'
import { NO_LIMITS, type SpenderLimits } from '@vertexsms/contract/spender-limits'
import * as z from 'zod'

/** The most countries and senders of one list, and recipients a day: what a row may hold. */
const LIST_MAX = { countries: 250, senders: 50 } as const
const RECIPIENTS_MAX = 1_000_000

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
/** Codes that name a region which is no country. */
const NO_COUNTRIES: ReadonlySet<string> = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ'])

/** True for an ISO 3166-1 alpha-2 code in use. */
function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code) || NO_COUNTRIES.has(code)) return false
  // An alias such as UK is written otherwise in numbers and prices, and would match nothing.
  return new Intl.Locale(`und-${code}`).region === code && regions.of(code) !== undefined
}

const country = z.string().refine(isCountry, 'must be ISO 3166-1 alpha-2 codes such as "LT"')
const SENDER_NUMBER = /^[1-9]\d{2,14}$/
const sender = z
  .string()
  .max(20)
  .refine(
    (name) => SENDER_NAME_PATTERN.test(name) || SENDER_NUMBER.test(name),
    'must be sender names of 1 to 11 characters, or numbers as digits',
  )

/** An empty list would read as no limit, so it is refused wherever somebody writes one. */
const list = <Item extends z.ZodType<string>>(item: Item, max: number) =>
  z
    .array(item)
    .min(1, 'must not be empty; leave it out for no limit')
    .max(max, `may have ${max} entries`)
    .transform((entries) => [...new Set(entries)].sort())

/** The members of limits as clients and operators write them: amounts in EUR as decimal text, lists of codes and names. */
export const limitMembers = {
  currency: z.literal(CURRENCY).optional(),
  maxPerSend: amountSchema.optional(),
  maxPerDay: amountSchema.optional(),
  maxTotal: amountSchema.optional(),
  recipientsPerDay: z.int().min(0).max(RECIPIENTS_MAX).optional(),
  countries: list(country, LIST_MAX.countries).optional(),
  senders: list(sender, LIST_MAX.senders).optional(),
}

/** Limits as they were written: what is left out is no limit. */
export function limitsOfMembers(written: z.output<z.ZodObject<typeof limitMembers>>): SpenderLimits {
  return {
    maxPerSendMicros: written.maxPerSend ?? null,
    maxPerDayMicros: written.maxPerDay ?? null,
    maxTotalMicros: written.maxTotal ?? null,
    recipientsPerDay: written.recipientsPerDay ?? null,
    countries: written.countries ?? [],
    senders: written.senders ?? [],
  }
}

/**
 * What both allow. Null when they have no country or no sender in common: an empty list would be no limit at all.
 */
export function narrower(one: SpenderLimits, other: SpenderLimits): SpenderLimits | null {
  const countries = common(one.countries, other.countries)
  const senders = common(one.senders, other.senders)
  if (countries === null || senders === null) return null
  return {
    maxPerSendMicros: least(one.maxPerSendMicros, other.maxPerSendMicros),
    maxPerDayMicros: least(one.maxPerDayMicros, other.maxPerDayMicros),
    maxTotalMicros: least(one.maxTotalMicros, other.maxTotalMicros),
    recipientsPerDay: least(one.recipientsPerDay, other.recipientsPerDay),
    countries,
    senders,
  }
}

/** The countries that stand in each of some lists, of which an empty one names all; null where no country does. */
export function commonCountries(lists: readonly (readonly string[])[]): readonly string[] | null {
  return lists.reduce<readonly string[] | null>((all, list) => all && common(all, list), [])
}

/** True when everything that `inner` allows is allowed by `outer` as well. */
export function isWithin(inner: SpenderLimits, outer: SpenderLimits): boolean {
  const both = narrower(inner, outer)
  return both !== null && sameLimits(both, inner)
}

function sameLimits(one: SpenderLimits, other: SpenderLimits): boolean {
  const members = Object.keys(NO_LIMITS) as (keyof SpenderLimits)[]
  return members.every((member) => textOf(one[member]) === textOf(other[member]))
}

function textOf(value: SpenderLimits[keyof SpenderLimits]): string {
  return typeof value === 'object' && value !== null ? [...value].sort().join(' , ') : String(value)
}

function least<Value extends bigint | number>(one: Value | null, other: Value | null): Value | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}

function common(one: readonly string[], other: readonly string[]): readonly string[] | null {
  if (one.length === 0) return other
  if (other.length === 0) return one
  const both = one.filter((entry) => other.includes(entry))
  return both.length > 0 ? both : null
}
