import * as z from 'zod'
import { looksRandom } from './key.ts'
import { subkey } from './subkey.ts'

const KEY_PATTERN = /^[A-Za-z0-9_-]{43}$/

/** What the API seals or hashes under a key of its own. The operator key never leaves `apps/auth` and its commands. */
export const API_KEY_PURPOSES = [
  'sender-pin',
  'send-text',
  'idempotency',
  'quote',
  'report-address',
  'upstream-token',
  'internal',
] as const

/** One 256-bit key a purpose. */
export type DerivedKeys<Purpose extends string> = Readonly<Record<Purpose, Uint8Array>>

/**
 * The keys of the API as text, `purpose=base64url` separated by commas: what its `API_KEYS` takes. The same operator key
 * gives the same text. Each is HKDF-SHA-256 of the operator key for its purpose (RFC 5869), so that none tells another.
 * Throws SealError for an operator key under 32 bytes.
 */
export function deriveApiKeys(operatorKey: Uint8Array): string {
  return API_KEY_PURPOSES.map(
    (purpose) => `${purpose}=${Buffer.from(subkey(operatorKey, purpose)).toString('base64url')}`,
  ).join(',')
}

/** Parses what {@link deriveApiKeys} prints into its keys; a purpose that is missing, twice there or unknown is refused. */
export function derivedKeysSchema<const Purpose extends string>(purposes: readonly Purpose[]) {
  const expected = `must be ${purposes.map((purpose) => `${purpose}=KEY`).join(',')}, as the operator command api-keys prints it`
  return z
    .string()
    .max(4_096, expected)
    .transform((text, context): DerivedKeys<Purpose> => {
      const entries = text.split(',').map((entry) => /^([a-z-]+)=(.*)$/.exec(entry.trim())?.slice(1) ?? [])
      const keys = new Map(entries.map(([purpose = '', key = '']) => [purpose, key]))
      const whole =
        entries.length === purposes.length &&
        keys.size === purposes.length &&
        purposes.every((purpose) => KEY_PATTERN.test(keys.get(purpose) ?? ''))
      if (!whole) {
        context.addIssue({ code: 'custom', message: expected })
        return z.NEVER
      }
      const decoded = purposes.map(
        (purpose) => [purpose, new Uint8Array(Buffer.from(keys.get(purpose) ?? '', 'base64url'))] as const,
      )
      if (decoded.some(([, key]) => !looksRandom(key))) {
        context.addIssue({ code: 'custom', message: `${expected}; these bytes are not random` })
        return z.NEVER
      }
      return Object.fromEntries(decoded) as DerivedKeys<Purpose>
    })
}
