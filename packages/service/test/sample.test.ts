import { describe, expect, test } from 'vitest'
import { sampleOf } from '../src/sample.ts'

const CASES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

describe('a sample of cases', () => {
  test.each([
    [1, 'a'],
    [2, 'ag'],
    [3, 'adg'],
    [4, 'aceg'],
    [6, 'abcefg'],
    [7, 'abcdefg'],
    [9, 'abcdefg'],
  ])('of %i goes from the first to the last and takes none twice', (count, taken) => {
    expect(sampleOf(CASES, count, {}).join('')).toBe(taken)
  })

  test('is all of them where there is time for all', () => {
    expect(sampleOf(CASES, 2, { TEST_FULL: '1' })).toEqual(CASES)
  })
})
