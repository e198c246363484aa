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

describe('a day that is called by its name', () => {
  it.each([
    ['2026-01-10T20:00:00Z', '2026-01-12T02:00:00Z', 'in 2 days', 'poryt'],
    ['2026-01-10T00:30:00Z', '2026-01-11T23:30:00Z', 'tomorrow', 'rytoj'],
    ['2026-01-10T23:00:00Z', '2026-01-13T01:00:00Z', 'in 3 days', 'po 3 dienų'],
    ['2026-01-10T00:05:00Z', '2026-01-10T23:50:00Z', 'in 24 hours', 'po 24 valandų'],
    ['2026-01-12T02:00:00Z', '2026-01-10T20:00:00Z', '2 days ago', 'užvakar'],
  ])('is the one of the calendar: at %s what is at %s reads %s', (now, moment, english, lithuanian) => {
    const time = { moment: new Date(moment), now: new Date(now) }
    expect([WORDS.en.format.short(time), WORDS.lt.format.short(time)]).toEqual([english, lithuanian])
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
