import { z } from 'zod'
import { ApiError } from '../api-error.ts'

/**
 * Checks a value against a schema of the contract. Throws INVALID_INPUT naming the field and what is expected of it;
 * the caller's value is never repeated.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new ApiError('INVALID_INPUT', issue ? { message: describe(issue) } : {})
}

type Issue = z.core.$ZodIssue

function describe(issue: Issue): string {
  // Numbers in a path are places in a list; names come from our schemas alone.
  const field = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') return 'The body has a field that this route does not take.'
  return field === '' ? `Invalid body: ${expected(issue)}.` : `Invalid value for field '${field}': ${expected(issue)}.`
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${issue.expected} expected`
    case 'too_small':
      return `at least ${issue.minimum}${unit(issue.origin)}`
    case 'too_big':
      return `at most ${issue.maximum}${unit(issue.origin)}`
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')} expected`
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'an ISO 8601 time with offset expected'
        : 'it does not have the expected form'
    default:
      return 'it does not have the expected form'
  }
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' ? ' entries' : ''
}

const positiveInteger = z.string().regex(/^[1-9]\d{0,17}$/)

/** The numeric id in an address. Throws NOT_FOUND for anything else: no such address exists. */
export function idParam(params: unknown): bigint {
  const result = z.object({ id: positiveInteger }).safeParse(params)
  if (!result.success) throw new ApiError('NOT_FOUND')
  return BigInt(result.data.id)
}

/** The country in an address, upper case. Throws NOT_FOUND for anything that is not two letters. */
export function countryParam(params: unknown): string {
  const result = z.object({ country: z.string().regex(/^[A-Za-z]{2}$/) }).safeParse(params)
  if (!result.success) throw new ApiError('NOT_FOUND')
  return result.data.country.toUpperCase()
}

const PAGE_MAX_DIGITS = 6

/** `Page` of the query, 1 where it is not given. Throws INVALID_INPUT for what is no positive integer. */
export function pageQuery(query: unknown): number {
  const { Page } = parse(z.object({ Page: z.string().optional() }), query)
  if (Page === undefined) return 1
  if (!/^[1-9]\d*$/.test(Page) || Page.length > PAGE_MAX_DIGITS) {
    throw new ApiError('INVALID_INPUT', { message: "Invalid value for field 'Page': a positive integer expected." })
  }
  return Number(Page)
}
