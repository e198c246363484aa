import { readEurText } from '@vertexsms/contract/money'

/** An amount in EUR as a person types it, as plain decimal text: a comma is a point, the currency may stand behind. */
export function plainEur(typed: string): string {
  return typed
    .trim()
    .replace(/(EUR|€)$/i, '')
    .trimEnd()
    .replace(',', '.')
}

/** Thousands as they are written in one language are units with three decimals in another: `5,000`, `1.000`. */
const AMBIGUOUS = /^[1-9]\d{0,2}\.000$/

/** Reads an amount in EUR as a person types it ({@link plainEur}), in micro-EUR. Null for none, and for one of two meanings. */
export function readTypedEur(typed: string): bigint | null {
  const plain = plainEur(typed)
  return AMBIGUOUS.test(plain) ? null : readEurText(plain)
}
