// Prices of the real operator, read without calling anybody: what is no price never becomes one.
import { describe, expect, test } from 'vitest'
import { judgeCost, readPriceMicros } from '../src/upstream/vertexsms/prices.ts'
import { judgeRates } from '../src/upstream/vertexsms/rates.ts'

const answer = (body: string, status = 200) => ({ kind: 'answer', status, amountSent: null, body }) as const

describe('an amount', () => {
  test.each([
    [0.07, 70_000n],
    [0, 0n],
    ['0.039', 39_000n],
    ['12', 12_000_000n],
    ['0.0000001', 1n],
    ['0.0390000', 39_000n],
    [0.1 + 0.2, 300_000n],
    ['999999.999999', 999_999_999_999n],
  ])('%s is read, rounded up to a micro', (amount, micros) => {
    expect(readPriceMicros(amount)).toBe(micros)
  })

  test.each([
    -0.01,
    '-0.01',
    Number.NaN,
    'NaN',
    Number.POSITIVE_INFINITY,
    'Infinity',
    1e6,
    1e21,
    '1000000',
    '1e2',
    '0,07',
    '0x10',
    ' ',
    '',
    null,
    true,
    ['0.07'],
    { amount: 0.07 },
    undefined,
  ])('%s is none', (amount) => {
    expect(readPriceMicros(amount)).toBeNull()
  })
})

describe('the price of a message', () => {
  const sound = {
    to: '37060000001',
    parts: 2,
    countryISO: 'LT',
    mccmnc: '24601',
    pricePerPart: 0.035,
    totalPrice: 0.07,
    currency: 'EUR',
  }
  const read = (changes: Record<string, unknown>) =>
    judgeCost(answer(JSON.stringify([{ ...sound, ...changes }])), '37060000001')?.price ?? null

  test('is the larger of the total and of parts times the part', () => {
    expect(read({})?.micros).toBe(70_000n)
    expect(read({ totalPrice: 0.01 })?.micros).toBe(70_000n)
    expect(read({ totalPrice: 0.5 })?.micros).toBe(500_000n)
    expect(judgeCost(answer(JSON.stringify(sound), 201), '37060000001')?.price.micros).toBe(70_000n)
  })

  test('names no country where the operator names none, which is equal to no country', () => {
    expect(read({ countryISO: null })?.country).toBe('')
    expect(read({ countryISO: 'lt' })?.country).toBe('LT')
  })

  test.each([
    ['another currency', { currency: 'USD' }],
    ['no currency', { currency: undefined }],
    ['another number', { to: '37060000002' }],
    ['a negative total', { totalPrice: -0.07 }],
    ['a negative part', { pricePerPart: -0.035 }],
    ['no total', { totalPrice: null }],
    ['a total that is no number', { totalPrice: 'NaN' }],
    ['a huge total', { totalPrice: 1e9 }],
    ['no parts', { parts: 0 }],
    ['more parts than there can be', { parts: 256 }],
    ['parts that are no number', { parts: 1.5 }],
  ])('cannot be had with %s', (_title, changes) => {
    expect(read(changes)).toBeNull()
  })

  test.each([
    ['an infinite one', JSON.stringify([sound]).replace('0.07', '1e400')],
    ['two of them', JSON.stringify([sound, sound])],
    ['none', '[]'],
    ['a page', '<html>'],
    ['half an answer', '[{"parts":1,'],
  ])('cannot be had from %s', (_title, body) => {
    expect(judgeCost(answer(body), '37060000001')).toBeNull()
  })

  test('cannot be had from a refusal or from silence', () => {
    expect(judgeCost(answer(JSON.stringify([sound]), 500), '37060000001')).toBeNull()
    expect(judgeCost({ kind: 'silence', handedOver: true }, '37060000001')).toBeNull()
  })
})

