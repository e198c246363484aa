import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import { type PhoneText, readPhoneText } from './phone-text.ts'

// The one place where a written number becomes a number that is sent to. Whatever could lead to another person than the
// writer meant is refused: a wrong guess costs money and writes to a stranger.

/** A number as the networks know it. */
export interface PhoneNumber {
  /** International, digits only: E.164 without the plus sign. */
  readonly msisdn: string
  /** ISO 3166-1 alpha-2; null where the numbering plans name none. */
  readonly country: string | null
  readonly type: 'mobile' | 'landline' | 'unknown'
  /** False for a well-formed complete number of a range that the numbering plans do not know. */
  readonly valid: boolean
}

/** A sentence without its subject ("must ...", "can be ...") that says what is wrong and how to write the number. */
export interface PhoneFix {
  readonly fix: string
  /** Naming the country that it is written in would help as well. */
  readonly needsCountry?: true
}

/** What a number is read with. */
export interface PhoneOptions {
  /** ISO 3166-1 alpha-2: the country whose national form digits without a plus sign are written in. */
  readonly country?: string | undefined
  /** Numbers that count as valid though the plans do not list them. */
  readonly isKnown?: (msisdn: string) => boolean
}

/** The form of a number that can be misread by nobody. */
const HOW = 'Write it in international form with a leading +, for example +37069555555'
const SENTENCES = {
  form: `must be a phone number. ${HOW}.`,
  addition: `holds something that is no part of a number, such as a decimal fraction, a footnote or an extension. Give the digits alone, as text: ${HOW.toLowerCase()}.`,
  list: `must be one phone number, and not a list of them. ${HOW}.`,
  zero: `has a zero behind its +, where the country code stands; no country code begins with one. ${HOW}.`,
  length: `must have 7 to 15 digits, the country code included. ${HOW}.`,
  national: `looks like a national number, whose country is not known. ${HOW}.`,
  country: 'is written nationally, and its country is not one whose numbering is known.',
} as const

const NATIONAL: PhoneFix = { fix: SENTENCES.national, needsCountry: true }

const MSISDN = /^[1-9]\d{6,14}$/
const MOBILE_TYPES: ReadonlySet<string> = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE'])

/**
 * Reads a number as people and programs write it ({@link readPhoneText}). With a plus sign it is complete and the
 * country changes nothing. Digits alone are national where a country is named, with that country's trunk and
 * international prefixes, and international where none is; then brackets or a leading zero, which belong to national
 * writing, make it a refusal. Reading the result again gives the same.
 */
export function readPhone(written: string, options: PhoneOptions = {}): PhoneNumber | PhoneFix {
  const text = readPhoneText(written)
  if (typeof text === 'string') return { fix: SENTENCES[text] }
  if (text.hasPlus) return readComplete(text.digits, options)
  return options.country === undefined
    ? readUnplaced(text, options)
    : readNational(text.digits, options.country, options)
}

function readComplete(digits: string, { isKnown }: PhoneOptions): PhoneNumber | PhoneFix {
  const parsed = digits.startsWith('0') ? undefined : parse(`+${digits}`)
  // `+44 (0)7911`: the trunk zero that people write behind the country code. No other change of the library's is taken
  // over: it would add and drop prefixes of carriers and areas.
  const isTrunkZero = parsed?.valid === true && digits === `${parsed.callingCode}0${parsed.nationalNumber}`
  if (parsed?.valid && (parsed.msisdn === digits || isTrunkZero)) return parsed.number
  if (!MSISDN.test(digits)) return { fix: digits.startsWith('0') ? SENTENCES.zero : SENTENCES.length }
  const magic = isKnown?.(digits) === true
  return { msisdn: digits, country: magic ? (parsed?.number.country ?? null) : null, type: 'unknown', valid: magic }
}

/** Digits without a country: international, or refused. */
function readUnplaced(text: PhoneText, options: PhoneOptions): PhoneNumber | PhoneFix {
  const { digits, hasBrackets, firstGroup } = text
  const isPrefixed = digits.startsWith('00')
  const msisdn = isPrefixed ? digits.slice(2) : digits
  if (!MSISDN.test(msisdn)) return msisdn.length > 15 ? { fix: SENTENCES.length } : NATIONAL
  const number = readComplete(msisdn, options)
  if ('fix' in number || !number.valid || number.msisdn !== msisdn) return NATIONAL
  if (hasBrackets && !isPrefixed)
    return { fix: twoWays(number, 'as a national number whose country is not named'), needsCountry: true }
  // `009 372 ...`: whoever separates like this dials another country's prefix than 00.
  const callingCode = parse(`+${msisdn}`)?.callingCode ?? ''
  const isCut = isPrefixed && firstGroup.length > 2 && firstGroup.length < 2 + callingCode.length
  if (isCut)
    return { fix: twoWays(number, 'with the international prefix of a country that is not named'), needsCountry: true }
  return number
}

function readNational(digits: string, country: string, options: PhoneOptions): PhoneNumber | PhoneFix {
  if (!isSupportedCountry(country)) return { fix: SENTENCES.country }
  const written = parse(digits, country)
  // Its own country code in front without a plus sign: 37060000001 in Lithuania.
  const coded = MSISDN.test(digits) ? parse(`+${digits}`) : undefined
  const own =
    coded?.valid && coded.msisdn === digits && coded.callingCode === getCountryCallingCode(country)
      ? coded.number
      : undefined
  if (written?.valid && isAsWritten(written, digits, country)) {
    if (own === undefined || own.msisdn === written.msisdn || own.type !== 'mobile') return written.number
    if (written.number.type !== 'mobile') return own
    return { fix: twoWays(own, `as +${written.msisdn}`) }
  }
  if (own !== undefined) return own
  if (written !== undefined && options.isKnown?.(written.msisdn)) {
    return { msisdn: written.msisdn, country, type: 'unknown', valid: true }
  }
  const foreign = coded?.valid ? ` As an international number it would be ${shown(coded.number)}.` : ''
  return { fix: `is no number of the country it is said to be written in.${foreign} ${HOW} if it is meant so.` }
}

// A number of another country, behind the international prefix, is complete: only its trunk zero may go.
function isAsWritten({ callingCode, nationalNumber, msisdn }: Parsed, digits: string, country: CountryCode): boolean {
  if (callingCode === getCountryCallingCode(country)) return true
  return digits.endsWith(msisdn) || digits.endsWith(`${callingCode}0${nationalNumber}`)
}

function twoWays(number: PhoneNumber, other: string): string {
  return `can be read in two ways: as ${shown(number)}, or ${other}. ${HOW}.`
}

function shown({ msisdn, country }: PhoneNumber): string {
  return `+${msisdn}${country === null ? '' : ` (${country})`}`
}

interface Parsed {
  readonly number: PhoneNumber
  readonly msisdn: string
  readonly callingCode: string
  readonly nationalNumber: string
  readonly valid: boolean
}

function parse(text: string, written?: CountryCode): Parsed | undefined {
  const parsed = parsePhoneNumberFromString(text, written)
  if (parsed === undefined) return undefined
  const msisdn = parsed.number.slice(1)
  const valid = parsed.isValid()
  const country = parsed.country ?? null
  const type = parsed.getType()
  const kind =
    type === undefined ? 'unknown' : MOBILE_TYPES.has(type) ? 'mobile' : type === 'FIXED_LINE' ? 'landline' : 'unknown'
  const { countryCallingCode: callingCode, nationalNumber } = parsed
  return { number: { msisdn, country, type: kind, valid }, msisdn, callingCode, nationalNumber, valid }
}
