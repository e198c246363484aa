import { createHash, randomBytes } from 'node:crypto'

/** SHA-256 of a token's value, the only form of it that is stored (RFC 9700 section 4.3 spirit: a leaked database opens nothing). */
export function hashToken(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(value, 'utf8').digest())
}

/** A new unguessable value: 32 random bytes (256 bits) in base64url, 43 characters. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
