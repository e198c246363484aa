import { createCipheriv, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hashToken } from '../src/hash-token.ts'
import { newSecret } from '../src/new-secret.ts'
import { keyIdOf, open, seal, sealedUnder, sealOnce } from '../src/seal.ts'
import { SealError, subkey } from '../src/subkey.ts'

const key = randomBytes(32)
const text = JSON.stringify({ kty: 'EC', d: 'größer als ASCII ✓' })

describe.each([
  ['a sealed value', seal],
  ['a value sealed under a key of its own', sealOnce],
])('%s', (_name, seal) => {
  it('opens under the same key and context', () => {
    expect(open(key, seal(key, text, 'signing-key:k1'), 'signing-key:k1')).toBe(text)
    expect(open(key, seal(key, '', 'a:b'), 'a:b')).toBe('')
  })

  it('holds no trace of the text and differs each time', () => {
    const one = seal(key, text, 'signing-key:k1')
    expect(Buffer.from(one).toString('latin1')).not.toContain('kty')
    expect(Buffer.from(one).equals(seal(key, text, 'signing-key:k1'))).toBe(false)
  })

  it.each([
    ['another key', randomBytes(32), 'signing-key:k1'],
    ['another row', key, 'signing-key:k2'],
    ['another purpose', key, 'client-secret:k1'],
  ])('does not open under %s', (_name, otherKey, context) => {
    expect(() => open(otherKey, seal(key, text, 'signing-key:k1'), context)).toThrow(SealError)
  })

  it('does not open when any byte was changed, cut off or added', () => {
    const sealed = seal(key, 'short', 'a:b')
    for (let index = 0; index < sealed.length; index++) {
      const changed = Uint8Array.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(() => open(key, changed, 'a:b')).toThrow(SealError)
      expect(() => open(key, sealed.subarray(0, index), 'a:b')).toThrow(SealError)
    }
    expect(() => open(key, Uint8Array.of(...sealed, 0), 'a:b')).toThrow(SealError)
  })

  it('is not made with a short key', () => {
    expect(() => seal(randomBytes(31), text, 'a:b')).toThrow(SealError)
    expect(() => open(randomBytes(31), seal(key, text, 'a:b'), 'a:b')).toThrow(SealError)
  })
})

describe('a sealed value', () => {
  it('names its key, and one that does not open says under which it is sealed', () => {
    const other = randomBytes(32)
    const sealed = seal(key, text, 'signing-key:k1')
    expect(sealedUnder(sealed)).toBe(keyIdOf(key))
    expect([keyIdOf(key), keyIdOf(other)].every((id) => /^[0-9a-f]{8}$/.test(id))).toBe(true)
    expect(() => open(other, sealed, 'signing-key:k1')).toThrow(
      `it is sealed under key ${keyIdOf(key)}, and this is key ${keyIdOf(other)}`,
    )
    // Under the right key it is the row or the bytes that are wrong: nothing is said of keys.
    expect(() => open(key, sealed, 'signing-key:k2')).toThrow(/^cannot open sealed value$/)
    expect(Buffer.from(key).toString('hex')).not.toContain(keyIdOf(key))
  })

  it('of before keys were named opens, and names none', () => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', subkey(key, 'a:b'), nonce)
    cipher.setAAD(Buffer.from('a:b'))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    const old = new Uint8Array(Buffer.concat([Buffer.of(1), nonce, body, cipher.getAuthTag()]))
    expect(open(key, old, 'a:b')).toBe(text)
    expect(sealedUnder(old)).toBeNull()
    expect(() => open(key, old, 'a:c')).toThrow(SealError)
    for (const nothing of [new Uint8Array(), Uint8Array.of(2), Uint8Array.of(9, 1, 2, 3, 4, 5)]) {
      expect(sealedUnder(nothing)).toBeNull()
    }
  })
})

describe('a value sealed under a key of its own', () => {
  it('names no key, and is not made with one that is too long', () => {
    expect(sealedUnder(sealOnce(key, text, 'a:b'))).toBeNull()
    expect(() => sealOnce(randomBytes(33), text, 'a:b')).toThrow(SealError)
    expect(() => open(randomBytes(33), sealOnce(key, text, 'a:b'), 'a:b')).toThrow(SealError)
  })
})

describe('a token', () => {
  it('is stored as its SHA-256 (FIPS 180-4 example)', () => {
    expect(Buffer.from(hashToken('abc')).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })

  it('has 43 characters and never comes twice', () => {
    const made = new Set(Array.from({ length: 1_000 }, newSecret))
    expect(made.size).toBe(1_000)
    for (const value of made) expect(value).toMatch(/^[\w-]{43}$/)
  })
})
