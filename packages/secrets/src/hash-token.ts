import { createHash } from 'node:crypto'

/** SHA-256 of a token's value, the only form of it that is stored (RFC 9700 section 4.3 spirit: a leaked database opens nothing). */
export function hashToken(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(value, 'utf8').digest())
}
