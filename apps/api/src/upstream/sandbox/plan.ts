// Judges a message without touching anything: who gets it, in how many parts, at what price, or why not.
import type { VertexErrorCode } from '@vertexsms/contract/api-errors'
import {
  ALPHANUMERIC_SENDER_PATTERN,
  SCHEDULE_MAX_DAYS,
  type SendSmsRequest,
  type SmsCostRequest,
} from '@vertexsms/contract/rest'
import { ApiError } from '../../api-error.ts'
import { magicCode, REFUSED_AT_ONCE } from './magic.ts'
import { type KnownNumber, operatorOf, readNumber } from './numbers.ts'
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

/** The recipient's number. Throws SEND_REFUSED with code 53 for what is no mobile number, 20 where no operator is known. */
export function readRecipient(to: string, correctBy?: string): { recipient: KnownNumber; operator: Operator } {
  const recipient = readNumber(to, correctBy)
  if (!recipient?.valid || recipient.type !== 'mobile') {
    throw new ApiError('SEND_REFUSED', {
      message: "Invalid value for field 'to'. It must be a mobile number in international format.",
      errorCode: 53,
    })
  }
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
  if (ALPHANUMERIC_SENDER_PATTERN.test(from)) {
    if (NAME_NOT_TAKEN.has(country)) {
      throw new ApiError('SEND_REFUSED', { message: 'The networks of this country take only numbers as senders.' })
    }
    return { name: from, mustBeConfirmed: NAME_MUST_BE_REGISTERED.has(country) }
  }
  const number = readNumber(from)
  if (number?.valid) return { name: number.msisdn, mustBeConfirmed: true }
  // A short code or a landline stands in `from` as it was registered.
  if (/^\d{3,11}$/.test(from)) return { name: from, mustBeConfirmed: true }
  throw new ApiError('SEND_REFUSED', { message: SENDER_SENTENCE })
}

/** Parts and price of a message. Throws INVALID_INPUT for a text that is empty or does not fit, and what the two above throw. */
export function quote(request: SmsCostRequest & Partial<Pick<SendSmsRequest, 'coding' | 'udh' | 'correctBy'>>): Quote {
  const { recipient, operator } = readRecipient(request.to, request.correctBy)
  if (request.message === '')
    throw new ApiError('INVALID_INPUT', { message: "Invalid value for field 'message': it is empty." })
  const { coding, parts } = segment(request.message, request.coding, request.udh)
  if (parts === null) {
    throw new ApiError('INVALID_INPUT', {
      message: "Invalid value for field 'message': it is too long, or has characters that the coding cannot carry.",
    })
  }
  return { recipient, operator, coding, parts, partPriceMicros: partPriceMicros(operator) }
}

const DAY_MS = 86_400_000

/** Reads `scheduled` and `expireIn`. Throws INVALID_INPUT for a time that is not ahead or too far ahead. */
export function readTiming({ scheduled, expireIn }: Pick<SendSmsRequest, 'scheduled' | 'expireIn'>, now: Date): Timing {
  const sendAt = scheduled === undefined ? now : new Date(scheduled)
  const ahead = sendAt.getTime() - now.getTime()
  if (scheduled !== undefined && !(ahead > 0 && ahead <= SCHEDULE_MAX_DAYS * DAY_MS)) {
    throw new ApiError('INVALID_INPUT', {
      message: `Invalid value for field 'scheduled': a time within the next ${SCHEDULE_MAX_DAYS} days expected.`,
    })
  }
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
