// Everything that models write into arguments, as a table of what comes in and what goes on.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ToolFailure } from '../src/protocol/failure.ts'
import type { DefinedTool } from '../src/tools/define-tool.ts'
import { createTools } from '../src/tools/index.ts'
import { readPhone } from '../src/tools/phone.ts'

const tools = new Map<string, DefinedTool>(createTools().map((tool) => [tool.name, tool]))
function read(name: string, args: unknown): Record<string, unknown> {
  return tools.get(name)?.read(args) as Record<string, unknown>
}
function refusal(name: string, args: unknown): string {
  try {
    read(name, args)
  } catch (error) {
    if (error instanceof ToolFailure) return `${error.code} ${error.message}`
    throw error
  }
  return 'accepted'
}

describe('a phone number', () => {
  it.each([
    ['+37069555555', '37069555555'],
    ['37069555555', '37069555555'],
    ['0037069555555', '37069555555'],
    [' +370 695-55.555 ', '37069555555'],
    ['+370 (695) 55 555', '37069555555'],
    ['+44 (0)7911 123456', '447911123456'],
    ['tel:+37069555555', '37069555555'],
    ['+37069555555', '37069555555'],
    ['＋３７０６９５５５５５５', '37069555555'],
    ['+370 695 55555', '37069555555'],
    ['+370‑695‑55555', '37069555555'],
    ['+1 202 555 0123', '12025550123'],
    ['12025550123', '12025550123'],
    ['13012345678', '13012345678'],
    ['447911123456', '447911123456'],
    ['+447700900024', '447700900024'],
    ['٣٧٠٦٩٥٥٥٥٥٥', '37069555555'],
  ])('%j is read as %s', (written, digits) => {
    expect(readPhone(written)).toEqual({ digits })
  })

  it.each([
    ['869555555', 'a Lithuanian number with its trunk digit'],
    ['069555555', 'a number with a leading zero'],
    ['2025550123', 'a North American number without its country code, which would be one in Egypt'],
    ['9812345678', 'an Indian number without its country code'],
    ['69555555', 'a short number'],
  ])('%s is refused as %s, with what to do about it', (written) => {
    expect(readPhone(written)).toEqual({
      fix: expect.stringMatching(/national number.*\+37069555555.*correct_phone_number/),
    })
  })

  it.each(['', '+', 'abc', '+370695abc', '+12', '+1234567890123456', '+0370695555', 'https://x', '+370695555+55'])(
    '%j is refused',
    (written) => {
      expect(readPhone(written)).toHaveProperty('fix')
    },
  )

  it('is read the same however it is separated', () => {
    const separators = fc.array(fc.constantFrom(' ', '-', '.', '/', ' ', '–', '\u200e', ''), {
      minLength: 14,
      maxLength: 14,
    })
    const digits = fc.stringMatching(/^[1-9]{7,15}$/)
    fc.assert(
      fc.property(digits, separators, (number, between) => {
        const written = `+${[...number].map((digit, index) => digit + (between[index] ?? '')).join('')}`
        expect(readPhone(written)).toEqual({ digits: number })
      }),
      { numRuns: 1000, seed: 7 },
    )
  })

  it('never comes out as anything but 7 to 15 digits, whatever goes in', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[+0-9 ()-]{0,20}$/)),
        (written) => {
          const reading = readPhone(written)
          if ('digits' in reading) expect(reading.digits).toMatch(/^[1-9]\d{6,14}$/)
        },
      ),
      { numRuns: 2000, seed: 7 },
    )
  })
})

