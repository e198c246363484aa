import {
  CATEGORY_DESCRIPTION_MAX,
  CODINGS,
  EXPIRE_IN_SECONDS,
  PIN_DIGITS,
  SENDER_NAME_LENGTH,
} from '@vertexsms/contract/rest'
import { pageQuerySchema } from '@vertexsms/contract/routes'
import * as z from 'zod'
import { ApiError, noSuch } from './api-error.ts'

/**
 * Checks a value against a schema of the contract. Throws INVALID_INPUT naming the field and how to mend it; the caller's
 * value is never repeated, and the name of a field that is not ours only where it is a plain word.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new ApiError('INVALID_INPUT', issue ? { message: describe(issue, value) } : {})
}

type Issue = z.core.$ZodIssue

const [PHONE_FORM, PHONE_EXAMPLE] = ['a phone number in international form', 'for example +37069555555']
const PHONE = `${PHONE_FORM} expected, ${PHONE_EXAMPLE}`
const COUNTRY = 'a two-letter ISO 3166-1 country code expected, for example LT'
const COUNTRY_IN_BODY = 'a two-letter ISO 3166-1 country code in upper case expected, for example LT'
const URL_EXPECTED = 'a public https URL expected'

/** What each field takes, where its schema does not say it by itself. */
const EXPECTED: Readonly<Record<string, string>> = {
  to: `${PHONE}; POST /sms/batch takes a list`,
  msisdn: `${PHONE}, as text`,
  number: PHONE,
  from: 'a sender name or a phone number expected, as text',
  message: 'a text expected',
  scheduled: 'an ISO 8601 time with an offset from UTC expected, as text',
  udh: 'pairs of hexadecimal digits expected, each behind a percent sign, for example %05%00%03%CC%02%01',
  coding: `one of ${CODINGS.join(', ')} expected`,
  testMode: '1 or 2 expected',
  expireIn: `a whole number of seconds from ${EXPIRE_IN_SECONDS.min} to ${EXPIRE_IN_SECONDS.max} expected`,
  correctBy: COUNTRY_IN_BODY,
  country: COUNTRY,
  dlrUrl: URL_EXPECTED,
  callBackUrl: URL_EXPECTED,
  notificationUrl: URL_EXPECTED,
  type: 'AlphaNumeric or MSISDN expected',
  name: `a name of ${SENDER_NAME_LENGTH.min} to ${SENDER_NAME_LENGTH.max} characters expected, or for MSISDN ${PHONE_FORM}, ${PHONE_EXAMPLE}`,
  categoryDescription: `a text of 1 to ${CATEGORY_DESCRIPTION_MAX} characters expected`,
  Page: 'a positive integer expected',
  wait: 'a whole number of seconds expected',
  format: 'json or csv expected',
  code: `the ${PIN_DIGITS} digits of the PIN expected, as text`,
  maxPrice: 'an amount in EUR with at most six decimals expected, for example "0.5"',
  quoteId: 'the quoteId of POST /sms/quote expected, as text',
}

/** What a member of an entry of a list takes, where it is not what a parameter of that name takes. */
const MEMBER_EXPECTED: Readonly<Record<string, string>> = { country: COUNTRY_IN_BODY }

/** What each entry of a list takes. */
const ENTRY_EXPECTED: Readonly<Record<string, string>> = { to: `${PHONE}, as text` }

const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/

function describe(issue: Issue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const [name = ''] = issue.keys
    const which = PLAIN_NAME.test(name) ? `the field '${name}'` : 'a field'
    return `The body has ${which} that this route does not take. Remove it.`
  }
  // Numbers in a path are places in a list; names come from our schemas alone.
  const field = issue.path.map(String).join('.')
  const hint = hintOf(issue)
  if (field === '') return `Invalid body: ${expected(issue)}.`
  if (memberAt(value, issue.path) === undefined) {
    return `The field '${field}' is missing: ${hint ?? expected(issue)}.`
  }
  // A schema's own sentence follows the name of the field.
  if (issue.code === 'custom') return `Invalid value for field '${field}': it ${issue.message}`
  // Several numbers in one text are too long for one, and it is not their length that is wrong.
  const isTooLong = issue.code === 'too_big' && issue.origin === 'string' && !hint?.startsWith(PHONE)
  return `Invalid value for field '${field}': ${isTooLong ? expected(issue) : (hint ?? expected(issue))}.`
}

function hintOf(issue: Issue): string | undefined {
  const last = issue.path.at(-1)
  if (typeof last === 'number') return ENTRY_EXPECTED[String(issue.path.at(-2))]
  const isOfList = (issue.code === 'too_big' || issue.code === 'too_small') && issue.origin === 'array'
  if (isOfList) return expected(issue)
  if (issue.code === 'invalid_type' && issue.expected === 'array') {
    const entries = ENTRY_EXPECTED[String(last)]
    return entries === undefined ? expected(issue) : `a list expected, and of each entry: ${entries}`
  }
  const isMember = typeof issue.path.at(-2) === 'number'
  return (isMember ? MEMBER_EXPECTED[String(last)] : undefined) ?? EXPECTED[String(last)]
}

function memberAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let member = value
  for (const name of path) {
    if (typeof member !== 'object' || member === null || !Object.hasOwn(member, name)) return undefined
    member = (member as Record<PropertyKey, unknown>)[name] ?? undefined
  }
  return member
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${issue.expected === 'object' ? 'an object' : issue.expected} expected`
    case 'too_small':
      return `at least ${issue.minimum}${unit(issue.origin, issue.minimum)} expected`
    case 'too_big':
      return `at most ${issue.maximum}${unit(issue.origin, issue.maximum)} expected`
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')} expected`
    default:
      return 'it does not have the expected form'
  }
}

function unit(origin: string, count: number | bigint): string {
  if (origin === 'string') return Number(count) === 1 ? ' character' : ' characters'
  if (origin === 'array') return Number(count) === 1 ? ' entry' : ' entries'
  return ''
}

const positiveInteger = z.string().regex(/^[1-9]\d{0,17}$/)

/** The numeric id in an address. Throws NOT_FOUND for anything else: there is no such thing. */
export function idParam(params: unknown, of: Parameters<typeof noSuch>[0]): bigint {
  const result = z.object({ id: positiveInteger }).safeParse(params)
  if (!result.success) throw noSuch(of)
  return BigInt(result.data.id)
}

/** The country in an address, upper case. Throws NOT_FOUND for anything that is not two letters. */
export function countryParam(params: unknown): string {
  const result = z.object({ country: z.string().regex(/^[A-Za-z]{2}$/) }).safeParse(params)
  if (!result.success) throw noSuch('country')
  return result.data.country.toUpperCase()
}

/** `Page` of the query, 1 where it is not given. Throws INVALID_INPUT for what is no positive integer. */
export function pageQuery(query: unknown): number {
  return Number(parse(pageQuerySchema, query).Page ?? 1)
}
