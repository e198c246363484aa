/** Decimals of an amount in EUR: the sixth is one micro-EUR, in which every amount is kept. */
const DECIMALS = 6
const AMOUNT = /^(\d{1,9})(?:\.(\d{1,6}))?$/

/**
 * Micro-EUR as a decimal text in EUR without needless zeros: 39000n is "0.039". `minDecimals` (0 to 6) are kept, as
 * people read prices: with 2, 1000000n is "1.00". Exact; a debt begins with a minus.
 */
export function toEurText(micros: bigint, minDecimals = 0): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(DECIMALS + 1, '0')
  const decimals = digits
    .slice(-DECIMALS)
    .replace(/0{1,6}$/, '')
    .padEnd(minDecimals, '0')
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}${decimals && `.${decimals}`}`
}

/** Reads a decimal text in EUR, such as "0.5": under 1 000 000 000, six decimals at most. Null for everything else. Exact. */
export function readEurText(text: string): bigint | null {
  const [, whole, decimals = ''] = AMOUNT.exec(text) ?? []
  return whole === undefined ? null : BigInt(whole + decimals.padEnd(DECIMALS, '0'))
}

/** The number that stands for an amount in JSON: the one nearest to it. */
export function toEurNumber(micros: bigint): number {
  return Number(toEurText(micros))
}

/** What a JSON number is read to; the digits behind it are the noise of its binary form, for no price is that fine. */
const NUMBER_DECIMALS = 9
const PER_MICRO = 10n ** BigInt(NUMBER_DECIMALS - DECIMALS)

/**
 * Reads the JSON number of an amount in EUR, rounded up to a micro-EUR; the noise of sums and products of such numbers
 * does not count. Null for what is no amount: below nothing, not a number, or a million and more, where the noise is
 * larger.
 */
export function readEurNumber(value: number): bigint | null {
  if (!(value >= 0 && value < 1e6)) return null
  const fine = BigInt(value.toFixed(NUMBER_DECIMALS).replace('.', ''))
  return (fine + PER_MICRO - 1n) / PER_MICRO
}
