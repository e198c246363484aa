// What the simulated operator judges by himself, without touching anything: whether he serves a number, takes a sender and
// lets a message pass, and at what price.
import { NEVER_ACCEPTED_CODES, VERTEX_ERROR_CODES, type VertexErrorCode } from '@vertexsms/contract/api-errors'
import { ApiError } from '../../http/api-error.ts'
import type { KnownNumber } from '../../message/number.ts'
import type { Sender } from '../../message/sender.ts'
import type { Operator } from '../operators.ts'
import { magicCode } from './magic.ts'
import { operatorOf } from './numbers.ts'
import { partPriceMicros } from './prices.ts'
import { NAME_MUST_BE_REGISTERED, NAME_NOT_TAKEN } from './sender-rules.ts'

/** The operator of a recipient. Throws SEND_REFUSED with code 20 where none is known. */
export function operatorFor(recipient: KnownNumber): Operator {
  const operator = operatorOf(recipient)
  if (operator) return operator
  throw refusal('SEND_REFUSED', VERTEX_ERROR_CODES.NOT_CONFIGURED)
}

/** What one part costs; a message under `testMode` costs nothing. */
export function partPriceOf(operator: Operator, testMode: 1 | 2 | undefined): bigint {
  return testMode === undefined ? partPriceMicros(operator) : 0n
}

/**
 * Whether a sender must be confirmed on the account before it may be used: a number always, a name where the country asks
 * for registration. Throws SEND_REFUSED for a name in a country that takes only numbers.
 */
export function mustBeConfirmed({ isName }: Sender, country: string): boolean {
  if (isName && NAME_NOT_TAKEN.has(country)) throw new ApiError('SEND_REFUSED', { reason: 'sender_name_not_taken' })
  return !isName || NAME_MUST_BE_REGISTERED.has(country)
}

/** The refusal under one numeric code. */
export function refusal(code: 'SEND_REFUSED' | 'LOOKUP_REFUSED', errorCode: VertexErrorCode): ApiError {
  return new ApiError(code, { errorCode })
}

/** The code that the delivery report will carry. Throws SEND_REFUSED for magic numbers that are refused at once. */
export function outcomeOf(recipient: KnownNumber, testMode: 1 | 2 | undefined): VertexErrorCode {
  const magic = magicCode(recipient.msisdn) ?? 0
  if (NEVER_ACCEPTED_CODES.has(magic)) throw refusal('SEND_REFUSED', magic)
  if (testMode === undefined) return magic
  return testMode === 1 ? VERTEX_ERROR_CODES.NONE : VERTEX_ERROR_CODES.NOT_DELIVERED
}
