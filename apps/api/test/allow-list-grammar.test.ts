import { normalizeAddress, readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAddressAllowed } from '../src/guard/address.ts'

const hex = fc.nat(0xffff).map((group) => group.toString(16))
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((dotted) => `::ffff:${dotted}`),
  fc.tuple(hex, hex).map(([high, low]) => `::FFFF:${high}:${low}`),
  fc.tuple(fc.ipV6(), fc.constantFrom('eth0', '1')).map(([bare, zone]) => `${bare}%${zone}`),
  fc.constantFrom('127.1', '010.0.0.1', '0x7f.0.0.1', ' 10.0.0.1', '', 'localhost', '::ffff:0:1.2.3.4'),
)
const entry = fc.oneof(
  address,
  fc.tuple(address, fc.nat(140)).map(([host, bits]) => `${host}/${bits}`),
  fc.tuple(address, fc.constantFrom('', '-1', '08', '1e1', '0x8', '8/8', ' 8')).map(([host, end]) => `${host}/${end}`),
)
const RUNS = { numRuns: 3_000 }

/** The addresses of a block that stand at its two ends, by arithmetic of our own. */
function ends({ family, address, bits }: NonNullable<ReturnType<typeof readAllowListEntry>>): string[] {
  const size = family === 'ipv4' ? 32 : 128
  const value = family === 'ipv4' ? fromDotted(address) : fromColons(address)
  const host = (1n << BigInt(size - bits)) - 1n
  return [value & ~host, value | host].map(family === 'ipv4' ? toDotted : toColons)
}
const fromDotted = (text: string) => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
const toDotted = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
function fromColons(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => part.split(':').filter(Boolean)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - groups(head).length - after.length }, () => '0')
  return [...groups(head), ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}
const toColons = (value: bigint) =>
  Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(':')

describe('an entry of an allow-list', () => {
  test('lets in its own address and both ends of its block when it is accepted, and nobody when it is not', () => {
    const seen = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(entry, (text) => {
        const block = readAllowListEntry(text)
        const own = normalizeAddress(text.split('/')[0] ?? '')
        seen[block ? 'accepted' : 'refused'] += 1
        expect(own !== null && isAddressAllowed([text], own)).toBe(block !== null)
        for (const end of block ? ends(block) : []) {
          // A caller inside the mapped range is an IPv4 address, which no block of IPv6 holds.
          if (normalizeAddress(end)?.includes('.') === (block?.family === 'ipv4'))
            expect([end, isAddressAllowed([text], normalizeAddress(end))]).toEqual([end, true])
        }
      }),
      RUNS,
    )
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(RUNS.numRuns / 10)
  })

  test('keeps out the address before its block and the one after it', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), (host, bits) => {
        const [first = '', last = ''] = ends({ family: 'ipv4', address: host, bits })
        const around = [fromDotted(first) - 1n, fromDotted(last) + 1n].filter(
          (value) => value >= 0n && value < 1n << 32n,
        )
        for (const value of around) {
          expect(isAddressAllowed([`${host}/${bits}`], toDotted(value))).toBe(false)
          expect(isAddressAllowed([`::ffff:${host}/${bits + 96}`], toDotted(value))).toBe(false)
        }
      }),
      RUNS,
    )
  })

  test('that cannot be read takes nothing from the readable ones beside it', () => {
    expect(isAddressAllowed(['::ffff:1.2.3.4/64', '192.0.2.1'], '192.0.2.1')).toBe(true)
    expect(isAddressAllowed(['::ffff:1.2.3.4/64', '192.0.2.1'], '1.2.3.4')).toBe(false)
  })
})
