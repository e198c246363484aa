import { timingSafeEqual } from 'node:crypto'
import { mac } from '@vertexsms/secrets/mac'
import type { UpstreamName } from '../upstream/upstream.ts'

/** What a quote and an approval are for. */
export interface DigestedSend {
  readonly upstream: UpstreamName
  /** International, digits; their order and repetitions do not matter. */
  readonly recipients: readonly string[]
  readonly sender: string
  readonly message: string
  /** That the text goes out in. */
  readonly coding: number
  readonly udh: string | null
  readonly scheduledAt: Date | null
  readonly expireInSeconds: number | null
}

/** Keyed digest of a send under the key `quote`, the same for quote and approval: any change of it is another send. */
export function digestSend(secret: Uint8Array, send: DigestedSend): Uint8Array<ArrayBuffer> {
  const { upstream, sender, message, coding, udh, scheduledAt, expireInSeconds } = send
  const recipients = [...new Set(send.recipients)].sort()
  const when = scheduledAt?.toISOString() ?? null
  const written = JSON.stringify(['send', upstream, recipients, sender, message, coding, udh, when, expireInSeconds])
  return new Uint8Array(mac(secret, written))
}

/** Whose quote it is, and for what. */
export interface QuoteScope {
  readonly spenderId: string
  readonly upstream: UpstreamName
  /** Of the account's token at the upstream. */
  readonly generation: number
  /** {@link digestSend} */
  readonly digest: Uint8Array
}

const FORM = /^q1\.([0-9a-z]{1,13})\.([0-9a-z]{1,8})\.([A-Za-z0-9_-]{43})$/

/**
 * The `quoteId` of a price: the price and its end in seconds, and a MAC over both and over the send. Nothing is stored; it
 * authorises nothing, and says only what its holder was told.
 */
export function writeQuote(secret: Uint8Array, scope: QuoteScope, priceMicros: bigint, expiresAt: Date): string {
  const price = priceMicros.toString(36)
  const end = Math.floor(expiresAt.getTime() / 1000).toString(36)
  return `q1.${price}.${end}.${macOf(secret, scope, price, end).toString('base64url')}`
}

/** What a `quoteId` says of this send: its price, that it is over, or that it is for another send or none of ours. */
export type QuoteCheck =
  | { readonly kind: 'ok'; readonly priceMicros: bigint }
  | { readonly kind: 'expired' }
  | { readonly kind: 'other' }

/** Reads a `quoteId` at a moment of the clock that all nodes share. */
export function checkQuote(secret: Uint8Array, scope: QuoteScope, quoteId: string, now: Date): QuoteCheck {
  const [, price = '', end = '', mac = ''] = FORM.exec(quoteId) ?? []
  const expected = macOf(secret, scope, price, end)
  const given = Buffer.from(mac, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { kind: 'other' }
  if (now.getTime() >= Number.parseInt(end, 36) * 1000) return { kind: 'expired' }
  return { kind: 'ok', priceMicros: readBase36(price) }
}

function macOf(secret: Uint8Array, scope: QuoteScope, price: string, end: string): Buffer {
  const { spenderId, upstream, generation, digest } = scope
  const written = JSON.stringify([
    'quote',
    spenderId,
    upstream,
    generation,
    Buffer.from(digest).toString('hex'),
    price,
    end,
  ])
  return mac(secret, written)
}

function readBase36(text: string): bigint {
  return [...text].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n)
}
