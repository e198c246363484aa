// One function and all limits that it judges by: a table of cases rather than many files of one.
import { ERROR_DETAILS } from '@vertexsms/contract/limits'
import { readPhone } from '@vertexsms/contract/phone-number'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  approvalReasons,
  judgeCaps,
  judgeCountry,
  judgePause,
  judgeSender,
  judgeUnknownPrice,
  manageUrl,
  type Spender,
  type SpenderCounters,
  type SpenderLimits,
} from '../src/limits/judge.ts'
import { showLimits } from '../src/limits/shown.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 150)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)
const ISSUER = 'https://tool.vertexsms.test'
const TODAY = {
  date: '2026-11-26',
  startsAt: new Date('2026-11-26T00:00:00Z'),
  endsAt: new Date('2026-11-27T00:00:00Z'),
}

const NO_LIMITS: SpenderLimits = {
  id: 'own',
  kind: 'connection',
  connectionId: 'c1',
  maxPerSendMicros: null,
  maxPerDayMicros: null,
  maxTotalMicros: null,
  recipientsPerDay: null,
  countries: [],
  senders: [],
  askAboveMicros: null,
  askNewCountry: false,
  pausedAt: null,
  resumedAt: null,
  autoPausedAt: null,
}
const NOTHING: SpenderCounters = {
  day: TODAY.date,
  daySpentMicros: 0n,
  dayHeldMicros: 0n,
  dayRecipients: 0,
  totalSpentMicros: 0n,
  totalHeldMicros: 0n,
}
const limits = (set: Partial<SpenderLimits> = {}): SpenderLimits => ({ ...NO_LIMITS, ...set })
const spender = (set: Partial<SpenderLimits> = {}, counted: Partial<SpenderCounters> = {}): Spender => ({
  limits: limits(set),
  counters: { ...NOTHING, ...counted },
})
const account = (set: Partial<SpenderLimits> = {}, counted: Partial<SpenderCounters> = {}) =>
  spender({ id: 'account', kind: 'account', connectionId: null, ...set }, counted)
const ask = (priceMicros: bigint, recipients = 1, scheduled = false) => ({ priceMicros, recipients, scheduled })
const caps = (spenders: Spender[], asked = ask(10n)) => judgeCaps(spenders, asked, TODAY, ISSUER)

