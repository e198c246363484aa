import { QUOTE_SECONDS } from '@vertexsms/contract/sending'
import { describe, expect, test } from 'vitest'
import { checkQuote, digestSend, type QuoteScope, writeQuote } from '../src/sending/quote.ts'
import {
  digestPayload,
  fingerprintOfLookup,
  fingerprintOfSms,
  hashIdempotencyKey,
  readIdempotencyKey,
} from '../src/sending/repeat.ts'

const SECRET = new Uint8Array(32).fill(7)
const OTHER_SECRET = new Uint8Array(32).fill(8)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
/** True when no two of them are the same. */
const allDiffer = (hashes: readonly Uint8Array[]) => new Set(hashes.map(hex)).size === hashes.length

describe('an idempotency key', () => {
  test.each([
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"8e03978e"', '8e03978e'],
    ['  "a"  ', 'a'],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['a"b', 'a"b'],
    ['~', '~'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ])('is read from %s (RFC 8941 section 3.3.3)', (header, key) => {
    expect(readIdempotencyKey(header)).toBe(key)
  })

  test.each([
    '',
    ' ',
    '""',
    '"',
    '"a',
    'a b',
    '"a b"',
    '"a\\b"',
    '"a"b',
    '"a";x=1',
    '"a", "b"',
    'a, b',
    'ключ',
    'a\tb',
    'a\x7f',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
  ])('is refused as %j', (header) => {
    expect(readIdempotencyKey(header)).toBeUndefined()
  })

  test('is absent without a header, and refused where there are two', () => {
    expect(readIdempotencyKey(undefined)).toBeNull()
    expect(readIdempotencyKey(['a', 'b'])).toBeUndefined()
  })

  test('is another one for another spender, upstream, route and secret', () => {
    const scope = { spenderId: 's1', upstream: 'sandbox', route: 'POST /sms' } as const
    const hashes = [
      hashIdempotencyKey(SECRET, scope, 'k'),
      hashIdempotencyKey(SECRET, { ...scope, spenderId: 's2' }, 'k'),
      hashIdempotencyKey(SECRET, { ...scope, upstream: 'vertexsms' }, 'k'),
      hashIdempotencyKey(SECRET, { ...scope, route: 'POST /sms/batch' }, 'k'),
      hashIdempotencyKey(OTHER_SECRET, scope, 'k'),
      hashIdempotencyKey(SECRET, scope, 'K'),
    ]
    expect(allDiffer(hashes)).toBe(true)
    expect(hex(hashIdempotencyKey(SECRET, scope, 'k'))).toBe(hex(hashIdempotencyKey(SECRET, { ...scope }, 'k')))
  })
})

describe('the digest of a request', () => {
  const scope = { spenderId: 's1', upstream: 'sandbox', route: 'POST /sms' } as const
  const digest = (payload: unknown) => hex(digestPayload(SECRET, scope, payload))

  test('does not depend on the order of members or on those left out', () => {
    expect(digest({ to: '1', from: 'A', more: { x: 1, y: 2n } })).toBe(
      digest({ more: { y: 2n, x: 1 }, from: 'A', to: '1', udh: undefined }),
    )
  })

  test('changes with every value, with the order of a list, and between a text and a number', () => {
    const payloads = [
      { to: ['1', '2'] },
      { to: ['2', '1'] },
      { to: '1' },
      { to: 1 },
      { to: 1n },
      { to: '1', from: '' },
      {},
    ]
    expect(new Set(payloads.map(digest)).size).toBe(payloads.length)
  })
})

describe('a fingerprint', () => {
  const scope = { spenderId: 's1', upstream: 'sandbox' } as const
  const sms = { msisdn: '37060000001', sender: 'Acme', message: 'Hi', coding: 0, udh: null, scheduledAt: null }

  test('differs with each thing that makes another message', () => {
    const hashes = [
      fingerprintOfSms(SECRET, scope, sms),
      fingerprintOfSms(SECRET, { ...scope, spenderId: 's2' }, sms),
      fingerprintOfSms(SECRET, { ...scope, upstream: 'vertexsms' }, sms),
      fingerprintOfSms(SECRET, scope, { ...sms, msisdn: '37060000002' }),
      fingerprintOfSms(SECRET, scope, { ...sms, sender: 'AcmeH', message: 'i' }),
      fingerprintOfSms(SECRET, scope, { ...sms, message: 'Hi ' }),
      fingerprintOfSms(SECRET, scope, { ...sms, coding: 2 }),
      fingerprintOfSms(SECRET, scope, { ...sms, udh: '0500' }),
      fingerprintOfSms(SECRET, scope, { ...sms, scheduledAt: new Date(0) }),
      fingerprintOfLookup(SECRET, scope, '37060000001'),
      fingerprintOfLookup(SECRET, scope, '37060000002'),
    ]
    expect(allDiffer(hashes)).toBe(true)
    expect(hex(fingerprintOfSms(SECRET, scope, { ...sms }))).toBe(hex(hashes[0] ?? new Uint8Array()))
  })
})

describe('a quote', () => {
  const send = {
    upstream: 'sandbox',
    recipients: ['37060000001', '37060000002'],
    sender: 'Acme',
    message: 'Hi',
    coding: 0,
    udh: null,
    scheduledAt: null,
    expireInSeconds: null,
  } as const
  const scope: QuoteScope = { spenderId: 's1', upstream: 'sandbox', generation: 1, digest: digestSend(SECRET, send) }
  const now = new Date('2026-11-26T12:00:00Z')
  const end = new Date(now.getTime() + QUOTE_SECONDS * 1000)
  const written = writeQuote(SECRET, scope, 123_456_789_012n, end)
  const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)

  test('tells its price until its ten minutes are over', () => {
    expect(written.length).toBeLessThanOrEqual(400)
    expect(checkQuote(SECRET, scope, written, now)).toEqual({ kind: 'ok', priceMicros: 123_456_789_012n })
    expect(checkQuote(SECRET, scope, written, after(QUOTE_SECONDS - 1))).toMatchObject({ kind: 'ok' })
    expect(checkQuote(SECRET, scope, written, after(QUOTE_SECONDS))).toEqual({ kind: 'expired' })
  })

  test('is none for another spender, upstream, account at the upstream, send or secret', () => {
    const others: QuoteScope[] = [
      { ...scope, spenderId: 's2' },
      { ...scope, upstream: 'vertexsms' },
      { ...scope, generation: 2 },
      { ...scope, digest: digestSend(SECRET, { ...send, message: 'Ho' }) },
    ]
    for (const other of others) expect(checkQuote(SECRET, other, written, now)).toEqual({ kind: 'other' })
    expect(checkQuote(OTHER_SECRET, scope, written, now)).toEqual({ kind: 'other' })
  })

  test('with a price or an end of the holder’s own is none of ours', () => {
    const [version, price, , mac] = written.split('.')
    const later = Math.floor(after(99_999).getTime() / 1000).toString(36)
    const forged = [
      `${version}.${price}.${later}.${mac}`,
      written.replace(`.${price}.`, '.zzzzzz.'),
      `${written}A`,
      '',
      'q1...',
    ]
    for (const quote of forged) expect(checkQuote(SECRET, scope, quote, now)).toEqual({ kind: 'other' })
  })

  test('is for the same people in any order, and for no other send', () => {
    const same = digestSend(SECRET, { ...send, recipients: ['37060000002', '37060000001', '37060000002'] })
    expect(hex(same)).toBe(hex(scope.digest))
    const digests = [
      send,
      { ...send, recipients: ['37060000001'] },
      { ...send, sender: 'Acm', message: 'eHi' },
      { ...send, message: 'Hi\u200b' },
      { ...send, coding: 2 },
      { ...send, udh: '0500' },
      { ...send, scheduledAt: now },
      { ...send, expireInSeconds: 360 },
      { ...send, upstream: 'vertexsms' as const },
    ].map((one) => digestSend(SECRET, one))
    expect(allDiffer(digests)).toBe(true)
  })
})
