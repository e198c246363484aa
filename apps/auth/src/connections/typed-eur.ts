import { readEurText } from '@vertexsms/contract/money'
import type { Words } from '../words/words.ts'

/** Thousands set apart by threes with one mark, and what stands behind the decimal mark. */
const GROUPED = /^([1-9]\d{0,2})((?:([ \u00a0\u202f',.])\d{3})(?:\3\d{3})*)(?:([.,])(\d+))?$/

/** Thousands as they are written in one language are units with three decimals in another: `1,500`, `1.000`. */
const TWO_WAYS = /^0*[1-9]\d{0,2}\.\d{3}$/

/**
 * An amount in EUR as a person types it, as plain decimal text: a comma is a point, thousands may be set apart, the currency
 * may stand behind. Null for one that can be read two ways.
 */
export function plainEur(typed: string): string | null {
  const plain = withPoint(withoutCurrency(typed))
  return TWO_WAYS.test(plain) ? null : plain
}

/** Reads an amount in EUR as a person types it ({@link plainEur}), in micro-EUR. Null for none, and for one of two meanings. */
export function readTypedEur(typed: string): bigint | null {
  const plain = plainEur(typed)
  return plain === null ? null : readEurText(plain)
}

/** Which two an amount could be and how either is typed, where {@link readTypedEur} does not take it for that; else null. */
export function twoWaysProblem(typed: string, t: Words): string | null {
  const text = withoutCurrency(typed)
  const plain = withPoint(text)
  const less = TWO_WAYS.test(plain) ? readEurText(plain) : null
  const more = readEurText(plain.replace('.', ''))
  if (less === null || more === null) return null
  return t.limits.twoWays(text, t.format.typed(less), t.format.typed(more))
}

function withoutCurrency(typed: string): string {
  return typed
    .trim()
    .replace(/(EUR|€)$/i, '')
    .trimEnd()
}

function withPoint(text: string): string {
  return withoutGroups(text).replace(',', '.')
}

// Where one mark stands once and nothing behind its three digits, it may be either: such a text stays as it is.
function withoutGroups(text: string): string {
  const [, first, groups = '', mark = '', decimalMark, decimals] = GROUPED.exec(text) ?? []
  if (first === undefined || decimalMark === mark) return text
  const mayBeDecimal = (mark === ',' || mark === '.') && decimalMark === undefined && groups.length === mark.length + 3
  if (mayBeDecimal) return text
  return `${first}${groups.replaceAll(mark, '')}${decimals === undefined ? '' : `.${decimals}`}`
}
