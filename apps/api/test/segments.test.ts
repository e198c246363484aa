import fc from 'fast-check'
import { SegmentedMessage } from 'sms-segments-calculator'
import { describe, expect, test } from 'vitest'
import { segment } from '../src/message/segments.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 150)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261122)

describe('a message', () => {
  test.each([
    ['x', 160, 0, 1],
    ['x', 161, 0, 2],
    ['x', 306, 0, 2],
    ['x', 307, 0, 3],
    ['€', 80, 0, 1],
    ['€', 81, 0, 2],
    ['ű', 70, 2, 1],
    ['ű', 71, 2, 2],
    ['ű', 134, 2, 2],
    ['ű', 135, 2, 3],
    ['😀', 35, 2, 1],
    ['😀', 36, 2, 2],
  ])('of %s x %i has coding %i and %i parts (3GPP TS 23.038, 23.040)', (character, count, coding, parts) => {
    expect(segment(character.repeat(count))).toEqual({ coding, parts })
  })

  test('never tears an escape sequence or a surrogate pair between two parts', () => {
    expect(segment(`${'x'.repeat(152)}€${'x'.repeat(152)}`).parts).toBe(3)
    expect(segment(`${'ű'.repeat(66)}😀${'ű'.repeat(66)}`).parts).toBe(3)
  })

  test('takes less room beside a header of the caller, and is not split then', () => {
    const header = '050003CC0201'
    expect(segment('x'.repeat(153), 0, header)).toEqual({ coding: 0, parts: 1 })
    expect(segment('x'.repeat(154), 0, header)).toEqual({ coding: 0, parts: 'too_long' })
    expect(segment('ű'.repeat(67), 2, header)).toEqual({ coding: 2, parts: 1 })
    expect(segment('x', 0, '00'.repeat(140)).parts).toBe('too_long')
    expect(segment('x', 0, '00'.repeat(200)).parts).toBe('too_long')
  })

  test('does not fit a coding that has no such character', () => {
    expect(segment('ű', 0).parts).toBe('not_in_coding')
    expect(segment('ű', 1).parts).toBe('not_in_coding')
    expect(segment('é'.repeat(140), 1)).toEqual({ coding: 1, parts: 1 })
    expect(segment('x', 2)).toEqual({ coding: 2, parts: 1 })
  })

  test('that names its coding is not split', () => {
    expect(segment('x'.repeat(160), 0)).toEqual({ coding: 0, parts: 1 })
    expect(segment('x'.repeat(161), 0)).toEqual({ coding: 0, parts: 'too_long' })
    expect(segment('é'.repeat(141), 1)).toEqual({ coding: 1, parts: 'too_long' })
    expect(segment('ű'.repeat(71), 2)).toEqual({ coding: 2, parts: 'too_long' })
    expect(segment('ű'.repeat(71))).toEqual({ coding: 2, parts: 2 })
  })

  test('has the parts that an independent calculator counts', () => {
    const gsm = fc.constantFrom(...'abcXYZ019 @£$éùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ!¡ÄÖÑÜ§¿äöñüà^{}[~]|€')
    const wide = fc.constantFrom(...'ąčęėįšųūž你好Привет')
    const text = fc.oneof(
      fc.array(gsm, { minLength: 1, maxLength: 500, size: 'max' }),
      fc.array(fc.oneof({ weight: 9, arbitrary: gsm }, { weight: 1, arbitrary: wide }), {
        minLength: 1,
        maxLength: 300,
        size: 'max',
      }),
    )
    fc.assert(
      fc.property(text, (characters) => {
        const message = characters.join('')
        const oracle = new SegmentedMessage(message)
        expect(segment(message)).toEqual({
          coding: oracle.encodingName === 'GSM-7' ? 0 : 2,
          parts: oracle.segmentsCount,
        })
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })
})