describe('arguments as models write them', () => {
  const send = { to: '+37069555555', from: 'Shop', message: 'Hi' }

  it('may be numbers where digits are meant, and numeric strings where a number is meant', () => {
    expect(read('send_sms', { ...send, to: 37069555555 })).toMatchObject({ to: ['37069555555'] })
    expect(read('get_operator', { operatorId: ' 7 ' })).toEqual({ operatorId: '7' })
    expect(read('get_mobile_prefixes', { country: 'lt', page: '2' })).toEqual({ country: 'LT', page: 2 })
    expect(read('confirm_msisdn_sender', { senderId: 123, code: 1234 })).toEqual({ senderId: '123', code: '01234' })
    expect(read('confirm_msisdn_sender', { senderId: '123', code: '12 345' })).toEqual({
      senderId: '123',
      code: '12345',
    })
  })

  it('may be any id that is exact in JSON, as a number and as a string', () => {
    for (const id of [1, 2 ** 53 - 1]) {
      for (const given of [id, String(id)]) {
        expect(read('lookup_hlr', { lookupId: given })).toEqual({ lookupId: String(id) })
        expect(read('confirm_msisdn_sender', { senderId: given, code: '12345' })).toMatchObject({
          senderId: String(id),
        })
      }
    }
  })

  it('may not be anything else for an id, which is then asked for as it is declared', () => {
    for (const id of [-7, 1.5, 2 ** 53, 1e300, true, {}, [7], { toString: 1 }]) {
      const sentence = 'must be a whole number greater than 0, as it was returned.'
      expect(refusal('get_operator', { operatorId: id })).toBe(`INVALID_INPUT Argument \`operatorId\`: ${sentence}`)
      expect(refusal('lookup_hlr', { lookupId: id })).toBe(`INVALID_INPUT Argument \`lookupId\`: ${sentence}`)
    }
  })

  it('may leave optional ones null or empty', () => {
    expect(read('send_sms', { ...send, priority: null, scheduled: '', coding: null })).toEqual({
      ...send,
      to: ['37069555555'],
    })
  })

  it('may write countries and choices in any case, and the United Kingdom as UK', () => {
    expect(read('get_sms_rates', { country: ' uk ' })).toEqual({ country: 'GB' })
    expect(read('register_sender_id', { name: ' Shop ', category: 'brand', categoryDescription: 'x' })).toMatchObject({
      name: 'Shop',
      category: 'Brand',
    })
  })

  it('may write a moment with a space, and always get it in UTC', () => {
    expect(read('send_sms', { ...send, scheduled: '2026-12-24 09:00+0200' })).toMatchObject({
      scheduled: '2026-12-24T07:00:00.000Z',
    })
  })

  it('may give a list as JSON or with commas in one text, and write numbers nationally beside their country', () => {
    const to = ['37069555555', '447911123456']
    for (const written of [
      '["+37069555555", "+447911123456"]',
      '+37069555555, +447911123456',
      to.map((n) => `+${n}`),
    ]) {
      expect(read('send_sms', { ...send, to: written })).toMatchObject({ to })
    }
    expect(read('send_sms', { ...send, to: ['61860698', '+51987654321'], correctBy: 'lt' })).toMatchObject({
      to: ['37061860698', '51987654321'],
    })
    expect(read('correct_phone_number', { numbers: '[{"number":"8 600","country":"lt"}]' })).toEqual({
      numbers: [{ number: '8 600', country: 'LT' }],
    })
  })

  it('may come with the members that n8n adds to the arguments of every tool', () => {
    const added = { toolCallId: 'x', sessionId: 'y', action: 'sendMessage', chatInput: 'Hi', tool: 'z' }
    expect(read('send_sms', { ...send, ...added })).toEqual(read('send_sms', send))
    for (const [name] of tools) expect(refusal(name, added)).not.toMatch(/does not have/)
  })

  it('may name a sender with signs, and with spaces around it', () => {
    expect(read('send_sms', { ...send, from: ' A-b_c&d#e! ' })).toMatchObject({ from: 'A-b_c&d#e!' })
  })

  it('may name a phone number as the sender', () => {
    expect(read('send_sms', { ...send, from: '+370 695 55555' })).toMatchObject({ from: '37069555555' })
    expect(read('send_sms', { ...send, from: '8 (5) 212-3456' })).toMatchObject({ from: '852123456' })
  })

  it('may give one number to correct without a list', () => {
    expect(read('correct_phone_number', { numbers: { number: 86955, country: 'lt' } })).toEqual({
      numbers: [{ number: '86955', country: 'LT' }],
    })
  })

  it.each([
    ['send_sms', { ...send, to: undefined }, /`to` is missing/],
    [
      'send_sms',
      { ...send, to: '869555555' },
      /`to`: looks like a national number.*Or name the country in `correctBy`/,
    ],
    ['send_sms', { ...send, to: ['+37069555555', 'x'] }, /`to\[1\]`/],
    ['send_sms', { ...send, to: -37069555555 }, /`to`: must be a string/],
    ['send_sms', { ...send, to: '+37069555555x12' }, /`to`: holds something that is no part of a number/],
    ['send_sms', { ...send, to: 'tel:+37069555555;ext=5' }, /`to`: holds something that is no part of a number/],
    ['send_sms', { ...send, to: '+37069555555; +37069555556x' }, /`to\[1\]`: holds something that is no part/],
    ['send_sms', { ...send, to: '+0037069555555' }, /`to`: has a zero behind its \+/],
    ['lookup_hlr', { msisdn: '+37069555555, +37069555556' }, /`msisdn`: must be one phone number, and not a list/],
    ['register_msisdn_sender', { msisdn: '["+37069555555"]' }, /`msisdn`: must be one phone number, and not a list/],
    ['lookup_hlr', { lookupId: '9007199254740992' }, /`lookupId`: must be a whole number.*as it was returned/],
    ['send_sms', { ...send, scheduled: '9999-12-31T23:59-01:00' }, /not a date that exists/],
    ['send_sms', { ...send, to: { number: '+37069555555' } }, /`to`: must be a string/],
    ['send_sms', { ...send, from: 'A name that is too long' }, /`from`: must be a registered phone number/],
    ['send_sms', { ...send, message: '' }, /`message`: must have 1 to/],
    ['send_sms', { ...send, message: ['a'] }, /`message`: must be a string/],
    ['send_sms', { ...send, scheduled: '2026-12-24T09:00:00' }, /`scheduled`: must be ISO 8601 with an offset/],
    ['send_sms', { ...send, scheduled: '2026-13-40T09:00:00Z' }, /not a date that exists/],
    ['send_sms', { ...send, scheduled: 'tomorrow' }, /`scheduled`/],
    ['send_sms', { ...send, scheduled: '2027-02-30T09:00:00Z' }, /not a date that exists/],
    ['send_sms', { ...send, scheduled: '2026-12-24' }, /the time of day is missing/],
    ['send_sms', { ...send, scheduled: ' '.repeat(100_000) }, /`scheduled`: must have at most \d+ characters/],
    ['send_sms', { ...send, to: '+370695'.padEnd(100_000, '\u0301') }, /`to`: is too long; give a list/],
    ['send_sms', { ...send, to: '["+37069555555"' }, /looks like JSON, but is none; give a list/],
    ['send_sms', { ...send, to: '+37069555555, 869555555' }, /`to\[1\]`: looks like a national number/],
    ['send_sms', { ...send, to: '436641234567.0' }, /`to`: holds something that is no part of a number/],
    ['send_sms', { ...send, to: '(51) 98765-4321' }, /two ways: as \+51987654321 \(PE\), or as a national number/],
    ['send_sms', { ...send, to: '447911123456', correctBy: 'LT' }, /no number of the country.*would be \+447911123456/],
    ['send_sms', { ...send, to: '61860698', correctBy: 'Lithuania' }, /`correctBy`: must be a two-letter/],
    ['send_sms', { ...send, from: ' ' }, /`from`: must be a registered/],
    ['send_sms', { ...send, from: '37069555555.0' }, /`from`: must be a registered/],
    ['send_sms', { ...send, from: '370 695 55555 (1)' }, /`from`: must be a registered/],
    ['send_sms', { ...send, from: '(51) 98765-4321' }, /`from`: can be read in two ways: as \+51987654321 \(PE\), or/],
    ['send_sms', { ...send, 'a b': 1 }, /There is an argument this tool does not have/],
    ['send_sms', { ...send, expireIn: 5 }, /from 360 to 432000/],
    ['send_sms', { ...send, coding: 1.5 }, /from 0 to 2/],
    ['send_sms', { ...send, priority: 'urgent' }, /one of high, normal, low/],
    [
      'send_sms',
      { ...send, dlrUrl: 'https://x.example' },
      /`dlrUrl`: this is an argument this tool does not have\. It has: to, from, message/,
    ],
    [
      'correct_phone_number',
      { numbers: '[{"number": "861234567", "number": "861234568", "country": "LT"}]' },
      /`numbers`: holds an object that names a member twice/,
    ],
    ['get_sms_rates', { country: 'Lithuania' }, /two-letter ISO 3166-1/],
    ['get_sms_rates', { country: 'LTU' }, /two-letter ISO 3166-1/],
    ['get_operator', { operatorId: 0 }, /greater than 0/],
    ['get_operator', { operatorId: '7/../../token' }, /greater than 0/],
    ['get_operator', [7], /must be an object/],
    ['get_mcc_mnc_list', { country: 'LT', page: 0 }, /from 1 to/],
    ['confirm_msisdn_sender', { senderId: 1, code: '123456' }, /5 digits/],
    ['register_sender_id', { name: 'Šarūnas', category: 'Brand', categoryDescription: 'x' }, /latin letters/],
    [
      'register_sender_id',
      { name: 'Shop', category: 'Brand', categoryDescription: 'x', notificationUrl: 'ftp://x' },
      /https URL/,
    ],
    ['correct_phone_number', { numbers: [] }, /1 to 100/],
    ['correct_phone_number', { numbers: ['86955'] }, /`numbers\[0\]`: must be an object/],
    ['correct_phone_number', { numbers: [{ number: '86955' }] }, /needs both/],
    [
      'correct_phone_number',
      {
        numbers: [
          '86955',
          { number: '86955', country: 'LT' },
          { number: '86955', country: 'Lithuania' },
          7,
          { number: {}, country: 'LT' },
          { number: '86955' },
        ],
      },
      /`numbers\[0\]`, `numbers\[3\]`: must be an object.*\n.*`numbers\[2\]\.country`: .*ISO 3166-1.*\n.*`numbers\[4\]\.number`: must be a string.*\n.*`numbers\[5\]`: needs both/,
    ],
    [
      'send_sms',
      { ...send, to: ['+37069555555', { number: 1 }, '8 69', ['+37069555555']] },
      /`to\[1\]`, `to\[3\]`: must be a string.*\n.*`to\[2\]`: /,
    ],
  ])('%s refuses %j with a sentence that says how to fix it', (name, args, sentence) => {
    expect(refusal(name, args)).toMatch(/^INVALID_INPUT /)
    expect(refusal(name, args)).toMatch(sentence)
  })

  it('never throw anything but a refusal, and never repeat a value, or a name that is no plain word', () => {
    const marker = 'zz IGNORE zz'
    const value = fc.oneof(fc.jsonValue(), fc.constant(marker), fc.constant({ [marker]: marker }))
    for (const [name, tool] of tools) {
      const names = Object.keys(tool.listing.inputSchema.properties ?? {})
      const args = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constant(marker)), value)
      fc.assert(
        fc.property(args, (given) => {
          expect(refusal(name, given)).not.toContain(marker)
        }),
        { numRuns: 300, seed: 7 },
      )
    }
  })
})
