import { SIZES } from '../../service-limits.ts'

/** 4096 bits in base64url: what checks a signature grows with the square of it. */
const MODULUS_CHARS_MAX = 683
/** 32 bits in base64url; usual ones have three bytes, and one as long as its modulus costs a hundred times as much. */
const EXPONENT_CHARS_MAX = 6

/** A key as it is published. */
type Key = Readonly<Record<string, unknown>>

/**
 * True for a set of public keys (RFC 7517 §5) that is cheap enough to be tried, key by key, on what any stranger sends in
 * the client's name: {@link SIZES.keysOfClient} at most, RSA ones of at most 4096 bits. The library judges the keys themselves.
 */
export function isKeySet(value: unknown): boolean {
  const keys = keysOf(value)
  return keys !== null && keys.length <= SIZES.keysOfClient && keys.every(isCheap)
}

/**
 * The set without the keys that are too large, as one that was fetched is read: it serves others, too, who may want those
 * (RFC 7517 §5, values out of the supported ranges). Null for what is no such set, or where too many or none are left.
 */
export function cheapKeySet(value: unknown): { readonly keys: readonly Key[] } | null {
  const keys = keysOf(value)
  const cheap = keys?.filter(isCheap) ?? []
  const isSet = keys !== null && cheap.length <= SIZES.keysOfClient && (cheap.length > 0 || keys.length === 0)
  return isSet ? { keys: cheap } : null
}

function keysOf(value: unknown): readonly Key[] | null {
  const { keys } = Object(value) as { keys?: unknown }
  return Array.isArray(keys) && keys.every((key) => typeof Object(key).kty === 'string') ? keys : null
}

function isCheap({ n, e }: Key): boolean {
  return isShort(n, MODULUS_CHARS_MAX) && isShort(e, EXPONENT_CHARS_MAX)
}

function isShort(value: unknown, maxChars: number): boolean {
  return value === undefined || (typeof value === 'string' && value.length <= maxChars)
}
