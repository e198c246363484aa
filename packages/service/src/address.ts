import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Whether an address belongs to the public Internet (IANA special-purpose registries). False for loopback, private,
 * link-local (cloud metadata), shared, multicast, documentation and reserved ranges, and for every IPv6 form that
 * carries an IPv4 address inside: those are judged by what they carry. False for anything that is not an address.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast' && !parsed.match(...BENCHMARK)
  const embedded = embeddedIpv4(parsed)
  if (embedded) return isPublicAddress(embedded)
  // Only what has been handed out as global unicast; all the rest is special or unassigned.
  return parsed.match(...GLOBAL_UNICAST) && parsed.range() === 'unicast'
}

/** Whether a literal address or name is this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return host === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

const BENCHMARK = ipaddr.IPv4.parseCIDR('198.18.0.0/15')
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/** Prefix, and the byte at which the IPv4 address stands. Deprecated forms are still routed by some hosts. */
const CARRIERS: { range: [ipaddr.IPv6, number]; at: number }[] = [
  { range: ipaddr.IPv6.parseCIDR('::ffff:0:0/96'), at: 12 },
  { range: ipaddr.IPv6.parseCIDR('::ffff:0:0:0/96'), at: 12 },
  { range: ipaddr.IPv6.parseCIDR('64:ff9b::/96'), at: 12 },
  { range: ipaddr.IPv6.parseCIDR('2002::/16'), at: 2 },
]

function embeddedIpv4(address: ipaddr.IPv6): string | null {
  const carrier = CARRIERS.find(({ range }) => address.match(...range))
  if (!carrier) return null
  return address
    .toByteArray()
    .slice(carrier.at, carrier.at + 4)
    .join('.')
}
