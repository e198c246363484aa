import { describe, expect, it } from 'vitest'
import { addressGroups } from '../src/address.ts'

describe('address groups', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7%eth0', '192.0.2.7'],
    ['::ffff:0:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['2002:c000:207:1::5', '192.0.2.7'],
    [' 192.0.2.7 ', '192.0.2.7'],
  ])('count %s as the IPv4 address it carries', (address, narrow) => {
    expect(addressGroups(address)).toEqual({ narrow, wide: null })
  })

  it.each([
    '2001:db8:1:2::1',
    '2001:DB8:1:2:FFFF:ffff:ffff:ffff',
    '2001:0db8:0001:0002:0:0:192.0.2.7',
    '2001:db8:1:2::1%eth0',
  ])('count %s with its /64, and that with its /48', (address) => {
    expect(addressGroups(address)).toEqual({ narrow: '2001:db8:1:2::/64', wide: '2001:db8:1::/48' })
  })

  it('keep two lines of one network apart, and two networks', () => {
    const [first, second, other] = ['2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8:2:2::1'].map(addressGroups)
    expect(first?.narrow).not.toBe(second?.narrow)
    expect(first?.wide).toBe(second?.wide)
    expect(first?.wide).not.toBe(other?.wide)
  })

  it('keep neighbours of IPv4 apart', () => {
    expect(addressGroups('192.0.2.7').narrow).not.toBe(addressGroups('192.0.2.8').narrow)
    expect(addressGroups('64:ff9b::192.0.2.7').narrow).not.toBe(addressGroups('64:ff9b::192.0.2.8').narrow)
  })

  it.each(['', 'unix:', 'canary', '192.0.2.300', '010.0.0.1', '2001:db8::1::2', '192.0.2.7, 192.0.2.8'])(
    'put %j, which is no address, into one group of all such',
    (address) => {
      expect(addressGroups(address)).toEqual({ narrow: 'unknown', wide: null })
    },
  )
})
