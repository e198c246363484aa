import { NUMBER_MAX_CHARACTERS } from '@vertexsms/contract/rest'
import { parsePhoneNumberFromString } from 'libphonenumber-js/min'

/** An E.164 number as digits without the plus sign, or the sentence that says how to write it. */
export type PhoneReading = { readonly digits: string } | { readonly fix: string }

const FIX_FORM = 'Write the number in international form with a leading +, for example +37069555555.'
const FIX_NATIONAL = `This looks like a national number, whose country is not known. ${FIX_FORM} correct_phone_number helps when the country is known.`
const FIX_LENGTH = 'An international number has 7 to 15 digits after the +, the country code included.'

// Spaces of every kind, dashes of every kind, dots, slashes, parentheses.
const SEPARATORS = /[\s\-\u2010-\u2015\u2212()./]/g
const MIN_BARE_DIGITS = 11

/**
 * Reads a phone number as people and models write it: spaces, dashes, dots and parentheses, `+` or `00` in front,
 * `(0)` for the trunk digit. A number without `+` or `00` is taken only where it can be nothing but international;
 * anything that could be a national number is refused, because a wrong guess would write to a stranger and cost money.
 */
export function readPhone(value: string): PhoneReading {
  if (value.length > NUMBER_MAX_CHARACTERS) return { fix: FIX_FORM }
  // Full-width digits and signs, which some keyboards produce, become ordinary ones.
  const text = value.normalize('NFKC').trim().replace(/^tel:/i, '')
  const isPrefixed = /^(\+|00)/.test(text.replace(SEPARATORS, ''))
  const compact = (isPrefixed ? text.replace(/\(0\)/g, '') : text).replace(SEPARATORS, '')
  const prefixed = /^(?:\+|00)(\d*)$/.exec(compact)?.[1]
  if (prefixed !== undefined) {
    return /^[1-9]\d{6,14}$/.test(prefixed) ? { digits: prefixed } : { fix: FIX_LENGTH }
  }
  if (!/^\d+$/.test(compact)) return { fix: FIX_FORM }
  if (!isPlainlyInternational(compact)) return { fix: FIX_NATIONAL }
  return { digits: compact }
}

// Eleven digits from 13 on are mobile numbers of one country and North American ones as well.
function isPlainlyInternational(digits: string): boolean {
  if (digits.length < MIN_BARE_DIGITS || digits.startsWith('0') || /^1[3-9]\d{9}$/.test(digits)) return false
  return parsePhoneNumberFromString(`+${digits}`)?.isValid() === true
}
