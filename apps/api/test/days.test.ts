import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayAt, daysAround, isTimeZone } from '../src/limits/days.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 150)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
const HOUR_MS = 3_600_000

const dayOf = (moment: string, zone: string | null) => {
  const { date, startsAt, endsAt } = dayAt(daysAround(new Date(moment), zone), new Date(moment))
  return { date, startsAt: startsAt.toISOString(), hours: (endsAt.getTime() - startsAt.getTime()) / HOUR_MS }
}

describe('the owner’s day', () => {
  test.each([
    ['in UTC', null, '2026-11-26T23:59:59.999Z', '2026-11-26', '2026-11-26T00:00:00.000Z', 24],
    ['at the very midnight', 'Europe/Vilnius', '2026-11-25T22:00:00Z', '2026-11-26', '2026-11-25T22:00:00.000Z', 24],
    ['when clocks go forward', 'Europe/Vilnius', '2026-03-29T12:00:00Z', '2026-03-29', '2026-03-28T22:00:00.000Z', 23],
    ['when clocks go back', 'Europe/Vilnius', '2026-10-25T12:00:00Z', '2026-10-25', '2026-10-24T21:00:00.000Z', 25],
    ['by a quarter of an hour', 'Asia/Kathmandu', '2026-06-01T18:15:00Z', '2026-06-02', '2026-06-01T18:15:00.000Z', 24],
    [
      'where half an hour is saved',
      'Australia/Lord_Howe',
      '2026-04-05T00:00:00Z',
      '2026-04-05',
      '2026-04-04T13:00:00.000Z',
      24.5,
    ],
    ['without a midnight', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-24', '2026-04-23T22:00:00.000Z', 23],
    ['with two midnights', 'America/Havana', '2026-11-01T12:00:00Z', '2026-11-01', '2026-11-01T04:00:00.000Z', 25],
    [
      'that gets its last hour twice',
      'America/Santiago',
      '2026-04-05T03:30:00Z',
      '2026-04-04',
      '2026-04-04T03:00:00.000Z',
      25,
    ],
    [
      'in the farthest east',
      'Pacific/Kiritimati',
      '2026-11-26T10:00:00Z',
      '2026-11-27',
      '2026-11-26T10:00:00.000Z',
      24,
    ],
    [
      'after a date that was skipped',
      'Pacific/Apia',
      '2011-12-30T12:00:00Z',
      '2011-12-31',
      '2011-12-30T10:00:00.000Z',
      24,
    ],
  ])('is right %s (%s, %s)', (_name, zone, moment, date, startsAt, hours) => {
    expect(dayOf(moment, zone)).toEqual({ date, startsAt, hours })
  })

  test('is one of UTC for a zone that is not known', () => {
    expect(isTimeZone('Europe/Vilnius')).toBe(true)
    expect(isTimeZone('Europe/Nowhere')).toBe(false)
    expect(dayOf('2026-11-26T23:30:00Z', 'Europe/Nowhere').date).toBe('2026-11-26')
  })

  test('is the nearest for a moment that none of the days holds', () => {
    const days = daysAround(new Date('2026-11-26T12:00:00Z'), null)
    expect(dayAt(days, new Date('2020-01-01T00:00:00Z'))).toBe(days[0])
    expect(dayAt(days, new Date('2030-01-01T00:00:00Z'))).toBe(days.at(-1))
  })

  test('has neighbours on both sides, in order, without a gap, in every zone at every moment', () => {
    const zones = Intl.supportedValuesOf('timeZone')
    const moments = fc.integer({ min: Date.UTC(2024, 0, 1) / 1000, max: Date.UTC(2030, 0, 1) / 1000 })
    fc.assert(
      fc.property(fc.constantFrom(...zones), moments, (zone, seconds) => {
        const now = new Date(seconds * 1000)
        const days = daysAround(now, zone)
        const at = days.indexOf(dayAt(days, now))
        expect(at).toBeGreaterThan(0)
        expect(at).toBeLessThan(days.length - 1)
        for (const [index, day] of days.entries()) {
          const next = days[index + 1]
          if (next === undefined) continue
          expect(next.startsAt).toEqual(day.endsAt)
          expect(next.date > day.date).toBe(true)
        }
        const shown = new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(now)
        expect(days[at]?.date).toBe(shown)
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })
})
