import { SENDER_NAME_PATTERN, type SenderIdRequest } from '@vertexsms/contract/rest'
import { ApiError } from '../http/api-error.ts'
import type { ReadNumber } from './number.ts'

const SENDER_SENTENCE =
  "Invalid value for field 'from'. Sender ID must either be a valid MSISDN or an alpha-numeric string (max. length: 11 characters), which may consist only of upper+lower-case latin letters, digits, spaces and dots."

/** A sender as it is forwarded, and whether it is a name. */
export interface Sender {
  readonly name: string
  readonly isName: boolean
}

/** Reads `from`: a name as it stands, a number by its digits, a short code or landline as it stands. Throws SEND_REFUSED. */
export function readSender(from: string, readNumber: ReadNumber): Sender {
  if (SENDER_NAME_PATTERN.test(from)) return { name: from, isName: true }
  const number = readNumber(from)
  if (!('fix' in number)) return { name: number.msisdn, isName: false }
  // A short code or a landline stands in `from` as it was registered.
  if (/^\d{3,11}$/.test(from)) return { name: from, isName: false }
  throw new ApiError('SEND_REFUSED', { message: SENDER_SENTENCE })
}

/** A name that is to be registered. */
export type SenderNameRequest = Extract<SenderIdRequest, { type: 'AlphaNumeric' }>

/** Names that may be digits alone. */
const NUMERIC_CATEGORIES: ReadonlySet<string> = new Set(['Shortcode', 'Landline'])

/** Throws INVALID_INPUT for what cannot be registered as a name under its category. */
export function checkSenderName({ name, category }: SenderNameRequest): void {
  const isNumeric = NUMERIC_CATEGORIES.has(category) && /^\d+$/.test(name)
  if (!isNumeric && !SENDER_NAME_PATTERN.test(name)) throw new ApiError('INVALID_INPUT', { reason: 'sender_name_form' })
}
