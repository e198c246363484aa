import { readFileSync } from 'node:fs'
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { stableHash } from './hash.ts'
import { MAGIC_COUNTRY, magicCode } from './magic.ts'
import { type Operator, operatorById, operatorsOf } from './operators.ts'

/** A number as the networks know it. */
export interface KnownNumber {
  /** International, digits only. */
  readonly msisdn: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly type: 'mobile' | 'landline' | 'unknown'
  /** False for a well-formed number of a range that no network uses. */
  readonly valid: boolean
}

/** The longest input that is looked at; no spelling of a number needs more. */
const INPUT_MAX_CHARACTERS = 40

const MOBILE_TYPES = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE'])

/**
 * Reads a number as people and programs write it: `+370 600 00001`, `0037060000001`, `37060000001`, and with `country`
 * the national form. Undefined where it is no number of any country.
 */
export function readNumber(input: string, country?: string): KnownNumber | undefined {
  // Full-width and other digits count as what they look like.
  const text = input
    .slice(0, INPUT_MAX_CHARACTERS + 1)
    .normalize('NFKC')
    .trim()
  if (text.length > INPUT_MAX_CHARACTERS || !/^\+?[\d\s().\-/]+$/.test(text)) return undefined
  const digits = text.replace(/\D/g, '')
  const international = text.startsWith('+') ? digits : digits.startsWith('00') ? digits.slice(2) : undefined
  const code = country !== undefined && isSupportedCountry(country) ? country : undefined
  return international === undefined && code !== undefined
    ? readNational(digits, code)
    : readMsisdn(international ?? digits)
}

function readMsisdn(msisdn: string): KnownNumber | undefined {
  if (!/^[1-9]\d{6,14}$/.test(msisdn)) return undefined
  if (magicCode(msisdn) !== undefined) return { msisdn, country: MAGIC_COUNTRY, type: 'mobile', valid: true }
  return known(parsePhoneNumberFromString(`+${msisdn}`))
}

function readNational(digits: string, country: CountryCode): KnownNumber | undefined {
  const national = known(parsePhoneNumberFromString(digits, country))
  if (national?.valid) return national
  const international = readMsisdn(digits)
  return international?.valid && international.country === country ? international : national
}

function known(number: ReturnType<typeof parsePhoneNumberFromString>): KnownNumber | undefined {
  if (!number) return undefined
  const msisdn = number.number.slice(1)
  if (magicCode(msisdn) !== undefined) return { msisdn, country: MAGIC_COUNTRY, type: 'mobile', valid: true }
  const type = number.getType()
  if (!number.country) return undefined
  return {
    msisdn,
    country: number.country,
    type:
      type === undefined
        ? 'unknown'
        : MOBILE_TYPES.has(type)
          ? 'mobile'
          : type === 'FIXED_LINE'
            ? 'landline'
            : 'unknown',
    valid: number.isValid(),
  }
}

type PrefixFile = Record<string, Record<string, string>>

/** One mobile prefix, international form, and the operator that holds it. */
export interface MobilePrefix {
  readonly prefix: string
  readonly operatorId: number
}

const operatorByPrefix = new Map<string, Operator>()
const prefixesByCountry = new Map<string, MobilePrefix[]>()
let longestPrefix = 0

const file: PrefixFile = JSON.parse(readFileSync(new URL('./mobile-prefixes.json', import.meta.url), 'utf8'))
for (const [country, byOperator] of Object.entries(file)) {
  const rows: MobilePrefix[] = []
  for (const [id, prefixes] of Object.entries(byOperator)) {
    const operator = operatorById(Number(id))
    // An operator that left the list keeps no prefix: its numbers fall to the others.
    if (!operator) continue
    for (const prefix of prefixes.split(' ')) {
      operatorByPrefix.set(prefix, operator)
      longestPrefix = Math.max(longestPrefix, prefix.length)
      rows.push({ prefix, operatorId: operator.id })
    }
  }
  prefixesByCountry.set(
    country,
    rows.sort((left, right) => (left.prefix < right.prefix ? -1 : 1)),
  )
}

/** Every known mobile prefix of a country in order; empty where the numbering plan tells nothing of operators. */
export function prefixesOf(country: string): readonly MobilePrefix[] {
  return prefixesByCountry.get(country) ?? []
}

/** Numbers that share this many leading digits, and no known prefix, belong to one operator. */
const BLOCK_DIGITS = 7

/**
 * The operator that a number was first given to: by its prefix where that is known, else one of the country's
 * operators, always the same for a block of numbers. Undefined in a country without operators.
 */
export function operatorOf(number: KnownNumber): Operator | undefined {
  for (let length = Math.min(longestPrefix, number.msisdn.length); length > 1; length--) {
    const operator = operatorByPrefix.get(number.msisdn.slice(0, length))
    if (operator?.country === number.country) return operator
  }
  const operators = operatorsOf(number.country)
  return operators[stableHash(number.msisdn.slice(0, BLOCK_DIGITS)) % Math.max(operators.length, 1)]
}
