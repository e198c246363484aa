import { toEurText } from '@vertexsms/contract/money'
import type { Rate } from '@vertexsms/contract/rest'
import { OPERATORS, type Operator, operatorsOf } from '../operators.ts'
import { stableHash } from './hash.ts'

/** The step between two prices. */
const STEP_MICROS = 500

/** Price of one HLR lookup. */
export const HLR_PRICE_MICROS = 5_000n

/** The European Economic Area: capped termination fees keep its prices low and close together. */
const EEA = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' '),
)

/** Wholesale prices of a country lie between these, in micro-EUR. */
const EEA_RANGE_MICROS = { from: 30_000, to: 75_000 } as const
const WORLD_RANGE_MICROS = { from: 12_000, to: 160_000 } as const

/** Operators of one country differ by at most this share of its base price. */
const SPREAD_PERCENT = 20

function roundToStep(micros: number): number {
  return Math.round(micros / STEP_MICROS) * STEP_MICROS
}

function baseMicros(country: string): number {
  const { from, to } = EEA.has(country) ? EEA_RANGE_MICROS : WORLD_RANGE_MICROS
  return from + (stableHash(`country ${country}`) % (to - from))
}

/** Price of one message part to a subscriber of this operator, in micro-EUR. */
export function partPriceMicros(operator: Operator): bigint {
  const percent = 100 - SPREAD_PERCENT / 2 + (stableHash(`operator ${operator.id}`) % (SPREAD_PERCENT + 1))
  return BigInt(roundToStep((baseMicros(operator.country) * percent) / 100))
}

let card: readonly Rate[] | undefined

const countryNames = new Intl.DisplayNames(['en'], { type: 'region' })

/**
 * The rate card: one row per network, closed in each country by `All other carriers` at its highest price; a country
 * with one operator has the single row `All`. Made once in a process.
 */
export function rateCard(): readonly Rate[] {
  card ??= makeRateCard()
  return card
}

function makeRateCard(): Rate[] {
  const countries = [...new Set(OPERATORS.map((operator) => operator.country))].sort()
  return countries.flatMap((country) => {
    const operators = operatorsOf(country)
    const CountryName = countryNames.of(country) ?? country
    const row = (operator: Operator, names: { Operator: string; Network: string }, mnc: string | null): Rate => ({
      CountryName,
      CountryCode: country,
      ...names,
      MCC: operator.mcc,
      MNC: mnc,
      Rate: toEurText(partPriceMicros(operator)),
    })
    const [first] = operators
    if (!first) return []
    if (operators.length === 1) return [row(first, { Operator: 'All', Network: 'All' }, null)]
    const dearest = operators.reduce((left, right) => (partPriceMicros(right) > partPriceMicros(left) ? right : left))
    return [
      ...operators.flatMap((operator) =>
        operator.mnc.map((mnc) =>
          row(operator, { Operator: operator.aliases[0] ?? operator.name, Network: operator.name }, mnc),
        ),
      ),
      { ...row(dearest, { Operator: 'All other carriers', Network: 'All other carriers' }, null), MCC: first.mcc },
    ]
  })
}
