import { readFileSync } from 'node:fs'
import { type KnownNumber, numberReader } from '../../message/number.ts'
import { type Operator, operatorById, operatorsOf } from '../operators.ts'
import { stableHash } from './hash.ts'
import { MAGIC_COUNTRY, magicCode } from './magic.ts'

/** Reads a number; magic numbers count as mobile numbers of their country. */
export const readNumber = numberReader((msisdn) => (magicCode(msisdn) === undefined ? undefined : MAGIC_COUNTRY))

type PrefixFile = Record<string, Record<string, string>>

/** One mobile prefix, international form, and the operator that holds it. */
export interface MobilePrefix {
  readonly prefix: string
  readonly operatorId: number
}

const operatorByPrefix = new Map<string, Operator>()
const prefixesByCountry = new Map<string, MobilePrefix[]>()
let longestPrefix = 0

const file: PrefixFile = JSON.parse(readFileSync(new URL('./mobile-prefixes.json', import.meta.url), 'utf8'))
for (const [country, byOperator] of Object.entries(file)) {
  const rows: MobilePrefix[] = []
  for (const [id, prefixes] of Object.entries(byOperator)) {
    const operator = operatorById(Number(id))
    // An operator that left the list keeps no prefix: its numbers fall to the others.
    if (!operator) continue
    for (const prefix of prefixes.split(' ')) {
      operatorByPrefix.set(prefix, operator)
      longestPrefix = Math.max(longestPrefix, prefix.length)
      rows.push({ prefix, operatorId: operator.id })
    }
  }
  prefixesByCountry.set(
    country,
    rows.sort((left, right) => (left.prefix < right.prefix ? -1 : 1)),
  )
}

/** Every known mobile prefix of a country in order; empty where the numbering plan tells nothing of operators. */
export function prefixesOf(country: string): readonly MobilePrefix[] {
  return prefixesByCountry.get(country) ?? []
}

/** Numbers that share this many leading digits, and no known prefix, belong to one operator. */
const BLOCK_DIGITS = 7

/**
 * The operator that a number was first given to: by its prefix where that is known, else one of the country's
 * operators, always the same for a block of numbers. Undefined in a country without operators.
 */
export function operatorOf(number: KnownNumber): Operator | undefined {
  for (let length = Math.min(longestPrefix, number.msisdn.length); length > 1; length--) {
    const operator = operatorByPrefix.get(number.msisdn.slice(0, length))
    if (operator?.country === number.country) return operator
  }
  const operators = operatorsOf(number.country)
  return operators[stableHash(number.msisdn.slice(0, BLOCK_DIGITS)) % Math.max(operators.length, 1)]
}
