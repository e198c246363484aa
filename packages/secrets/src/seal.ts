import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { SealError, subkey } from './subkey.ts'

/** The first byte. Values of version 1 name no key: nothing is sealed so any more, and they are opened as long as they last. */
const VERSION = 2
const UNNAMED_VERSION = 1
/** Under a key that is made for this one value: nothing is derived from it, and it needs no name. */
const ONCE_VERSION = 3
const KEY_BYTES = 32
const KEY_ID_BYTES = 4
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Which key it is: eight hexadecimal digits, derived (HKDF) so that they tell nothing of it. Every sealed value names the
 * key that it was sealed with, so that one that does not open can say why. Throws SealError for a key under 32 bytes.
 */
export function keyIdOf(key: Uint8Array): string {
  return idBytesOf(key).toString('hex')
}

/** The id of the key that a value was sealed with; null for one of before keys were named, and for what is no sealed value. */
export function sealedUnder(sealed: Uint8Array): string | null {
  return sealed[0] === VERSION && sealed.length > KEY_ID_BYTES
    ? Buffer.from(sealed.subarray(1, 1 + KEY_ID_BYTES)).toString('hex')
    : null
}

/**
 * Encrypts and authenticates a text with AES-256-GCM. The context (`purpose:identifier`, for example `signing-key:k1`)
 * is bound to the result: it opens under the same key and the same context only. Each purpose has a key of its own,
 * derived with HKDF-SHA-256 (RFC 5869). Throws SealError for a key under 32 bytes.
 */
export function seal(key: Uint8Array, plaintext: string, context: string): Uint8Array<ArrayBuffer> {
  return encrypt(Buffer.concat([Buffer.of(VERSION), idBytesOf(key)]), subkey(key, context), plaintext, context)
}

/**
 * The same under a key that seals this one value for this one purpose and nothing else, ever: 32 bytes that were derived
 * for it. Deriving another from such a key, and one more for its name, would cost as much as all the rest. `open` opens it.
 */
export function sealOnce(key: Uint8Array, plaintext: string, context: string): Uint8Array<ArrayBuffer> {
  return encrypt(Buffer.of(ONCE_VERSION), onceKey(key), plaintext, context)
}

function encrypt(head: Buffer, key: Uint8Array, plaintext: string, context: string): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES)
  // Given the bare bytes, Node 24 looks first whether they are a key, which takes longer than all the rest.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce)
  cipher.setAAD(Buffer.concat([head, Buffer.from(context, 'utf8')]))
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  return new Uint8Array(Buffer.concat([head, nonce, body, cipher.getAuthTag()]))
}

/** The text that `seal` or `sealOnce` was given. Throws SealError when the key, the context or a single bit is not the same. */
export function open(key: Uint8Array, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed)
  const version = bytes[0] ?? 0
  const headBytes = version === VERSION ? 1 + KEY_ID_BYTES : 1
  if (![VERSION, UNNAMED_VERSION, ONCE_VERSION].includes(version) || bytes.length < headBytes + NONCE_BYTES + TAG_BYTES)
    throw new SealError('cannot open sealed value')
  const head = bytes.subarray(0, headBytes)
  const decipher = createDecipheriv(
    'aes-256-gcm',
    createSecretKey(version === ONCE_VERSION ? onceKey(key) : subkey(key, context)),
    bytes.subarray(headBytes, headBytes + NONCE_BYTES),
    { authTagLength: TAG_BYTES },
  )
  decipher.setAAD(Buffer.concat([version === UNNAMED_VERSION ? Buffer.alloc(0) : head, Buffer.from(context, 'utf8')]))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const body = decipher.update(bytes.subarray(headBytes + NONCE_BYTES, -TAG_BYTES))
    return Buffer.concat([body, decipher.final()]).toString('utf8')
  } catch {
    throw new SealError(whyNot(key, sealed))
  }
}

function onceKey(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) throw new SealError('a key for one value has 32 bytes')
  return key
}

function whyNot(key: Uint8Array, sealed: Uint8Array): string {
  const under = sealedUnder(sealed)
  return under === null || under === keyIdOf(key)
    ? 'cannot open sealed value'
    : `cannot open sealed value: it is sealed under key ${under}, and this is key ${keyIdOf(key)}`
}

function idBytesOf(key: Uint8Array): Buffer {
  return Buffer.from(subkey(key, 'key-id').subarray(0, KEY_ID_BYTES))
}
