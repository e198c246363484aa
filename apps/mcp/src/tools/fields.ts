// Every argument that tools share: how it is described, how long it may be, how it is read. One file, so that one length
// stands before every reading.
import { IDEMPOTENCY_KEY_MAX_CHARACTERS } from '@vertexsms/contract/headers'
import { readMoment } from '@vertexsms/contract/moment'
import { readEurText, toEurText } from '@vertexsms/contract/money'
import { readPhone as readNumber } from '@vertexsms/contract/phone-number'
import { PHONE_MAX_CHARACTERS } from '@vertexsms/contract/phone-text'
import { BATCH_MAX, SENDER_NAME_PATTERN, URL_MAX_CHARACTERS } from '@vertexsms/contract/rest'
import { JsonRefused, readJson } from '@vertexsms/service/json'
import { isUsableText } from '@vertexsms/service/text'
import { ToolFailure } from '../protocol/failure.ts'
import { readPhone } from './phone.ts'

/** A JSON Schema (2020-12), as it stands in `tools/list`. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** One argument of a tool: what the model is told, and how what it wrote is read. */
export interface Field<Value> {
  readonly schema: JsonSchema
  /**
   * Reads a value that is there; `others` are all arguments as they were given, for a field that depends on another.
   * Throws {@link ToolFailure} `INVALID_INPUT` with a sentence that says how to fix it.
   */
  readonly read: (value: unknown, name: string, others: Readonly<Record<string, unknown>>) => Value
}

/** A field that may be left out; `null` and an empty string, which models write for that, count as left out. */
export interface OptionalField<Value> extends Field<Value> {
  readonly isOptional: true
}

/** Makes a field optional. */
export function optional<Value>(field: Field<Value>): OptionalField<Value> {
  return { ...field, isOptional: true }
}

/** One argument that cannot be read, and how to mend it. */
class InvalidArgument extends ToolFailure {
  readonly argument: string
  readonly fix: string

  constructor(argument: string, fix: string) {
    super('INVALID_INPUT', sentenceOf([argument], fix))
    this.argument = argument
    this.fix = fix
  }
}

/** The failure for one argument. The name is always one of ours. */
export function invalid(name: string, fix: string): ToolFailure {
  return new InvalidArgument(name, fix)
}

