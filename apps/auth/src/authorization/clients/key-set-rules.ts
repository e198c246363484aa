import { SIZES } from '../../limits.ts'

/** 4096 bits in base64url: what checks a signature grows with the square of it. */
const MODULUS_CHARS_MAX = 683
/** 32 bits in base64url; usual ones have three bytes, and one as long as its modulus costs a hundred times as much. */
const EXPONENT_CHARS_MAX = 6

/**
 * True for a set of public keys (RFC 7517 §5) that is cheap enough to be tried, key by key, on what any stranger sends in
 * the client's name: twenty at most, RSA ones of at most 4096 bits. The library judges the keys themselves.
 */
export function isKeySet(value: unknown): boolean {
  const { keys } = Object(value) as { keys?: unknown }
  return Array.isArray(keys) && keys.length <= SIZES.keysOfClient && keys.every(isKey)
}

function isKey(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false
  const { kty, n, e } = key as Readonly<Record<string, unknown>>
  return typeof kty === 'string' && isShort(n, MODULUS_CHARS_MAX) && isShort(e, EXPONENT_CHARS_MAX)
}

function isShort(value: unknown, maxChars: number): boolean {
  return value === undefined || (typeof value === 'string' && value.length <= maxChars)
}
