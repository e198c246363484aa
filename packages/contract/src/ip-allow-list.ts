import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The kind of an address; one inside the other is not meant: `::/0` holds no IPv4 address. */
export type AddressFamily = 'ipv4' | 'ipv6'

/** What one entry of an allow-list allows: every address of `family` whose first `bits` bits are those of `address`. */
export interface AddressBlock {
  readonly family: AddressFamily
  /** In its one spelling, see {@link normalizeAddress}. */
  readonly address: string
  readonly bits: number
}

const BITS: Readonly<Record<AddressFamily, number>> = { ipv4: 32, ipv6: 128 }

/** Bits that a mapped IPv4 block has before the IPv4 address begins (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX_BITS = 96

/** The family of an address as {@link normalizeAddress} gives it. */
export function familyOf(address: string): AddressFamily {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

/**
 * One spelling for one address (RFC 5952): an IPv4 address mapped into IPv6 becomes the IPv4 address, a zone is
 * dropped. Null for anything that is no IP address; abbreviated, octal and hexadecimal IPv4 is none.
 */
export function normalizeAddress(text: string): string | null {
  const address = text.trim().replace(/%.*$/, '')
  if (isIP(address) === 0) return null
  return isIPv4(address) ? address : ipaddr.process(address).toString()
}

/**
 * Reads one entry: an IPv4 or IPv6 address, or a CIDR block of one (RFC 4632, RFC 4291 §2.3). A mapped IPv4 address is
 * that IPv4 address, and a block of mapped addresses begins at 96 bits, because a larger one holds what is no IPv4
 * address. Null for everything else, zones and spaces included. Who stores an entry and who judges callers by it both
 * ask here: what is accepted is what can be matched.
 */
export function readAllowListEntry(entry: string): AddressBlock | null {
  const [host = '', prefix, ...rest] = entry.split('/')
  // An address may carry a zone or stand between spaces; an entry that does means something that cannot be matched.
  const address = isIP(host) === 0 || host.includes('%') ? null : normalizeAddress(host)
  if (address === null || rest.length > 0) return null
  const family = familyOf(address)
  if (prefix === undefined) return { family, address, bits: BITS[family] }
  if (!/^\d{1,3}$/.test(prefix)) return null
  const bits = Number(prefix) - (family === 'ipv4' && !isIPv4(host) ? MAPPED_PREFIX_BITS : 0)
  return bits >= 0 && bits <= BITS[family] ? { family, address, bits } : null
}
