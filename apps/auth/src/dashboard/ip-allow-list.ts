import { isIP } from 'node:net'

/** Entries a token's allow-list may have. */
export const MAX_ALLOW_LIST_ENTRIES = 50

/** The entries of what was typed: separated by new lines, spaces, commas or semicolons; repeats dropped. */
export function splitAllowList(text: string): string[] {
  return [
    ...new Set(
      text
        .toLowerCase()
        .split(/[\s,;]+/)
        .filter(Boolean),
    ),
  ]
}

/** True for an IPv4 or IPv6 address, or a CIDR block of one (RFC 4632, RFC 4291 §2.3); zone ids are refused. */
export function isAllowListEntry(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}
