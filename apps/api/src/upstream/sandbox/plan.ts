// Judges a message without touching anything: who gets it, in how many parts, at what price, or why not.
import type { ApiErrorCode, VertexErrorCode } from '@vertexsms/contract/api-errors'
import { REFUSAL_REASONS } from '@vertexsms/contract/refusals'
import { SCHEDULE_MAX_DAYS, SENDER_NAME_PATTERN, type SendSmsRequest } from '@vertexsms/contract/rest'
import { ApiError } from '../../http/api-error.ts'
import { magicCode, REFUSED_AT_ONCE } from './magic.ts'
import { type KnownNumber, type NumberFix, operatorOf, readNumber } from './numbers.ts'
import type { Operator } from './operators.ts'
import { partPriceMicros } from './prices.ts'
import { type Coding, segment } from './segments.ts'
import { NAME_MUST_BE_REGISTERED, NAME_NOT_TAKEN } from './sender-rules.ts'

/** Where a message goes and what it costs. */
export interface Quote {
  readonly recipient: KnownNumber
  readonly operator: Operator
  readonly coding: Coding
  readonly parts: number
  readonly partPriceMicros: bigint
}

/** A sender as it stands in `from`, and whether it must be confirmed on the account before it may be used. */
export interface Sender {
  readonly name: string
  readonly mustBeConfirmed: boolean
}

/** When a message goes out and until when it is worth delivering. */
export interface Timing {
  readonly scheduled: boolean
  readonly sendAt: Date
  readonly expiresAt: Date
}

/** Validity of a message that names none. */
const DEFAULT_VALIDITY_SECONDS = 172_800

/** The code of a message that `testMode` 2 makes fail. */
const TEST_FAILURE_CODE = 2

const SENDER_SENTENCE =
  "Invalid value for field 'from'. Sender ID must either be a valid MSISDN or an alpha-numeric string (max. length: 11 characters), which may consist only of upper+lower-case latin letters, digits, spaces and dots."

/** The refusal of what was read as no mobile number, or not read at all; it names the field and how to mend it. */
export function notMobile(code: ApiErrorCode, field: string, number: KnownNumber | NumberFix): ApiError {
  const { fix, reason }: NumberFix =
    'fix' in number ? number : { fix: REFUSAL_REASONS.not_mobile.fix, reason: 'not_mobile' }
  // Only `to` has a country beside it.
  const more = 'needsCountry' in number && field === 'to' ? ' Or name the country it is written in: correctBy.' : ''
  const message = `Invalid value for field '${field}': it ${fix}${more}`
  return new ApiError(code, { message, errorCode: 53, ...(reason === undefined ? {} : { reason }) })
}

/** The recipient's number. Throws SEND_REFUSED with code 53 for what is no mobile number, 20 where no operator is known. */
export function readRecipient(to: string, correctBy?: string): { recipient: KnownNumber; operator: Operator } {
  const recipient = readNumber(to, correctBy)
  if ('fix' in recipient || recipient.type !== 'mobile') throw notMobile('SEND_REFUSED', 'to', recipient)
  const operator = operatorOf(recipient)
  if (!operator) {
    throw new ApiError('SEND_REFUSED', { message: 'The country is not configured for the account.', errorCode: 20 })
  }
  return { recipient, operator }
}

/**
 * The sender. Throws SEND_REFUSED for a malformed one and for a name in a country that takes only numbers. A number
 * must always be confirmed, a name where the country asks for registration.
 */
export function readSender(from: string, country: string): Sender {
  if (SENDER_NAME_PATTERN.test(from)) {
    if (NAME_NOT_TAKEN.has(country)) throw new ApiError('SEND_REFUSED', { reason: 'sender_name_not_taken' })
    return { name: from, mustBeConfirmed: NAME_MUST_BE_REGISTERED.has(country) }
  }
  const number = readNumber(from)
  if (!('fix' in number)) return { name: number.msisdn, mustBeConfirmed: true }
  // A short code or a landline stands in `from` as it was registered.
  if (/^\d{3,11}$/.test(from)) return { name: from, mustBeConfirmed: true }
  throw new ApiError('SEND_REFUSED', { message: SENDER_SENTENCE })
}

