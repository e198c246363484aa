import { all } from 'mcc-mnc-list'

/** A mobile operator of one country, with the network codes it runs under one MCC. */
export interface Operator {
  /** Stable: derived from the country and the operator's first network code. */
  readonly id: number
  readonly name: string
  /** Other names of the same operator: its company. */
  readonly aliases: readonly string[]
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly countryName: string
  readonly mcc: string
  readonly mnc: readonly string[]
}

/** Railways and trunked radio have network codes too, but no subscriber takes an SMS there. */
const PUBLIC_BANDS = /GSM(?!-R)|UMTS|CDMA|LTE|5G|Unknown|MVNO/i

function letters(country: string): number {
  return (country.charCodeAt(0) - 65) * 26 + (country.charCodeAt(1) - 65)
}

function build(): Operator[] {
  const byKey = new Map<string, Operator & { aliases: string[]; mnc: string[] }>()
  for (const row of all()) {
    const name = row.brand ?? row.operator
    if (row.type !== 'National' || row.status !== 'Operational' || !row.countryCode || !name) continue
    if (!/^\d{3}$/.test(row.mcc) || !/^\d{2,3}$/.test(row.mnc) || !PUBLIC_BANDS.test(row.bands ?? 'Unknown')) continue
    // One row may stand for several territories: "BL/GF/GP/MF/MQ".
    for (const country of row.countryCode.split('/').filter((code) => /^[A-Z]{2}$/.test(code))) {
      const key = `${country} ${row.mcc} ${name.toLowerCase()}`
      const known = byKey.get(key)
      if (known) {
        if (!known.mnc.includes(row.mnc)) known.mnc.push(row.mnc)
        continue
      }
      byKey.set(key, {
        id: Number(row.mcc + row.mnc.padStart(3, '0')) * 1000 + letters(country),
        name,
        aliases: row.operator && row.operator !== name ? [row.operator] : [],
        country,
        countryName: row.countryName ?? country,
        mcc: row.mcc,
        mnc: [row.mnc],
      })
    }
  }
  const seen = new Set<number>()
  return [...byKey.values()].filter((operator) => !seen.has(operator.id) && seen.add(operator.id))
}

/** Every operator in service, from mcc-mnc-list. */
export const OPERATORS: readonly Operator[] = build()

const byId = new Map(OPERATORS.map((operator) => [operator.id, operator]))
const byCountry = new Map<string, Operator[]>()
for (const operator of OPERATORS)
  byCountry.set(operator.country, [...(byCountry.get(operator.country) ?? []), operator])

/** The operator with this id; undefined where there is none. */
export function operatorById(id: number): Operator | undefined {
  return byId.get(id)
}

/** The operators of a country in the order of the list; empty for a country without one. */
export function operatorsOf(country: string): readonly Operator[] {
  return byCountry.get(country) ?? []
}