function sentenceOf(names: readonly string[], fix: string): string {
  return `Argument ${names.map((name) => `\`${name}\``).join(', ')}: ${fix}`
}

/**
 * Each entry of a list as `read` reads it, in their order. What cannot be read is told at once, a sentence for each kind of
 * fault: one call more mends the list, however many of them there are. Throws {@link ToolFailure} `INVALID_INPUT`.
 */
export function readEach<Value>(entries: readonly unknown[], read: (entry: unknown, index: number) => Value): Value[] {
  const places = new Map<string, string[]>()
  const values = entries.flatMap((entry, index) => {
    try {
      return [read(entry, index)]
    } catch (error) {
      if (!(error instanceof InvalidArgument)) throw error
      places.set(error.fix, [...(places.get(error.fix) ?? []), error.argument])
      return []
    }
  })
  if (places.size === 0) return values
  throw new ToolFailure('INVALID_INPUT', [...places].map(([fix, names]) => sentenceOf(names, fix)).join('\n'))
}

/** Words, codes, ids and moments are shorter, with room for white space around them. */
const SHORT_TEXT_MAX_CHARACTERS = 64

// A model may write a number where text is expected; nothing else is turned into text. How long a text is, and whether
// it is one, is judged before anything else is done with it.
function textOf(value: unknown, name: string, maxCharacters = SHORT_TEXT_MAX_CHARACTERS): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value)
  if (typeof value !== 'string') throw invalid(name, 'must be a string.')
  if (value.length > maxCharacters) throw invalid(name, `must have at most ${maxCharacters} characters.`)
  if (!isUsableText(value)) {
    throw invalid(name, 'holds characters that no text may have (U+0000, or half of a surrogate pair); leave them out.')
  }
  return value
}

const PHONE_EXAMPLES = ['+37069555555']

/** One phone number, read to digits without the plus sign. */
export function phoneField(description: string): Field<string> {
  return {
    schema: { type: 'string', description, examples: PHONE_EXAMPLES },
    read(value, name) {
      const reading = readPhone(textOf(value, name, PHONE_MAX_CHARACTERS))
      if ('fix' in reading) throw invalid(name, reading.fix)
      return reading.digits
    },
  }
}

/** Above any list of numbers in one text. */
const LIST_MAX_CHARACTERS = BATCH_MAX * (PHONE_MAX_CHARACTERS + 64)

/**
 * One phone number or a list of them, read to digits in the order given; the same number may come twice. A list may
 * also be written as one text: as JSON, or with commas, semicolons or lines between the numbers. The argument named
 * `countryFrom` tells the country of numbers that are written nationally.
 */
export function phonesField(description: string, countryFrom: string): Field<string[]> {
  const country = countryField('')
  return {
    schema: {
      description,
      anyOf: [
        { type: 'string', examples: PHONE_EXAMPLES },
        { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: BATCH_MAX },
      ],
    },
    read(value, name, others) {
      const written = listOf(value, name)
      if (written.length === 0 || written.length > BATCH_MAX) {
        throw invalid(name, `must hold 1 to ${BATCH_MAX} numbers; split a longer list into several calls.`)
      }
      const named = Object.hasOwn(others, countryFrom) ? others[countryFrom] : undefined
      const place = isLeftOut(named) ? undefined : country.read(named, countryFrom, others)
      const isList = written.length > 1 || Array.isArray(value)
      return readEach(written, (entry, index) => {
        const at = isList ? `${name}[${index}]` : name
        const reading = readPhone(textOf(entry, at, PHONE_MAX_CHARACTERS), place, countryFrom)
        if ('fix' in reading) throw invalid(at, reading.fix)
        return reading.digits
      })
    },
  }
}

function listOf(value: unknown, name: string): unknown[] {
  const entries = listFromJson(value, name)
  if (entries.length > BATCH_MAX) return entries
  return entries.flatMap((entry: unknown) => (typeof entry === 'string' ? numbersIn(entry, name) : [entry]))
}

const REPEATED = 'holds an object that names a member twice; name each once.'

/** A list as it is, or as JSON in a text; any other value as a list of one. Throws {@link ToolFailure} for broken JSON. */
export function listFromJson(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string') return [value]
  if (value.length > LIST_MAX_CHARACTERS) throw invalid(name, `is too long; give a list of up to ${BATCH_MAX} numbers.`)
  if (!/^[ \t\r\n]*[[{"]/.test(value)) return [value]
  try {
    return [readJson(value, { uniqueNames: true, anyTextBelow: [] })].flat()
  } catch (error) {
    const isRepeated = error instanceof JsonRefused && error.problem === 'repeated'
    throw invalid(name, isRepeated ? REPEATED : 'looks like JSON, but is none; give a list.')
  }
}

function numbersIn(text: string, name: string): string[] {
  if (text.length > LIST_MAX_CHARACTERS) throw invalid(name, `is too long; give a list of up to ${BATCH_MAX} numbers.`)
  // A parameter of a `tel:` URI (RFC 3966) belongs to its number, which is then refused for it.
  const parts = text.split(/[,|\r\n]|;(?! ?[a-z-]+=)/i).filter((part) => part.trim() !== '')
  return parts.length === 0 ? [text] : parts
}

/** True for what models write for an argument that they leave out. */
export function isLeftOut(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** A sender: a phone number, or a sender name. */
export function senderField(description: string): Field<string> {
  return {
    schema: { type: 'string', description, examples: ['MyCompany'] },
    read(value, name) {
      const text = textOf(value, name, PHONE_MAX_CHARACTERS).trim()
      if (SENDER_NAME_PATTERN.test(text)) return text
      const number = readNumber(text)
      if (!('fix' in number)) return number.msisdn
      // A short code or a landline stands as it was registered, but for one that is an international number as well.
      const digits = text.replace(/[ \-().]/g, '')
      if (number.needsCountry && /^\d{3,15}$/.test(digits)) {
        if ('fix' in readNumber(digits)) return digits
        throw invalid(name, number.fix)
      }
      throw invalid(
        name,
        'must be a registered phone number, or 1 to 11 latin letters, digits, spaces, dots and - _ & # ! with at least one letter.',
      )
    },
  }
}

const COUNTRY_ALIASES: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' }

/** An ISO 3166-1 alpha-2 country code, read to upper case. */
export function countryField(description: string): Field<string> {
  return {
    schema: { type: 'string', description, examples: ['LT'] },
    read(value, name) {
      const code = textOf(value, name).trim().toUpperCase()
      if (!/^[A-Z]{2}$/.test(code)) throw invalid(name, 'must be a two-letter ISO 3166-1 country code, for example LT.')
      return COUNTRY_ALIASES[code] ?? code
    },
  }
}

/**
 * A numeric id, exact as a JSON number (below 2^53), declared as the type in which another tool returned it and taken in both;
 * read to a string of digits.
 */
export function idField(description: string, type: 'integer' | 'string' = 'integer'): Field<string> {
  return {
    schema: type === 'string' ? { type, description } : { type, description, minimum: 1 },
    read(value, name) {
      const given = typeof value === 'number' ? String(value) : value
      const text = typeof given === 'string' ? textOf(given, name).trim() : ''
      if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(Number(text))) {
        throw invalid(name, 'must be a whole number greater than 0, as it was returned.')
      }
      return text
    },
  }
}

/** A whole number within bounds, also when it comes as a string. */
export function integerField(description: string, minimum: number, maximum: number, initial?: number): Field<number> {
  return {
    schema: { type: 'integer', description, minimum, maximum, ...(initial === undefined ? {} : { default: initial }) },
    read(value, name) {
      const text = typeof value === 'string' ? textOf(value, name).trim() : ''
      const number = /^-?\d{1,9}$/.test(text) ? Number(text) : value
      if (typeof number !== 'number' || !Number.isInteger(number) || number < minimum || number > maximum) {
        throw invalid(name, `must be a whole number from ${minimum} to ${maximum}.`)
      }
      return number
    },
  }
}

/** One word of a list, in any case. */
export function choiceField<const Choice extends string>(
  description: string,
  choices: readonly Choice[],
): Field<Choice> {
  return {
    schema: { type: 'string', description, enum: choices },
    read(value, name) {
      const text = textOf(value, name).trim().toLowerCase()
      const choice = choices.find((candidate) => candidate.toLowerCase() === text)
      if (choice === undefined) throw invalid(name, `must be one of ${choices.join(', ')}.`)
      return choice
    },
  }
}

/** Free text of a bounded length. `trim` removes white space around it. */
export function textField(
  description: string,
  { min = 1, max, trim = false }: { min?: number; max: number; trim?: boolean },
): Field<string> {
  return {
    schema: { type: 'string', description, minLength: min, maxLength: max },
    read(value, name) {
      if (typeof value === 'string' && value.length > max + (trim ? SHORT_TEXT_MAX_CHARACTERS : 0)) {
        throw invalid(name, `must have ${min} to ${max} characters.`)
      }
      const given = textOf(value, name, max + SHORT_TEXT_MAX_CHARACTERS)
      const text = trim ? given.trim() : given
      if (text.length < min || text.length > max) throw invalid(name, `must have ${min} to ${max} characters.`)
      return text
    },
  }
}

/** Digits of a fixed length as text; a leading zero that was lost in a number is put back. */
export function codeField(description: string, length: number): Field<string> {
  return {
    schema: { type: 'string', description, pattern: `^\\d{${length}}$` },
    read(value, name) {
      const text = textOf(value, name).replace(/[\s-]/g, '')
      const digits = typeof value === 'number' ? text.padStart(length, '0') : text
      if (digits.length !== length || !/^\d+$/.test(digits))
        throw invalid(name, `must be the ${length} digits of the code.`)
      return digits
    },
  }
}

/** Yes or no, also when it comes as a word. */
export function flagField(description: string): Field<boolean> {
  return {
    schema: { type: 'boolean', description },
    read(value, name) {
      if (typeof value === 'boolean') return value
      const word = typeof value === 'string' ? textOf(value, name).trim().toLowerCase() : ''
      if (word !== 'true' && word !== 'false') throw invalid(name, 'must be true or false.')
      return word === 'true'
    },
  }
}

/** An amount in EUR, also when it comes as a JSON number; read to decimal text. */
export function amountField(description: string): Field<string> {
  return {
    schema: { type: 'string', description, examples: ['0.5'] },
    read(value, name) {
      const text = typeof value === 'number' ? String(value) : textOf(value, name).trim()
      const micros = readEurText(text)
      if (micros === null) throw invalid(name, 'must be an amount in EUR with at most six decimals, for example 0.5.')
      return toEurText(micros)
    },
  }
}

const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** The caller's name for one send, one lookup or one registration. */
export function idempotencyKeyField(description: string): Field<string> {
  return {
    schema: { type: 'string', description, maxLength: IDEMPOTENCY_KEY_MAX_CHARACTERS },
    read(value, name) {
      const key = textOf(value, name, IDEMPOTENCY_KEY_MAX_CHARACTERS + SHORT_TEXT_MAX_CHARACTERS).trim()
      if (key.length > IDEMPOTENCY_KEY_MAX_CHARACTERS || !VISIBLE_ASCII.test(key)) {
        throw invalid(
          name,
          `must be 1 to ${IDEMPOTENCY_KEY_MAX_CHARACTERS} letters, digits and signs of ASCII, without spaces.`,
        )
      }
      return key
    },
  }
}

/** A moment with its offset from UTC, read to ISO 8601 in UTC. */
export function momentField(description: string): Field<string> {
  return {
    schema: { type: 'string', description, format: 'date-time', examples: ['2026-12-24T09:00:00+02:00'] },
    read(value, name) {
      const moment = readMoment(textOf(value, name))
      if ('fix' in moment) throw invalid(name, moment.fix)
      return moment.iso
    },
  }
}

/** An https URL; whether it may be called is for the API to decide. */
export function urlField(description: string): Field<string> {
  return {
    // Without `format: uri`, which strict clients refuse the whole list for.
    schema: { type: 'string', description },
    read(value, name) {
      const text = textOf(value, name, URL_MAX_CHARACTERS).trim()
      if (!/^https?:/i.test(text) || !URL.canParse(text)) {
        throw invalid(name, 'must be a public https URL.')
      }
      return text
    },
  }
}
