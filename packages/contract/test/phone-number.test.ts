import fc from 'fast-check'
import { type CountryCode, getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'
import { describe, expect, test } from 'vitest'
import { readPhone } from '../src/phone-number.ts'
import { PHONE_MAX_CHARACTERS } from '../src/phone-text.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 1000)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)

const COUNTRIES = getCountries()
/** A mobile number of each country: its own digits, and how it is written in E.164. */
const MOBILE = COUNTRIES.flatMap((country) => getExampleNumber(country, examples) ?? [])
const msisdnOf = (written: string, country?: string) => {
  const reading = readPhone(written, { country })
  return 'fix' in reading ? reading.fix : reading.msisdn
}

describe('a complete number', () => {
  test('stays what it is whatever country is named beside it', () => {
    expect(MOBILE.length).toBeGreaterThan(230)
    const named = [undefined, ...COUNTRIES, 'XX', 'AQ']
    for (const [at, { number }] of MOBILE.entries()) {
      // A tenth of them beside each number, others beside the next.
      const tried = named.filter((_, place) => process.env.TEST_FULL || (place + at) % 10 === 0)
      for (const country of tried) expect(msisdnOf(number, country)).toBe(number.slice(1))
    }
  }, 120_000)

  test('of any digits gets none added, dropped or exchanged, but for a trunk zero behind its country code', () => {
    const digits = fc.stringMatching(/^[1-9]\d{6,14}$/)
    const country = fc.constantFrom(undefined, ...COUNTRIES)
    fc.assert(
      fc.property(digits, country, (number, named) => {
        const read = msisdnOf(`+${number}`, named)
        expect(read).toBe(msisdnOf(`+${number}`))
        if (read !== number) {
          const cut = number.indexOf('0')
          const { callingCode } = { callingCode: parsePhoneNumberFromString(`+${number}`)?.countryCallingCode ?? '' }
          expect([read, cut >= 0]).toEqual([callingCode + number.slice(callingCode.length + 1), true])
          expect(number.charAt(callingCode.length)).toBe('0')
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })

  test('is read the same when it is read again, with and without its plus sign', () => {
    for (const { number } of MOBILE) {
      const msisdn = msisdnOf(number)
      expect(msisdnOf(`+${msisdn}`)).toBe(msisdn)
      expect(msisdnOf(msisdn)).toBe(msisdn)
    }
  })
})

describe('a number written nationally', () => {
  test('is that of the country it is written in, for every country', () => {
    for (const example of MOBILE) {
      const country = example.country as CountryCode
      expect([country, msisdnOf(example.formatNational(), country)]).toEqual([country, example.number.slice(1)])
    }
  })

  test('leads abroad by the international prefix of its country alone', () => {
    const abroad = parsePhoneNumberFromString('+37061860698')
    for (const country of COUNTRIES) {
      const dialled = abroad?.format('IDD', { fromCountry: country })
      if (dialled === undefined || dialled === '') continue
      expect([country, msisdnOf(dialled, country)]).toEqual([country, '37061860698'])
    }
  })

  test.each([
    ['(51) 98765-4321', 'BR', '5551987654321'],
    ['51987654321', 'BR', '5551987654321'],
    ['0011 65 9234 5678', 'AU', '6592345678'],
    ['009 372 512 3456', 'TH', '3725123456'],
    ['011 370 618 60698', 'US', '37061860698'],
    ['8~10 370 618 60698', 'RU', '37061860698'],
    ['61860698', 'LT', '37061860698'],
    ['8 618 60698', 'LT', '37061860698'],
    ['37061860698', 'LT', '37061860698'],
    ['436641234567', 'AT', '436641234567'],
    ['4915112345678', 'DE', '4915112345678'],
    ['0664 1234567', 'AT', '436641234567'],
    ['(202) 555-0123', 'US', '12025550123'],
  ])('%s in %s is %s', (written, country, msisdn) => {
    expect(msisdnOf(written, country)).toBe(msisdn)
  })

  test.each([
    ['0037061860698', 'US', /no number of the country/],
    ['447911123456', 'LT', /would be \+447911123456 \(GG\)/],
    ['00352158857801816', 'LT', /no number of the country/],
    ['61860698', 'XX', /not one whose numbering is known/],
    ['12', 'LT', /no number of the country/],
  ])('%s in %s is refused', (written, country, sentence) => {
    expect(msisdnOf(written, country)).toMatch(sentence)
  })
})

describe('digits without a plus sign and without a country', () => {
  test.each([
    ['51987654321', '51987654321'],
    ['13012345678', '13012345678'],
    ['0037061860698', '37061860698'],
    ['00 370 (618) 60698', '37061860698'],
    ['0091 81234 82854', '918123482854'],
  ])('%s are international', (written, msisdn) => {
    expect(msisdnOf(written)).toBe(msisdn)
  })

  test.each([
    ['(51) 98765-4321', /two ways: as \+51987654321 \(PE\), or as a national number/],
    ['1 (202) 555-0123', /two ways: as \+12025550123 \(US\)/],
    ['009 372 512 3456', /two ways: as \+93725123456 \(AF\), or with the international prefix/],
    ['0011 65 9234 5678', /national number/],
    ['861860698', /national number/],
    ['061860698', /national number/],
    ['61860698', /national number/],
    ['2025550123', /national number/],
    ['4407911123456', /national number/],
  ])('%s are refused where they may be national', (written, sentence) => {
    const reading = readPhone(written)
    expect(reading).toMatchObject({ fix: expect.stringMatching(sentence), needsCountry: true })
  })
})

describe('what a person sees', () => {
  test.each([
    '+370–618—60‑698',
    '+370 618 60 698',
    '\u202a+370 618 60698\u202c',
    '\u200e+370\u00a0618\u202f60698\ufeff',
    '+370.618.60698',
    '+370/618/60698',
    '(+370) 618 60698',
    '+(370) [618] 60698',
    '+٣٧٠٦١٨٦٠٦٩٨',
    '+۳۷۰۶۱۸۶۰۶۹۸',
    '+३७०६१८६०६९८',
    '＋３７０６１８６０６９８',
    '+𝟑𝟕𝟎𝟔𝟏𝟖𝟔𝟎𝟔𝟗𝟖',
    'tel:+370-618-60698',
    'TEL:%2B37061860698',
    '\u200etel:+37061860698',
    'sms:+37061860698',
    '+370ー618ー60698',
    '+370−618−60698',
    ' +370 618 60698. ',
  ])('%j is +37061860698', (written) => {
    expect(msisdnOf(written)).toBe('37061860698')
  })

  test.each([
    ['436641234567.0', /no part of a number/],
    ['+37061860698.00', /no part of a number/],
    ['+37061860698¹', /no part of a number/],
    ['+37061860698 ①', /no part of a number/],
    ['+37061860698 (1)', /no part of a number/],
    ['+37061860698 [2]', /no part of a number/],
    ['+37061860698#12', /no part of a number/],
    ['+37061860698 ext. 5', /no part of a number/],
    ['+37061860698x5', /no part of a number/],
    ['+37061860698 (mobile)', /no part of a number/],
    ['3.7061860698E+10', /no part of a number/],
    ['tel:+37061860698;ext=5', /no part of a number/],
    ['tel:61860698;phone-context=+370', /no part of a number/],
    ['call me', /must be a phone number/],
    ['37061860698,37061860699', /must be one phone number, and not a list/],
    ['+37061860698; +37061860699', /must be one phone number, and not a list/],
    ['+37061860698\n+37061860699', /must be one phone number, and not a list/],
    ['["+37061860698"]', /must be one phone number, and not a list/],
    ['"+37061860698"', /must be one phone number, and not a list/],
    ['++37061860698', /must be a phone number/],
    ['37061860698+', /must be a phone number/],
    ['-37061860698', /^37061860698$/],
    ['+370618606\u0301', /must be a phone number/],
    ['+0370618606', /no country code begins with one/],
    ['+0037061860698', /no country code begins with one/],
    ['+1234567890123456', /must have 7 to 15 digits/],
    ['', /must be a phone number/],
  ])('%j is judged as %s', (written, expected) => {
    expect(msisdnOf(written)).toMatch(expected)
  })

  test('is looked at up to a length, however long the text is', () => {
    for (const unit of ['1', ' ', '\u0301', '(', '.0', '\u0660', '\u{1d7ce}']) {
      for (const length of [PHONE_MAX_CHARACTERS + 1, 2_000_000]) {
        expect(msisdnOf(unit.repeat(length))).toMatch(/must have 7 to 15 digits/)
      }
      expect(msisdnOf(unit.repeat(Math.floor(PHONE_MAX_CHARACTERS / unit.length)))).toMatch(/[a-z]/)
    }
  })
})