describe('caps', () => {
  test.each([
    ['per_send', { maxPerSendMicros: 10n }, {}],
    ['per_day', { maxPerDayMicros: 20n }, { daySpentMicros: 4n, dayHeldMicros: 6n }],
    ['total', { maxTotalMicros: 20n }, { totalSpentMicros: 6n, totalHeldMicros: 4n }],
  ] as const)('of kind %s let a send reach them to the last micro and refuse one micro more', (limit, set, counted) => {
    expect(caps([spender(set, counted)], ask(10n))).toBeNull()
    const refused = caps([spender(set, counted)], ask(11n))
    // Only a day comes to an end.
    const resetsAt = limit === 'per_day' ? TODAY.endsAt.toISOString() : null
    expect(refused).toMatchObject({ code: 'SPEND_CAP_REACHED', details: { limit, of: 'connection', resetsAt } })
    expect(ERROR_DETAILS.SPEND_CAP_REACHED.parse(refused?.details)).toEqual(refused?.details)
  })

  test('of the account refuse what the connection alone would allow, and name the account', () => {
    const refused = caps([spender({ maxPerDayMicros: 1_000n }), account({ maxPerDayMicros: 9n })])
    expect(refused?.details).toMatchObject({ limit: 'per_day', of: 'account', manageUrl: `${ISSUER}/settings/limits` })
  })

  test('of a day begin anew on a later one, but not when the date goes back', () => {
    const counted = { daySpentMicros: 20n, dayRecipients: 5 }
    const set = { maxPerDayMicros: 20n, recipientsPerDay: 5 }
    expect(caps([spender(set, { ...counted, day: '2026-11-25' })], ask(20n, 5))).toBeNull()
    expect(caps([spender(set, { ...counted, day: '2026-11-27' })])).toMatchObject({ code: 'SPEND_CAP_REACHED' })
  })

  test('of a day do not bind a scheduled send at its acceptance; the total does', () => {
    const set = { maxPerDayMicros: 1n, recipientsPerDay: 0 }
    expect(caps([spender(set)], ask(10n, 1, true))).toBeNull()
    expect(caps([spender({ ...set, maxTotalMicros: 9n })], ask(10n, 1, true))).toMatchObject({
      details: { limit: 'total', resetsAt: null },
    })
  })

  test('count a list as a whole: recipients reach their limit and are refused above it', () => {
    const own = spender({ recipientsPerDay: 10 }, { dayRecipients: 7 })
    expect(caps([own], ask(0n, 3))).toBeNull()
    const refused = caps([own], ask(0n, 4))
    expect(refused).toMatchObject({ code: 'RECIPIENTS_REACHED', details: { max: 10, used: 7, asked: 4 } })
    expect(ERROR_DETAILS.RECIPIENTS_REACHED.parse(refused?.details)).toEqual(refused?.details)
  })

  test('of zero refuse everything that costs, and nothing that is free', () => {
    expect(caps([spender({ maxPerSendMicros: 0n })], ask(1n))).toMatchObject({ details: { limit: 'per_send' } })
    expect(caps([spender({ maxPerSendMicros: 0n })], ask(0n))).toBeNull()
  })

  test('never allow more than they say, whatever was spent, held and asked', () => {
    const amount = fc.bigInt({ min: 0n, max: 100n })
    fc.assert(
      fc.property(amount, amount, amount, amount, amount, (max, spent, held, price, accountMax) => {
        const counted = { daySpentMicros: spent, dayHeldMicros: held }
        const spenders = [spender({ maxPerDayMicros: max }, counted), account({ maxPerDayMicros: accountMax }, counted)]
        const after = spent + held + price
        const fits = after <= max && after <= accountMax
        expect(caps(spenders, ask(price)) === null).toBe(fits)
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })
})

describe('countries', () => {
  const allow = (...countries: string[]) => [limits({ countries }), limits({ id: 'account', kind: 'account' })]
  const countryOf = (written: string) => {
    const number = readPhone(written)
    return 'fix' in number ? null : number.country
  }

  test.each([
    ['GB', '+44 7400 123456', '+44 7797 712345', 'JE'],
    ['GB', '+44 7400 123456', '+44 7624 312345', 'IM'],
    ['GB', '+44 7400 123456', '+44 7781 123456', 'GG'],
    ['RU', '+7 912 345 67 89', '+7 771 000 99 98', 'KZ'],
    ['US', '+1 201 555 0123', '+1 876 210 1234', 'JM'],
    ['US', '+1 201 555 0123', '+1 506 234 5678', 'CA'],
  ])('on a list with %s alone take %s and refuse %s of the same country code', (listed, taken, refused, country) => {
    expect(judgeCountry(allow(listed), countryOf(taken), ISSUER)).toBeNull()
    const refusal = judgeCountry(allow(listed), countryOf(refused), ISSUER)
    expect(refusal).toMatchObject({ code: 'DESTINATION_NOT_ALLOWED', details: { country } })
    expect(ERROR_DETAILS.DESTINATION_NOT_ALLOWED.parse(refusal?.details)).toEqual(refusal?.details)
  })

  test('that are not known, or that the operator reads otherwise, are refused by a list and by nothing else', () => {
    expect(judgeCountry(allow('LT'), null, ISSUER)).toMatchObject({ details: { country: null } })
    expect(judgeCountry(allow('LT'), 'LT', ISSUER, 'LV')).toMatchObject({ code: 'DESTINATION_NOT_ALLOWED' })
    expect(judgeCountry(allow('LT'), 'LT', ISSUER, null)).toMatchObject({ code: 'DESTINATION_NOT_ALLOWED' })
    expect(judgeCountry([limits()], null, ISSUER)).toBeNull()
    expect(judgeCountry([limits()], 'LT', ISSUER, 'LV')).toBeNull()
  })

  test('must stand on the list of the account and on the connection’s own', () => {
    const both = [limits({ countries: ['LT', 'LV'] }), limits({ kind: 'account', countries: ['LV'] })]
    expect(judgeCountry(both, 'LV', ISSUER)).toBeNull()
    expect(judgeCountry(both, 'LT', ISSUER)).toMatchObject({ details: { manageUrl: `${ISSUER}/settings/limits` } })
  })
})

describe('senders', () => {
  const listed = [limits({ senders: ['Acme', '+370 600 00001'] })]
  test.each(['Acme', '37060000001', '+37060000001'])('on a list let %s pass', (from) => {
    expect(judgeSender(listed, from, ISSUER)).toBeNull()
  })
  test.each(['acme', 'Acme ltd', 'Аcme', '37060000002', ''])('on a list refuse %j', (from) => {
    const refusal = judgeSender(listed, from, ISSUER)
    expect(refusal?.code).toBe('SENDER_NOT_ALLOWED')
    expect(ERROR_DETAILS.SENDER_NOT_ALLOWED.parse(refusal?.details)).toMatchObject({ from })
  })
  test('are free without a list', () => {
    expect(judgeSender([limits()], 'Anything', ISSUER)).toBeNull()
  })
})

describe('a pause', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 26, 12, minute))

  test('of the owner stops the connection, and the account’s stops everything', () => {
    expect(judgePause([limits({ pausedAt: at(0) })], ISSUER)).toMatchObject({
      code: 'CONNECTION_PAUSED',
      details: { of: 'connection', by: 'owner' },
    })
    const all = [limits(), limits({ kind: 'account', pausedAt: at(0) })]
    const refusal = judgePause(all, ISSUER)
    expect(ERROR_DETAILS.CONNECTION_PAUSED.parse(refusal?.details)).toMatchObject({ of: 'account' })
  })

  test('that came by itself lasts until the owner resumes, and a later one stands again', () => {
    const paused = (resumedAt: Date | null) => judgePause([limits({ autoPausedAt: at(5), resumedAt })], ISSUER)
    expect(paused(null)).toMatchObject({ details: { by: 'automatic' } })
    expect(paused(at(4))).toMatchObject({ details: { by: 'automatic' } })
    expect(paused(at(5))).toBeNull()
    expect(paused(at(6))).toBeNull()
  })
})

