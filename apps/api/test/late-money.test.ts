import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LateMoney, lateMoney, type ReportedMessage } from '../src/sending/late-money.ts'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 150)
const SEED = Number(process.env.PROPERTY_SEED ?? 20261126)

const DELIVERED = { status: 1, error: 0 }
const FAILED = { status: 2, error: 1 }
const EXPIRED = { status: 16, error: 2 }
const OUT_OF_MONEY = { status: 2, error: 24 }
const FILTERED = { status: 2, error: 21 }
const PRICES = { networkMicros: 30n, dearestMicros: 50n }
const NONE = { networkMicros: null, dearestMicros: null }
const GIVEN_BACK = expect.objectContaining({ outcome: 'released' })

const of = (state: ReportedMessage['state'], set: Partial<ReportedMessage> = {}): ReportedMessage => ({
  state,
  parts: 2,
  holdMicros: ['handed_over', 'unknown', 'held', 'scheduled'].includes(state) ? 100n : 0n,
  holdTold: false,
  toldMicros: null,
  chargedMicros: state === 'accepted' ? 100n : 0n,
  chargedHold: false,
  wasSent: false,
  isFree: false,
  ...set,
})

describe('a report', () => {
  test.each([DELIVERED, FAILED, EXPIRED, FILTERED])('of %o moves no money of an accepted message', (report) => {
    expect(lateMoney(report, of('accepted'), PRICES)).toBe('nothing')
  })

  test('of an account that was out of money gives an accepted message back', () => {
    expect(lateMoney(OUT_OF_MONEY, of('accepted'), PRICES)).toEqual(GIVEN_BACK)
    expect(lateMoney(OUT_OF_MONEY, of('accepted', { wasSent: true }), PRICES)).toBe('nothing')
  })

  test('charges the rate of its network where no price could be had', () => {
    const unpriced = { holdMicros: 0n, chargedMicros: 0n }
    for (const state of ['handed_over', 'unknown', 'accepted'] as const) {
      const message = of(state, { ...unpriced, chargedHold: state === 'accepted' })
      expect(lateMoney(DELIVERED, message, PRICES)).toMatchObject({ outcome: 'accepted', chargedMicros: 60n })
    }
    expect(lateMoney(DELIVERED, of('accepted', unpriced), PRICES)).toBe('nothing')
  })

  test('lowers a charge that was only the hold to the rate of its network, and raises none', () => {
    const byHold = of('accepted', { chargedHold: true })
    expect(lateMoney(DELIVERED, byHold, PRICES)).toMatchObject({ outcome: 'accepted', chargedMicros: 60n })
    expect(lateMoney(FAILED, byHold, PRICES)).toMatchObject({ chargedMicros: 60n })
    expect(lateMoney(DELIVERED, byHold, { ...PRICES, networkMicros: 51n })).toBe('nothing')
    expect(lateMoney(DELIVERED, byHold, NONE)).toBe('nothing')
  })

  test('of an unknown message says that it was accepted, or gives it back where it was refused', () => {
    for (const report of [DELIVERED, FAILED, EXPIRED]) {
      expect(lateMoney(report, of('unknown'), NONE)).toEqual({ outcome: 'accepted', chargedMicros: null, final: true })
    }
    expect(lateMoney(DELIVERED, of('unknown'), PRICES)).toMatchObject({ chargedMicros: 60n })
    expect(lateMoney(DELIVERED, of('unknown', { holdTold: true }), PRICES)).toMatchObject({ chargedMicros: null })
    for (const report of [OUT_OF_MONEY, FILTERED]) expect(lateMoney(report, of('unknown'), PRICES)).toEqual(GIVEN_BACK)
  })

  test('of a released message charges what it cost after all, but nothing where it was never accepted', () => {
    expect(lateMoney(DELIVERED, of('released'), PRICES)).toMatchObject({ outcome: 'accepted', chargedMicros: 60n })
    expect(lateMoney(FAILED, of('released'), { ...PRICES, networkMicros: null })).toMatchObject({ chargedMicros: 100n })
    expect(lateMoney(OUT_OF_MONEY, of('released'), PRICES)).toBe('nothing')
    expect(lateMoney(FILTERED, of('released'), PRICES)).toBe('nothing')
    expect(lateMoney(DELIVERED, of('released', { isFree: true }), PRICES)).toMatchObject({ chargedMicros: 0n })
    expect(lateMoney(DELIVERED, of('released', { toldMicros: 70n }), PRICES)).toMatchObject({ chargedMicros: 70n })
    expect(lateMoney(DELIVERED, of('released', { toldMicros: 0n }), PRICES)).toMatchObject({ chargedMicros: 0n })
    expect(lateMoney(OUT_OF_MONEY, of('released', { toldMicros: 70n }), PRICES)).toBe('nothing')
  })

  test('that comes before its hand-over was answered settles what was sent, and waits where it would give back', () => {
    expect(lateMoney(DELIVERED, of('handed_over'), NONE)).toMatchObject({ outcome: 'accepted', chargedMicros: null })
    expect(lateMoney(OUT_OF_MONEY, of('handed_over'), PRICES)).toBe('later')
    expect(lateMoney(FILTERED, of('handed_over'), PRICES)).toBe('later')
  })

  test.each(['scheduled', 'held'] as const)('of a message that is %s and cannot have left changes nothing', (state) => {
    for (const report of [DELIVERED, OUT_OF_MONEY]) expect(lateMoney(report, of(state), PRICES)).toBe('nothing')
  })

  test('run again after its change changes nothing, whatever it says and wherever the message stands', () => {
    const states = fc.constantFrom<ReportedMessage['state'][]>('handed_over', 'unknown', 'accepted', 'released')
    const reports = fc.record({
      status: fc.constantFrom(1, 2, 3, 16),
      error: fc.constantFrom(0, 1, 2, 20, 21, 24, 53, 999),
    })
    const prices = fc.record({
      networkMicros: fc.option(fc.bigInt({ min: 0n, max: 80n })),
      dearestMicros: fc.option(fc.bigInt({ min: 0n, max: 80n })),
    })
    fc.assert(
      fc.property(states, reports, prices, fc.boolean(), fc.boolean(), (state, report, known, byHold, isFree) => {
        const message = of(state, { chargedHold: byHold && state === 'accepted', holdTold: !byHold, isFree })
        const change = lateMoney(report, message, known)
        expect(change === 'later' ? change : lateMoney(report, apply(message, change), known)).toBe(
          change === 'later' ? 'later' : 'nothing',
        )
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })

  test('never charges more than was held, but for a message that had been given back, or that no price held', () => {
    const amounts = fc.bigInt({ min: 1n, max: 200n })
    fc.assert(
      fc.property(
        fc.constantFrom('handed_over' as const, 'unknown' as const),
        amounts,
        amounts,
        (state, holdMicros, networkMicros) => {
          const message = of(state, { holdMicros })
          const after = apply(message, lateMoney(DELIVERED, message, { networkMicros, dearestMicros: 999n }))
          expect(after.chargedMicros <= holdMicros).toBe(true)
        },
      ),
      { numRuns: RUNS, seed: SEED },
    )
  })
})

/** The message as the ledger leaves it behind a settlement. */
function apply(message: ReportedMessage, change: LateMoney): ReportedMessage {
  if (typeof change === 'string') return message
  if (change.outcome === 'released') return { ...message, state: 'released', holdMicros: 0n, chargedMicros: 0n }
  const told = change.chargedMicros ?? null
  const chargedMicros = told ?? message.holdMicros + message.chargedMicros
  return {
    ...message,
    state: 'accepted',
    holdMicros: 0n,
    chargedMicros,
    chargedHold: told === null && !message.holdTold,
  }
}
