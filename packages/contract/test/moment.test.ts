import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMoment } from '../src/moment.ts'

const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)

test.each([
  ['2026-12-24T09:00:00+02:00', '2026-12-24T07:00:00.000Z'],
  ['2026-12-24T09:00+0200', '2026-12-24T07:00:00.000Z'],
  ['2026-12-24T09:00+02', '2026-12-24T07:00:00.000Z'],
  ['2026-12-24 09:00 +02:00', '2026-12-24T07:00:00.000Z'],
  ['2026-12-24t09:00:00.25z', '2026-12-24T09:00:00.250Z'],
  ['2026-12-24T09:00:00,5−03:30', '2026-12-24T12:30:00.500Z'],
  ['9999-12-31T23:59Z', '9999-12-31T23:59:00.000Z'],
  [' 2028-02-29T23:59:59Z ', '2028-02-29T23:59:59.000Z'],
])('%j is the moment %s', (written, iso) => {
  expect(readMoment(written)).toEqual({ iso })
})

test.each([
  ['2027-02-29T09:00Z', /date that exists/],
  ['2026-02-30T09:00Z', /date that exists/],
  ['2026-13-01T09:00Z', /date that exists/],
  ['2026-00-10T09:00Z', /date that exists/],
  ['2026-12-24T24:00Z', /date that exists/],
  ['2026-12-24T09:60Z', /date that exists/],
  ['2026-12-24T09:00:60Z', /date that exists/],
  ['2026-12-24T09:00+15:00', /date that exists/],
  ['2026-12-24T09:00+02:75', /date that exists/],
  ['9999-12-31T23:59-01:00', /date that exists/],
  ['0000-01-01T00:00+01:00', /date that exists/],
  ['+010000-01-01T00:00Z', /must be ISO 8601/],
  ['2026-W52-4T09:00Z', /must be ISO 8601/],
  ['2026-358T09:00Z', /must be ISO 8601/],
  ['20261224T090000Z', /must be ISO 8601/],
  ['2026-12-24T09:00:00', /the offset is missing/],
  ['2026-12-24', /the time of day is missing/],
  ['24.12.2026 09:00', /must be ISO 8601/],
  ['tomorrow', /must be ISO 8601/],
  ['1798099200', /must be ISO 8601/],
  ['2026-12-24T09:00:00+02:00[Europe/Vilnius]', /must be ISO 8601/],
  ['2026-12-24T09:00+02:00 x', /must be ISO 8601/],
  ['', /must be ISO 8601/],
])('%j is refused with a sentence of its own', (written, sentence) => {
  expect(readMoment(written)).toEqual({ fix: expect.stringMatching(sentence) })
})

test('every moment is read back from the form it is given in', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }), (date) => {
      expect(readMoment(date.toISOString())).toEqual({ iso: date.toISOString() })
    }),
    { numRuns: 500, seed: SEED },
  )
})

test('a text of any length is refused without being searched', () => {
  for (const unit of [' ', '2026-12-24T', '0', '+', 'T ']) {
    expect(readMoment(unit.repeat(1_000_000))).toHaveProperty('fix')
  }
})
