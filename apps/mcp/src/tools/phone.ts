import { readPhone as readNumber } from '@vertexsms/contract/phone-number'

/** An E.164 number as digits without the plus sign, or the sentence that says how to write it. */
export type PhoneReading = { readonly digits: string } | { readonly fix: string }

const HELP = 'correct_phone_number helps when the country is known.'

/**
 * Reads a phone number as the API does, and with `country` what is written in that country's national form. A complete
 * number of a range that is not known here passes on: whether it exists is for the API to say. `countryArgument` is the
 * argument of the same call that may name the country.
 */
export function readPhone(value: string, country?: string, countryArgument?: string): PhoneReading {
  const number = readNumber(value, { country })
  if (!('fix' in number)) return { digits: number.msisdn }
  if (number.needsCountry === undefined) return { fix: number.fix }
  const beside = countryArgument === undefined ? '' : ` Or name the country in \`${countryArgument}\`.`
  return { fix: `${number.fix}${beside} ${HELP}` }
}
