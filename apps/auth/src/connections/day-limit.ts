import { readEurText } from '@vertexsms/contract/money'
import { readTypedEur } from './typed-eur.ts'

/** Amounts a day that a person chooses from, in micro-EUR. */
export const DAY_PRESETS_MICROS = [1_000_000n, 5_000_000n, 20_000_000n] as const

/** What the form of something new starts with. */
export const USUAL_DAY_MICROS = 5_000_000n

/** The choice that stands for no limit. */
export const NO_DAY_LIMIT = 'none'

/** The choice that stands for the amount that is typed. */
export const OTHER_AMOUNT = 'other'

/**
 * Reads the most a day as a person chose and typed it. What is typed counts where another amount is chosen, or nothing;
 * beside any other choice it never makes that wider: the one that allows less counts. `micros` null is no limit; null
 * altogether where either is no amount.
 */
export function readDayLimit(chosen: string, typed: string): { readonly micros: bigint | null } | null {
  const own = typed.trim() === '' ? null : readTypedEur(typed.trim())
  if (own === null && typed.trim() !== '') return null
  if (chosen === OTHER_AMOUNT || chosen === '') return own === null ? null : { micros: own }
  const micros = chosen === NO_DAY_LIMIT ? null : readEurText(chosen)
  if (micros === null && chosen !== NO_DAY_LIMIT) return null
  return { micros: own !== null && (micros === null || own < micros) ? own : micros }
}
