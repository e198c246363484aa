import { readEurText } from '@vertexsms/contract/money'

/** An amount in EUR as a person types it, as plain decimal text: a comma is a point, the currency may stand behind. */
export function plainEur(typed: string): string {
  return typed
    .trim()
    .replace(/(EUR|€)$/i, '')
    .trimEnd()
    .replace(',', '.')
}

/** Reads an amount in EUR as a person types it ({@link plainEur}), in micro-EUR. Null for none. */
export function readTypedEur(typed: string): bigint | null {
  return readEurText(plainEur(typed))
}
