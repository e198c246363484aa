import { readTypedEur } from './typed-eur.ts'

/** Amounts a day that a person chooses from, in micro-EUR. */
export const DAY_PRESETS_MICROS = [1_000_000n, 5_000_000n, 20_000_000n] as const

/** What the form of something new starts with. */
export const USUAL_DAY_MICROS = 5_000_000n

/** The choice that stands for no limit. */
export const NO_DAY_LIMIT = 'none'

/**
 * Reads the most a day as a person chose or typed it: what was typed counts before what was chosen.
 * `micros` null is no limit; null altogether where it is no amount.
 */
export function readDayLimit(chosen: string, typed: string): { readonly micros: bigint | null } | null {
  const own = typed.trim()
  if (own === '' && chosen === NO_DAY_LIMIT) return { micros: null }
  const micros = readTypedEur(own || chosen)
  return micros === null ? null : { micros }
}
