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

/** Whom a limit counts under one address, from the one site to the network around it. */
export interface AddressGroups {
  /** The IPv4 address, or the IPv6 /64: what one line, and every host on it, is given. */
  readonly narrow: string
  /** The IPv6 /48 around it, for a second and wider ceiling, because one customer may be given all of it; null for IPv4. */
  readonly wide: string | null
}

const SITE_BITS = 64
const NETWORK_BITS = 48

/**
 * The groups under which every limit counts an address. A zone is dropped, and an IPv6 form that carries an IPv4
 * address (mapped, translated, NAT64, 6to4) is that address. All that is no address is one group, so that what cannot
 * be read shares one ceiling and is not free of it.
 */
export function addressGroups(address: string): AddressGroups {
  const bare = address.trim().replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 0) return { narrow: 'unknown', wide: null }
  if (family === 4) return { narrow: bare, wide: null }
  const parsed = ipaddr.IPv6.parse(bare)
  const embedded = embeddedIpv4(parsed)
  if (embedded !== null) return { narrow: embedded, wide: null }
  return { narrow: network(parsed, SITE_BITS), wide: network(parsed, NETWORK_BITS) }
}

function network(address: ipaddr.IPv6, bits: number): string {
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`)}/${bits}`
}

/** The names under which this machine itself is called, as `URL.hostname` spells them (RFC 8252 §7.3, and `localhost`). */
export const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

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
