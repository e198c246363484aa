import { timingSafeEqual } from 'node:crypto'
import { BlockList } from 'node:net'
import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { type AddressFamily, familyOf, normalizeAddress, readAllowListEntry } from '@vertexsms/contract/ip-allow-list'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { LRUCache } from 'lru-cache'

/** One list for each family: in a common one `::/0` would also hold every IPv4 address. */
type AllowList = Record<AddressFamily, BlockList>

const lists = new LRUCache<string, AllowList>({ max: 1_000 })

/**
 * True when the list is empty or one of its addresses and CIDR blocks holds `address`. An entry that cannot be
 * read matches nothing; with a list and no known address the answer is no.
 */
export function isAddressAllowed(allowList: readonly string[], address: string | null): boolean {
  if (allowList.length === 0) return true
  if (address === null) return false
  const key = allowList.join(' ')
  let list = lists.get(key)
  if (!list) {
    list = { ipv4: new BlockList(), ipv6: new BlockList() }
    for (const entry of allowList) {
      const block = readAllowListEntry(entry)
      if (block) list[block.family].addSubnet(block.address, block.bits, block.family)
    }
    lists.set(key, list)
  }
  const family = familyOf(address)
  return list[family].check(address, family)
}

/** What the caller's address is read from. */
interface AddressedRequest {
  readonly ip: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** True for a request that our MCP server made, which proves itself by the edge secret (compared in constant time). */
export function createEdgeProof(edgeSecret: string): (request: Pick<AddressedRequest, 'headers'>) => boolean {
  const expected = hashToken(edgeSecret)
  return ({ headers }) => {
    const secret = headers[EDGE_SECRET_HEADER]
    return typeof secret === 'string' && timingSafeEqual(hashToken(secret), expected)
  }
}

/**
 * Reads the caller's address: the peer's, or the one our MCP server forwards, which is believed only with the edge
 * secret. With the right secret and no usable address the answer is null: the MCP server's own address never stands for
 * its callers.
 */
export function createAddressReader(
  isFromMcp: ReturnType<typeof createEdgeProof>,
): (request: AddressedRequest) => string | null {
  return ({ ip, headers }) => {
    if (!isFromMcp({ headers })) return normalizeAddress(ip)
    const forwarded = headers[CLIENT_ADDRESS_HEADER]
    return typeof forwarded === 'string' ? normalizeAddress(forwarded) : null
  }
}
