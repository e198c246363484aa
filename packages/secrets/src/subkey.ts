import { createSecretKey, hkdfSync } from 'node:crypto'

const KEY_BYTES = 32

/** A key that is too short, or a sealed value that cannot be opened: wrong key, wrong context, or changed bytes. Says no more than that, and by its id which key. */
export class SealError extends Error {
  override name = 'SealError'
  readonly code = 'SEAL_BROKEN'
}

/** Derived once: there are a dozen purposes, and every sealed value asks for one. */
const derived = new WeakMap<Uint8Array, Map<string, Uint8Array>>()

/**
 * 32 bytes for one purpose (the part of the context before the first colon), not to be written to; the key is not to
 * change in place either. Throws SealError for a short key.
 */
export function subkey(key: Uint8Array, context: string): Uint8Array {
  if (key.length < KEY_BYTES) throw new SealError('key is shorter than 32 bytes')
  const purpose = context.split(':', 1)[0] ?? ''
  const subkeys = derived.get(key) ?? new Map<string, Uint8Array>()
  derived.set(key, subkeys)
  const known = subkeys.get(purpose)
  if (known) return known
  const made = new Uint8Array(
    hkdfSync('sha256', createSecretKey(key), new Uint8Array(0), `vertexsms/v1/${purpose}`, KEY_BYTES),
  )
  subkeys.set(purpose, made)
  return made
}
