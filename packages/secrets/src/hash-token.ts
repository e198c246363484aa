import { createHash } from 'node:crypto'

/** SHA-256 of a token's value, the only form of it that is stored (RFC 6819 §5.1.4.1.3): a leaked database opens nothing. */
export function hashToken(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(value, 'utf8').digest())
}
