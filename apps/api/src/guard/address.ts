import { timingSafeEqual } from 'node:crypto'
import { BlockList, isIP, isIPv4 } from 'node:net'
import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { LRUCache } from 'lru-cache'

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i
const MAPPED_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i

/**
 * One spelling for one address: an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) becomes the IPv4 address, a zone
 * is dropped. Null for anything that is no IP address.
 */
export function normalizeAddress(text: string): string | null {
  const address = text.trim().replace(/%.*$/, '')
  if (isIP(address) === 0) return null
  if (isIPv4(address)) return address
  // URL parsing gives the canonical form of every spelling of an IPv6 address.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const dotted = MAPPED.exec(canonical)?.[1]
  if (dotted) return dotted
  const hex = MAPPED_HEX.exec(canonical)
  if (!hex?.[1] || !hex[2]) return canonical
  const value = (Number.parseInt(hex[1], 16) << 16) | Number.parseInt(hex[2], 16)
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.')
}

/** Bits that a mapped IPv4 block has before the IPv4 address begins. */
const MAPPED_PREFIX_BITS = 96

/** One list for each family: in a common one `::/0` would also hold every IPv4 address. */
type AllowList = Record<'ipv4' | 'ipv6', BlockList>

function addEntry(list: AllowList, entry: string): void {
  const [host = '', prefix, ...rest] = entry.trim().split('/')
  const address = normalizeAddress(host)
  if (address === null || rest.length > 0) return
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  if (prefix === undefined) {
    list[family].addAddress(address, family)
    return
  }
  if (!/^\d{1,3}$/.test(prefix)) return
  const mapped = family === 'ipv4' && !isIPv4(host)
  const bits = Number(prefix) - (mapped ? MAPPED_PREFIX_BITS : 0)
  if (bits >= 0 && bits <= (family === 'ipv4' ? 32 : 128)) list[family].addSubnet(address, bits, family)
}

const lists = new LRUCache<string, AllowList>({ max: 1_000 })

/**
 * True when the list is empty or one of its addresses and CIDR blocks holds `address`. An entry that is no address
 * matches nothing; with a list and no known address the answer is no.
 */
export function isAddressAllowed(allowList: readonly string[], address: string | null): boolean {
  if (allowList.length === 0) return true
  if (address === null) return false
  const key = allowList.join(' ')
  let list = lists.get(key)
  if (!list) {
    list = { ipv4: new BlockList(), ipv6: new BlockList() }
    for (const entry of allowList) addEntry(list, entry)
    lists.set(key, list)
  }
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  return list[family].check(address, family)
}

/** What the caller's address is read from. */
interface AddressedRequest {
  readonly ip: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Reads the caller's address: the peer's, or the one our MCP server forwards, which is believed only with the edge
 * secret (compared in constant time). With the right secret and no usable address the answer is null: the MCP
 * server's own address never stands for its callers.
 */
export function createAddressReader(edgeSecret: string): (request: AddressedRequest) => string | null {
  const expected = hashToken(edgeSecret)
  return ({ ip, headers }) => {
    const secret = headers[EDGE_SECRET_HEADER]
    if (typeof secret !== 'string' || !timingSafeEqual(hashToken(secret), expected)) return normalizeAddress(ip)
    const forwarded = headers[CLIENT_ADDRESS_HEADER]
    return typeof forwarded === 'string' ? normalizeAddress(forwarded) : null
  }
}
