import { readEurText } from '@vertexsms/contract/money'

/** Reads an amount in EUR as a person types it, in micro-EUR: a comma is a point, the currency may stand behind. Null for none. */
export function readTypedEur(typed: string): bigint | null {
  const amount = typed
    .trim()
    .replace(/(EUR|€)$/i, '')
    .trimEnd()
  return readEurText(amount.replace(',', '.'))
}