describe('the rate card', () => {
  const row = (changes: Record<string, unknown>) => ({
    CountryName: 'Lithuania',
    CountryCode: 'LT',
    Operator: 'Telia',
    Network: 'Telia',
    MCC: '246',
    MNC: '01',
    Rate: '0.035',
    ...changes,
  })
  const card = (...rows: unknown[]) => judgeRates(answer(JSON.stringify(rows)))

  test('gives the dearest row of a country, and the row of a network or of all others', () => {
    const read = card(row({}), row({ MNC: '02', Rate: 0.05 }), row({ MNC: null, Network: 'Default', Rate: '0.04' }))
    expect(read.dearestMicros('LT')).toBe(50_000n)
    expect(read.dearestMicros('LV')).toBeNull()
    expect([read.networkMicros('LT', '246', '002'), read.networkMicros('LT', '246', '77')]).toEqual([50_000n, 40_000n])
    expect(read.networkMicros('LV', '246', '01')).toBeNull()
    // The others are those of its country: what a network elsewhere costs no row of it says.
    expect(read.networkMicros('LT', '247', '01')).toBeNull()
  })

  test('takes the dearest of several rows of one network, and none where one of them has no price', () => {
    const rows = [row({ Rate: '0.03' }), row({ MNC: '1', Rate: '0.05' }), row({ MNC: '02', Rate: '0.04' })]
    expect(card(...rows).networkMicros('LT', '246', '01')).toBe(50_000n)
    expect(card(...rows, row({ Rate: 'free' })).networkMicros('LT', '246', '01')).toBeNull()
    const others = [row({ MNC: null, Rate: '0.06' }), row({ MNC: null, Rate: '0.07' })]
    expect(card(...rows, ...others).networkMicros('LT', '246', '99')).toBe(70_000n)
  })

  test('of very many rows of one country is read at once, and with more than there can be is none', () => {
    const many = (rows: number) => Array(rows).fill(row({}))
    const beganMs = performance.now()
    expect(card(...many(50_000)).dearestMicros('LT')).toBe(35_000n)
    // A list that was copied for each of its rows would take minutes.
    expect(performance.now() - beganMs).toBeLessThan(30_000)
    expect(() => card(...many(50_001))).toThrow(expect.objectContaining({ code: 'UPSTREAM_ANSWER_WRONG' }))
  })

  test('finds a country by its network where the code is none', () => {
    expect(card(row({ CountryCode: '370', MCC: 246, MNC: 1 })).dearestMicros('LT')).toBe(35_000n)
  })

  test('is shown under the countries whose prices it gives, and as it is charged', () => {
    const shown = (changes: Record<string, unknown>) =>
      card(row(changes)).rows.map(({ CountryCode, Rate }) => [CountryCode, Rate])
    for (const CountryCode of ['370', 'lt', '', null]) expect(shown({ CountryCode })).toEqual([['LT', '0.035']])
    const shared = shown({ CountryCode: '590', MCC: '340' }).map(([country]) => country ?? '')
    expect(shared).toEqual(expect.arrayContaining(['GP', 'MQ']))
    for (const country of shared)
      expect(card(row({ CountryCode: '590', MCC: '340' })).dearestMicros(country)).not.toBeNull()
    // Of a network of no country, such as one on ships, no country is told.
    expect(shown({ CountryCode: '882', MCC: '901' })).toEqual([['882', '0.035']])
    for (const Rate of [0.1 + 0.2, ' 0.30 ', '0.2999999']) expect(shown({ Rate })).toEqual([['LT', '0.3']])
    expect(shown({ Rate: 1e-7 })).toEqual([['LT', '0.000001']])
  })

  test.each([
    ['a negative price', { Rate: '-0.05' }],
    ['no price', { Rate: null }],
    ['an infinite price', { Rate: 'Infinity' }],
    ['another currency', { Currency: 'USD' }],
    ['a currency that is none', { Currency: 7 }],
  ])('has no dearest row of a country of which one has %s, and shows the others', (_title, changes) => {
    const read = card(row({}), row({ MNC: '02', ...changes }), row({ CountryCode: 'LV', MCC: '247' }))
    expect(read.dearestMicros('LT')).toBeNull()
    expect(read.dearestMicros('LV')).toBe(35_000n)
    expect(read.rows).toHaveLength(2)
  })

  test.each(['[]', '{}', '"rates"', '<html>', ''])('that is %j is none', (body) => {
    expect(() => judgeRates(answer(body))).toThrow(expect.objectContaining({ code: 'UPSTREAM_ANSWER_WRONG' }))
  })
})
