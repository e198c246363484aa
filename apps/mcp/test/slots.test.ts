import { describe, expect, test } from 'vitest'
import { Slots } from '../src/protocol/slots.ts'

describe('slots', () => {
  test('give each value a number of its own, also when a place is used again', () => {
    const slots = new Slots<string>()
    const first = slots.add('first')
    expect(slots.delete(first)).toBe(true)
    const second = slots.add('second')
    expect(second).not.toBe(first)
    expect(slots.get(second)).toBe('second')
  })

  test('tell nothing to the holder of a past number, and let it delete nothing', () => {
    const slots = new Slots<string>()
    const past = slots.add('past')
    slots.delete(past)
    const present = slots.add('present')
    expect(slots.get(past)).toBeUndefined()
    expect(slots.delete(past)).toBe(false)
    expect(slots.get(present)).toBe('present')
  })

  test('know how many values there are', () => {
    const slots = new Slots<number>()
    const numbers = [1, 2, 3, 4].map((value) => slots.add(value))
    slots.delete(numbers[1] ?? 0)
    expect(slots.size).toBe(3)
  })

  test('stay small over many values that come and go', () => {
    const slots = new Slots<number>()
    const seen = new Set<number>()
    for (let n = 0; n < 10_000; n++) {
      const number = slots.add(n)
      seen.add(number)
      slots.delete(number)
    }
    expect(seen.size).toBe(10_000)
    expect(slots.size).toBe(0)
  })
})
