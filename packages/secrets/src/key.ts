import * as z from 'zod'

/** 32 random bytes hold about 30 different ones. */
const DIFFERENT_BYTES_MIN = 16

/** False for 32 bytes that were not drawn at random: too few of them differ. */
export function looksRandom(key: Uint8Array): boolean {
  return new Set(key).size >= DIFFERENT_BYTES_MIN
}

/** A key: 32 random bytes in base64url. Parses to the bytes. */
export const keySchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}=?$/, 'must be 32 random bytes in base64url, 43 characters')
  .transform((value) => new Uint8Array(Buffer.from(value, 'base64url')))
  .refine(looksRandom, {
    error: 'must be random; these bytes are not',
    when: ({ issues }) => issues.length === 0,
  })
