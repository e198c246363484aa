import type { ApiErrorCode } from '@vertexsms/contract/api-errors'
import { type PhoneFix, type PhoneNumber, readPhone } from '@vertexsms/contract/phone-number'
import { REFUSAL_REASONS, type RefusalReasonName } from '@vertexsms/contract/refusals'
import type { CorrectedNumber, CorrectNumbersRequest } from '@vertexsms/contract/rest'
import { ApiError } from '../http/api-error.ts'

/** A number that some network may know. */
export interface KnownNumber extends PhoneNumber {
  readonly country: string
}

/** Why a number cannot be used; with a reason of the catalogue where only this side can know it. */
export interface NumberFix extends PhoneFix {
  readonly reason?: RefusalReasonName
}

/**
 * Reads a number ({@link readPhone}), and with `country` what is written in that country's national form. A sentence on
 * how to write it where it is none, or could be two.
 */
export type ReadNumber = (written: string, country?: string) => KnownNumber | NumberFix

/** A reader for which the numbers that `countryOf` knows are mobile numbers there, though the numbering plans do not list them. */
export function numberReader(countryOf: (msisdn: string) => string | undefined = () => undefined): ReadNumber {
  return (written, country) => {
    const number = readPhone(written, { country, isKnown: (msisdn) => countryOf(msisdn) !== undefined })
    if ('fix' in number) return number
    const known = countryOf(number.msisdn)
    if (known !== undefined) return { msisdn: number.msisdn, country: known, type: 'mobile', valid: true }
    if (number.valid && number.country !== null) return { ...number, country: number.country }
    return { fix: REFUSAL_REASONS.not_in_plans.fix, reason: 'not_in_plans' }
  }
}

/** What number correction tells of something written that is no number, or could be two; `fix` as that of {@link PhoneFix}. */
export function uncorrected({ number, country }: CorrectNumbersRequest[number], fix: string): CorrectedNumber {
  const nothing = { number_type: 'unknown', mobile: false, number_e164: null } as const
  return { input_number: number, country, ...nothing, error: `The number ${fix}` }
}

/** The number of a recipient or of a lookup. Throws `code` with 53 for what is no mobile number. */
export function readMobile(
  readNumber: ReadNumber,
  code: 'SEND_REFUSED' | 'LOOKUP_REFUSED',
  field: 'to' | 'msisdn',
  written: string,
  country?: string,
): KnownNumber {
  const number = readNumber(written, country)
  if ('fix' in number || number.type !== 'mobile') throw notMobile(code, field, number)
  return number
}

/** The refusal of what was read as no mobile number, or not read at all; it names the field and how to mend it. */
export function notMobile(code: ApiErrorCode, field: string, number: KnownNumber | NumberFix): ApiError {
  const { fix, reason }: NumberFix =
    'fix' in number ? number : { fix: REFUSAL_REASONS.not_mobile.fix, reason: 'not_mobile' }
  // Only `to` has a country beside it.
  const more = 'needsCountry' in number && field === 'to' ? ' Or name the country it is written in: correctBy.' : ''
  const message = `Invalid value for field '${field}': it ${fix}${more}`
  return new ApiError(code, { message, errorCode: 53, ...(reason === undefined ? {} : { reason }) })
}