describe('an unknown price', () => {
  test.each([{ maxPerSendMicros: 1n }, { maxPerDayMicros: 1n }, { maxTotalMicros: 1n }, { askAboveMicros: 1n }])(
    'stops a send under %o',
    (set) => {
      const refusal = judgeUnknownPrice([limits(), limits({ kind: 'account', ...set })], 'LT', ISSUER)
      expect(refusal?.code).toBe('PRICE_UNKNOWN')
      expect(ERROR_DETAILS.PRICE_UNKNOWN.parse(refusal?.details)).toMatchObject({ country: 'LT' })
    },
  )
  test('stops nothing where no limit of money is set', () => {
    expect(judgeUnknownPrice([limits({ recipientsPerDay: 1, countries: ['LT'] })], 'LT', ISSUER)).toBeNull()
  })
})

describe('asking first', () => {
  test('is due above the price, not at it, and for a new country where it is ticked', () => {
    const own = [limits({ askAboveMicros: 100n }), limits({ kind: 'account' })]
    expect(approvalReasons(own, { priceMicros: 100n, newCountries: ['LT'] })).toEqual([])
    expect(approvalReasons(own, { priceMicros: 101n, newCountries: [] })).toEqual(['price'])
    const both = [limits({ askAboveMicros: 0n, askNewCountry: true })]
    expect(approvalReasons(both, { priceMicros: 1n, newCountries: ['LT'] })).toEqual(['price', 'country'])
    expect(approvalReasons(both, { priceMicros: 0n, newCountries: [] })).toEqual([])
  })
})

describe('what a token tells of itself', () => {
  test('is its own limits and spending, and what is left of both spenders, whichever is less', () => {
    const own = spender(
      { maxPerDayMicros: 5_000_000n, countries: ['LT'] },
      { daySpentMicros: 500_000n, dayHeldMicros: 39_000n },
    )
    const all = account(
      { maxPerDayMicros: 6_000_000n, maxTotalMicros: 7n, recipientsPerDay: 3 },
      { daySpentMicros: 5_999_999n, totalSpentMicros: 9n, dayRecipients: 1 },
    )
    expect(showLimits(own, all, TODAY)).toEqual({
      limits: { maxPerDay: '5', countries: ['LT'], currency: 'EUR' },
      spent: { day: '0.539', total: '0', recipients: 0, currency: 'EUR', resetsAt: '2026-11-27T00:00:00.000Z' },
      left: { day: '0.000001', total: '0', recipients: 2 },
      paused: false,
    })
  })

  test('is null for limits that are not set, before a first send too', () => {
    const fresh = { limits: limits({ kind: 'token', connectionId: null }), counters: null }
    const shown = showLimits(
      fresh,
      { limits: limits({ kind: 'account', pausedAt: new Date() }), counters: null },
      TODAY,
    )
    expect(shown).toMatchObject({ limits: null, left: {}, paused: true })
    expect(shown.spent).toMatchObject({ day: '0', total: '0', recipients: 0 })
    const one = { limits: limits({ maxTotalMicros: 1n }), counters: null }
    expect(showLimits(one, { ...fresh, limits: limits({ kind: 'account' }) }, TODAY)).toMatchObject({
      limits: { maxTotal: '0.000001', currency: 'EUR' },
      left: { total: '0.000001' },
    })
  })

  test('leads to the page where it is changed', () => {
    expect(manageUrl(ISSUER, limits())).toBe(`${ISSUER}/connections/c1`)
    const token = limits({ id: 't1', kind: 'token', connectionId: null })
    expect(manageUrl(ISSUER, token)).toBe(`${ISSUER}/settings/api/tokens/t1`)
    expect(manageUrl(ISSUER, limits({ kind: 'account' }))).toBe(`${ISSUER}/settings/limits`)
  })
})
