import { createHmac, createSecretKey } from 'node:crypto'

/** HMAC-SHA-256 (RFC 2104) of the parts, written one after the other: 32 bytes. */
export function mac(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  // Given the bare bytes, Node 24 takes five times as long: it looks first whether they are a key.
  const hmac = createHmac('sha256', createSecretKey(key))
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
