// From what a person sees to plain digits: characters only, nothing of numbering plans.

/** The longest text that is looked at; no spelling of a number needs more. */
export const PHONE_MAX_CHARACTERS = 64

/** The digits of a written number, and the signs that say how it is meant. */
export interface PhoneText {
  readonly digits: string
  /** It begins with a plus sign. */
  readonly hasPlus: boolean
  readonly hasBrackets: boolean
  /** The digits before the first separator. */
  readonly firstGroup: string
}

/** Why a text is no number: other characters, something beside the number, too many digits, a list of numbers. */
export type PhoneTextProblem = 'form' | 'addition' | 'length' | 'list'

/** Digits of a number with the longest prefixes in front (E.164 has 15). */
const DIGITS_MAX = 24

const DIGIT = /^\p{Nd}$/u
const PLUS = new Set('+＋﹢➕')
const OPENING = new Set('([（［')
const CLOSING = new Set(')]）］')
const DOT = new Set('.．․·•‧∙⋅')
/** Spaces, dashes and slashes of every kind; the minus sign, the hyphen bullet and the Japanese prolonged sound mark too. */
const SEPARATOR = /^[\p{Zs}\t\p{Pd}\u2212\u2043\u02d7\u30fc\uff70/\u2044\u2215\uff0f~\u223c\uff5e]$/u
/** Marks of direction and joining, which nobody sees, and what makes a digit a key on the screen. */
const INVISIBLE = /^(?:\p{Cf}|\ufe0f|\u20e3)$/u
const OTHER_NUMBER = /^[\p{No}\p{Nl}#*;]$/u
/** Words and signs of extensions, exponents and notes; before the first digit they are no number at all. */
const NOTE = /^[\p{L}=]$/u
/** JSON in a text, and what stands between the numbers of a list. */
const JSON_TEXT = /^[[{]? *"/
const BETWEEN_NUMBERS = /[,;|\r\n]/
const DIGITS_OF_NUMBER = /(?:\p{Nd}[^\p{Nd}]*){7}/u
const URI_SCHEME = /^(?:tel|sms):/i

/**
 * Reads digits of every script, separators of every kind, `+` in front, and `tel:` and `sms:` URIs (RFC 3966, RFC
 * 5724). Footnotes, extensions and the `.0` that spreadsheets leave are no part of a number.
 */
export function readPhoneText(written: string): PhoneText | PhoneTextProblem {
  if (written.length > PHONE_MAX_CHARACTERS) return 'length'
  const bare = written.replace(/^[\s\p{Cf}]+/u, '')
  if (JSON_TEXT.test(bare) || bare.split(BETWEEN_NUMBERS).filter((part) => DIGITS_OF_NUMBER.test(part)).length > 1) {
    return 'list'
  }
  const plain = toPlain(bare.trim())
  if (plain === undefined) return 'form'
  const text = plain.trim()
  if (text.includes('?')) return 'addition'
  // One dot with nothing but zeros behind it: the number was a floating-point one on its way here.
  if (/^[^.]*\.0+$/.test(text)) return 'addition'
  // Brackets enclose a country's or an area's code, never the end.
  if (/\(\d+\)[ .]*$/.test(text)) return 'addition'
  if (!/^[( ]*(?:\+[( ]*)?\d[\d ().]*$/.test(text)) return 'form'
  const digits = text.replace(/\D/g, '')
  if (digits.length > DIGITS_MAX) return 'length'
  return {
    digits,
    hasPlus: text.includes('+'),
    hasBrackets: text.includes('('),
    firstGroup: /\d+/.exec(text)?.[0] ?? '',
  }
}

/** The text in ASCII: digits, plus, round brackets, dots, a space for other separators, `?` for other kinds of numbers. */
function toPlain(written: string): string | undefined {
  const isUri = URI_SCHEME.test(written)
  const text = isUri ? written.slice(4).replace(/%2b/gi, '+').replace(/%20/g, ' ') : written
  let plain = ''
  for (const character of text) {
    if (plain !== '' && NOTE.test(character) && !SEPARATOR.test(character)) plain += '?'
    else if (character >= '0' && character <= '9') plain += character
    else if (SEPARATOR.test(character)) plain += ' '
    else if (PLUS.has(character)) plain += '+'
    else if (OPENING.has(character)) plain += '('
    else if (CLOSING.has(character)) plain += ')'
    else if (DOT.has(character)) plain += '.'
    else if (DIGIT.test(character)) plain += digitValue(character)
    else if (OTHER_NUMBER.test(character)) plain += '?'
    else if (!INVISIBLE.test(character)) return undefined
  }
  return plain
}

/** Decimal digits stand in the Unicode tables in runs from nought to nine (Unicode 4.6). */
function digitValue(digit: string): string {
  const code = digit.codePointAt(0) ?? 0
  let before = 0
  while (DIGIT.test(String.fromCodePoint(code - before - 1))) before++
  return String(before % 10)
}