/** Nothing but spaces, line breaks, fillers and marks that nobody sees; U+2800 is the pattern of Braille without dots. */
const BLANK = /^[\s\p{Z}\p{Cc}\p{Cf}\p{DI}\u2800]*$/u

/**
 * Parts and price of a message; a message under `testMode` costs nothing. Naming `coding` switches splitting off.
 * Throws INVALID_INPUT for a text that is blank or does not fit, and what {@link readRecipient} throws.
 */
export function quote(request: SendSmsRequest): Quote {
  const { recipient, operator } = readRecipient(request.to, request.correctBy)
  const { message, udh } = request
  if (BLANK.test(message)) throw new ApiError('INVALID_INPUT', { reason: 'message_blank' })
  if (udh !== undefined && request.coding === undefined) {
    throw new ApiError('INVALID_INPUT', { reason: 'udh_without_coding' })
  }
  const { coding, parts } = segment(message, request.coding, udh)
  if (parts === 'not_in_coding') throw new ApiError('INVALID_INPUT', { reason: 'message_not_in_coding' })
  if (parts === 'too_long') {
    throw new ApiError('INVALID_INPUT', {
      reason: request.coding === undefined ? 'message_too_long' : 'message_not_in_one_part',
    })
  }
  const price = request.testMode === undefined ? partPriceMicros(operator) : 0n
  return { recipient, operator, coding, parts, partPriceMicros: price }
}

const DAY_MS = 86_400_000

/** Reads `scheduled` and `expireIn`. Throws INVALID_INPUT for a time that is not ahead or too far ahead. */
export function readTiming({ scheduled, expireIn }: Pick<SendSmsRequest, 'scheduled' | 'expireIn'>, now: Date): Timing {
  const sendAt = scheduled === undefined ? now : new Date(scheduled)
  const ahead = sendAt.getTime() - now.getTime()
  if (ahead > SCHEDULE_MAX_DAYS * DAY_MS) throw new ApiError('INVALID_INPUT', { reason: 'scheduled_too_far' })
  if (scheduled !== undefined && ahead <= 0) throw new ApiError('INVALID_INPUT', { reason: 'scheduled_in_the_past' })
  const expiresAt = new Date(sendAt.getTime() + (expireIn ?? DEFAULT_VALIDITY_SECONDS) * 1000)
  return { scheduled: scheduled !== undefined, sendAt, expiresAt }
}

const MESSAGES_OF_REFUSAL: Partial<Record<VertexErrorCode, string>> = {
  20: 'The country or operator is not configured for the account.',
  21: 'The message was blocked by a filter.',
  22: 'The same message was just sent to this number.',
  23: 'The limit of messages to this number is reached.',
  24: 'The account balance limit is reached.',
  53: 'The phone number is not valid.',
}

/** The refusal under one numeric code. */
export function refusal(code: 'SEND_REFUSED' | 'LOOKUP_REFUSED', errorCode: VertexErrorCode): ApiError {
  const message = MESSAGES_OF_REFUSAL[errorCode]
  return new ApiError(code, message === undefined ? { errorCode } : { errorCode, message })
}

/** The code that the delivery report will carry. Throws SEND_REFUSED for magic numbers that are refused at once. */
export function outcomeOf(recipient: KnownNumber, testMode: 1 | 2 | undefined): VertexErrorCode {
  const magic = magicCode(recipient.msisdn) ?? 0
  if (REFUSED_AT_ONCE.has(magic)) throw refusal('SEND_REFUSED', magic)
  if (testMode === undefined) return magic
  return testMode === 1 ? 0 : TEST_FAILURE_CODE
}
