// What makes two requests one: the caller's key, and what would be a repeat through MCP. Nothing here can be read back:
// all of it is hashed under the key `idempotency`, for a number and a short text are soon guessed.
import { IDEMPOTENCY_KEY_MAX_CHARACTERS } from '@vertexsms/contract/headers'
import { mac } from '@vertexsms/secrets/mac'
import { ApiError } from '../http/api-error.ts'
import type { KeyScope } from '../ledger/key.ts'

const VISIBLE = /^[\x21-\x7e]+$/

/** RFC 8941 section 3.3.3: a quoted string, in which only the quote and the backslash are escaped. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/

/**
 * The value of an `Idempotency-Key` header: an RFC 8941 string or the same characters bare, 1 to 255 of visible ASCII.
 * Null where there is no header, undefined for one that is empty, too long, given twice or not of this form.
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string | null | undefined {
  if (header === undefined) return null
  if (typeof header !== 'string') return undefined
  const written = header.trim()
  const key = written.startsWith('"') ? QUOTED.exec(written)?.[1]?.replaceAll(/\\(["\\])/g, '$1') : written
  return key !== undefined && key.length <= IDEMPOTENCY_KEY_MAX_CHARACTERS && VISIBLE.test(key) ? key : undefined
}

/** Hash of a caller's idempotency key, as `send.key_hash` keeps it. */
export function hashIdempotencyKey(
  secret: Uint8Array,
  scope: KeyScope,
  idempotencyKey: string,
): Uint8Array<ArrayBuffer> {
  return macOf(secret, ['key', scope.spenderId, scope.upstream, scope.route, idempotencyKey])
}

/**
 * Digest of a parsed request, as `send.payload_digest` keeps it: the same for the same members and values, in whatever
 * order they came and however they were spelled. A member that is undefined counts as left out.
 */
export function digestPayload(secret: Uint8Array, scope: KeyScope, payload: unknown): Uint8Array<ArrayBuffer> {
  return macOf(secret, ['payload', scope.spenderId, scope.upstream, scope.route, canonical(payload)])
}

/** A caller's idempotency key, and what came with it. */
export interface Key {
  readonly hash: Uint8Array
  readonly digest: Uint8Array
  /** Of the request as it was written, which the version before this one kept; a later version goes without. */
  readonly formerDigest?: () => Uint8Array
}

/** The key of a call that asks for this, as it was read; null where it has none. */
export function keyOf(secret: Uint8Array, scope: KeyScope, idempotencyKey: string | null, asked: unknown): Key | null {
  if (idempotencyKey === null) return null
  return { hash: hashIdempotencyKey(secret, scope, idempotencyKey), digest: digestPayload(secret, scope, asked) }
}

/** Throws INVALID_INPUT for a call that allows a repeat and has no key. */
export function checkAllowedRepeat(call: {
  readonly allowRepeat: boolean
  readonly idempotencyKey: string | null
}): void {
  if (!call.allowRepeat || call.idempotencyKey !== null) return
  throw new ApiError('INVALID_INPUT', {
    message: "Invalid value for field 'allowRepeat': it needs a fresh Idempotency-Key beside it.",
  })
}

/** What would be sent to one person. */
export interface RepeatableSms {
  readonly msisdn: string
  /** As it was read: a number by its digits. */
  readonly sender: string
  readonly message: string
  readonly coding: number
  readonly udh: string | null
  readonly scheduledAt: Date | null
}

/** Fingerprint of a message to one recipient, as `send_message.fingerprint` keeps it. */
export function fingerprintOfSms(
  secret: Uint8Array,
  { spenderId, upstream }: Omit<KeyScope, 'route'>,
  { msisdn, sender, message, coding, udh, scheduledAt }: RepeatableSms,
): Uint8Array<ArrayBuffer> {
  const when = scheduledAt?.toISOString() ?? ''
  return macOf(secret, ['sms', spenderId, upstream, msisdn, sender, message, String(coding), udh ?? '', when])
}

/** Fingerprint of a lookup: the number alone. */
export function fingerprintOfLookup(
  secret: Uint8Array,
  { spenderId, upstream }: Omit<KeyScope, 'route'>,
  msisdn: string,
): Uint8Array<ArrayBuffer> {
  return macOf(secret, ['hlr', spenderId, upstream, msisdn])
}

/** A list of texts is written so that no two lists are written alike. */
function macOf(secret: Uint8Array, texts: readonly string[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(mac(secret, JSON.stringify(texts)))
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member === 'bigint') return { micros: String(member) }
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}
