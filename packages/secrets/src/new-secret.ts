import { randomBytes } from 'node:crypto'

/** A new unguessable value: 32 random bytes (256 bits) in base64url, 43 characters. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
