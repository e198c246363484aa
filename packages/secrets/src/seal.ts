import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { SealError, subkey } from './subkey.ts'

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts and authenticates a text with AES-256-GCM. The context (`purpose:identifier`, for example `signing-key:k1`)
 * is bound to the result: it opens under the same key and the same context only. Each purpose has a key of its own,
 * derived with HKDF-SHA-256 (RFC 5869). Throws SealError for a key under 32 bytes.
 */
export function seal(key: Uint8Array, plaintext: string, context: string): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', subkey(key, context), nonce)
  cipher.setAAD(Buffer.from(context, 'utf8'))
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  return new Uint8Array(Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()]))
}

/** The text that `seal` was given. Throws SealError when the key, the context or a single bit is not the same. */
export function open(key: Uint8Array, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed)
  if (bytes[0] !== VERSION || bytes.length < 1 + NONCE_BYTES + TAG_BYTES)
    throw new SealError('cannot open sealed value')
  const decipher = createDecipheriv('aes-256-gcm', subkey(key, context), bytes.subarray(1, 1 + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(context, 'utf8'))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const body = decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES))
    return Buffer.concat([body, decipher.final()]).toString('utf8')
  } catch {
    throw new SealError('cannot open sealed value')
  }
}
