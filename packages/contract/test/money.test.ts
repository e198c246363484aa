import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEurNumber, readEurText, toEurNumber, toEurText } from '../src/money.ts'

const amount = fc.bigInt({ min: 0n, max: 999_999_999_999_999n })

describe('an amount', () => {
  it.each([
    [0n, '0', '0.00'],
    [1n, '0.000001', '0.000001'],
    [39_000n, '0.039', '0.039'],
    [500_000n, '0.5', '0.50'],
    [1_000_000n, '1', '1.00'],
    [100_000_000n, '100', '100.00'],
    [-1_250_000n, '-1.25', '-1.25'],
  ])('of %s micro-EUR is written %s, and %s for people', (micros, text, forPeople) => {
    expect([toEurText(micros), toEurText(micros, 2)]).toEqual([text, forPeople])
  })

  it('comes back from its text and from its number as it was', () => {
    fc.assert(
      fc.property(amount, fc.nat(6), (micros, decimals) => {
        expect(readEurText(toEurText(micros, decimals))).toBe(micros)
        expect(readEurNumber(toEurNumber(micros % 1_000_000_000_000n))).toBe(micros % 1_000_000_000_000n)
      }),
    )
  })

  it.each(['', '.', '1.', '.5', '-1', '+1', '1,5', '1e3', ' 1', '1 ', '0.0000001', '1234567890', '1.5.5', '٣'])(
    'is not read from the text %j',
    (text) => expect(readEurText(text)).toBeNull(),
  )

  it.each([-0.01, 1e6, Number.NaN, Number.POSITIVE_INFINITY])('is not read from the number %d', (value) => {
    expect(readEurNumber(value)).toBeNull()
  })

  it('in a number is rounded up, and the noise of a sum is not', () => {
    expect(readEurNumber(0.0350001)).toBe(35_001n)
    expect(0.1 + 0.2).not.toBe(0.3)
    expect(readEurNumber(0.1 + 0.2)).toBe(300_000n)
    expect(readEurNumber(0.07 * 100)).toBe(7_000_000n)
  })
})
