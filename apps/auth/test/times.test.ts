import { describe, expect, it } from 'vitest'
import { WORDS } from '../src/words/words.ts'

const { format } = WORDS.en

const NOW = new Date('2026-01-10T12:00:00Z')
const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

describe('a moment', () => {
  it.each([
    [30 * DAY - SECOND, 'in 30 days'],
    [7 * DAY - SECOND, 'in 7 days'],
    [DAY - SECOND, 'tomorrow'],
    [HOUR - SECOND, 'in 1 hour'],
    [-90 * SECOND, '1 minute ago'],
    [-(2 * HOUR + 40 * 60 * SECOND), '3 hours ago'],
    [40 * DAY, '19\u00a0Feb\u00a02026'],
  ])('%d ms from now reads %s: rounded, never cut', (aheadMs, words) => {
    expect(format.short({ moment: new Date(NOW.getTime() + aheadMs), now: NOW })).toBe(words)
  })
})

describe('a wait', () => {
  it.each([
    [1, '1 second'],
    [90, '90 seconds'],
    [91, '2 minutes'],
    [900, '15 minutes'],
    [5401, '2 hours'],
  ])('of %d seconds reads %s, and is never told shorter than it is', (seconds, words) => {
    expect(format.wait(seconds)).toBe(words)
  })
})
