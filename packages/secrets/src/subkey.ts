import { hkdfSync } from 'node:crypto'

const KEY_BYTES = 32

/** A key that is too short, or a sealed value that cannot be opened: wrong key, wrong context, or changed bytes. Says no more than that. */
export class SealError extends Error {
  override name = 'SealError'
  readonly code = 'SEAL_BROKEN'
}

/** 32 bytes for one purpose (the part of the context before the first colon). Throws SealError for a short key. */
export function subkey(key: Uint8Array, context: string): Uint8Array {
  if (key.length < KEY_BYTES) throw new SealError('key is shorter than 32 bytes')
  const purpose = context.split(':', 1)[0] ?? ''
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `vertexsms/v1/${purpose}`, KEY_BYTES))
}
