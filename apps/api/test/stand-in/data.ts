// The stand-in's own small world: a rate card, networks and the reading of numbers. None of it is the product's.
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A row of the rate card, as the real one writes it. */
export interface RateRow {
  CountryName: string
  CountryCode: string
  Operator: string
  Network: string
  MCC: string
  MNC: string | null
  Rate: unknown
  Currency?: string
}

const row = (
  CountryName: string,
  CountryCode: string,
  Network: string,
  MCC: string,
  MNC: string | null,
  Rate: string,
) => ({
  CountryName,
  CountryCode,
  Operator: Network,
  Network,
  MCC,
  MNC,
  Rate,
})

/** The rate card. Networks by name, the rest of a country under one of the words that the real card uses. */
export const RATES: readonly RateRow[] = [
  row('Lithuania', 'LT', 'Telia', '246', '01', '0.035'),
  row('Lithuania', 'LT', 'BITE', '246', '02', '0.039'),
  row('Lithuania', 'LT', 'Tele2', '246', '03', '0.037'),
  row('Lithuania', 'LT', 'All other carriers', '246', null, '0.045'),
  row('Latvia', 'LV', 'LMT', '247', '01', '0.052'),
  row('Latvia', 'LV', 'Default', '247', null, '0.061'),
  row('Estonia', 'EE', 'All', '248', null, '0.058'),
  row('United Kingdom', 'GB', 'All', '234', null, '0.041'),
  row('Poland', 'PL', 'All', '260', null, '0.021'),
]

const OPERATORS = RATES.flatMap(({ MCC, MNC, CountryCode, Network }, at) =>
  MNC === null ? [] : [{ id: 100 + at, name: Network, country: CountryCode, mcc: MCC, mnc: [MNC] }],
)

/** `GET /operators/{id}`. */
export function operatorById(id: number) {
  const found = OPERATORS.find((operator) => operator.id === id)
  return found && { name: found.name, country: found.country, mcc: found.mcc, mnc: found.mnc }
}

/** `GET /mccmnc/{country}`: undefined for what is no country. */
export function networksOf(country: string, page: number) {
  if (!/^[A-Z]{2}$/.test(country) || country === 'ZZ') return undefined
  const rows = OPERATORS.filter((operator) => operator.country === country)
  return page > 1 ? [] : rows.map(({ id, mcc, mnc }) => ({ country, mcc, mnc: mnc[0], operatorId: id }))
}

/** `GET /prefixes/{country}`. */
export function prefixesOf(country: string, page: number) {
  const rows = networksOf(country, page)
  return rows?.map(({ operatorId }, at) => ({ country, prefix: `3706${at}`, operatorId }))
}

/** A number as the stand-in reads it; undefined for what is no mobile number. */
export function readMobile(digits: string) {
  const number = /^\d{7,15}$/.test(digits) ? parsePhoneNumberFromString(`+${digits}`) : undefined
  if (!number?.isValid() || !/MOBILE/.test(number.getType() ?? '')) return undefined
  const rows = RATES.filter(({ CountryCode }) => CountryCode === number.country)
  return { country: number.country ?? '', network: rows[Number(digits.at(-1)) % Math.max(rows.length, 1)] }
}

/** `POST /numbers/correct`. */
export function correct(input: string, country: string) {
  const number = parsePhoneNumberFromString(input, country as 'LT')
  const type = number?.getType() ?? ''
  const valid = number?.isValid() === true
  return {
    input_number: input,
    country: number?.country ?? country,
    number_type: !valid ? 'unknown' : /MOBILE/.test(type) ? 'mobile' : /FIXED/.test(type) ? 'landline' : 'unknown',
    mobile: valid && /MOBILE/.test(type),
    number_e164: valid ? number.number : null,
    error: valid ? null : 'Invalid number',
  }
}

const GSM7 = /^[\w\s@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*$/

/** Parts of a text; undefined for one that does not fit where it must not be split. */
export function partsOf(text: string, isOne: boolean): number | undefined {
  const [single, each] = GSM7.test(text) ? [160, 153] : [70, 67]
  if (text.length <= single) return 1
  return isOne ? undefined : Math.ceil(text.length / each)
}
