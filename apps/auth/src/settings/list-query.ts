// What is asked of the two lists of Settings -> API, and how their rows are looked for and told apart.

const FIND_CHARS_MAX = 60
const ORDERS = ['created', 'used', 'name', 'expires'] as const
/** How the tokens made by hand may be ordered. */
export type Order = (typeof ORDERS)[number]

const SORTS = ['connected', 'used', 'spent'] as const

/** What is looked for in each of the two lists, and how each is ordered. */
export interface Asked {
  readonly q: string
  /** How the connected apps are ordered. */
  readonly sort: (typeof SORTS)[number]
  readonly find: string
  readonly order: Order
}

/** What was asked, and as it was sent, for the ways from page to page. */
export interface Sent {
  readonly query: unknown
  readonly asked: Asked
}

/** What a query asks of the two lists; what it does not ask for, or asks for badly, is as nothing asked. */
export function askedOf(query: unknown): Asked {
  const sent = (query ?? {}) as Record<string, unknown>
  // By whole signs, so that none is cut in two.
  const text = (value: unknown) =>
    typeof value === 'string' ? [...value.trim()].slice(0, FIND_CHARS_MAX).join('') : ''
  return {
    q: text(sent.q),
    sort: SORTS.find((name) => name === sent.sort) ?? 'connected',
    find: text(sent.find),
    order: ORDERS.find((name) => name === sent.order) ?? 'created',
  }
}

/** What the links of either list keep of the other. */
export function kept({ q, sort, find, order }: Asked): Record<string, string> {
  return {
    ...(q && { q }),
    ...(sort !== 'connected' && { sort }),
    ...(find && { find }),
    ...(order !== 'created' && { order }),
  }
}

/** A text as it is looked for: whatever its case, and whether its letters come with their marks or apart from them. */
export function loose(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** The labels, each only once: what comes again is numbered, from 2, past the numbers that labels end in themselves. */
export function distinct(labels: readonly string[]): string[] {
  const taken = new Set(labels)
  const seen = new Map<string, number>()
  return labels.map((label) => {
    if (!seen.has(label)) {
      seen.set(label, 1)
      return label
    }
    let which = (seen.get(label) ?? 1) + 1
    while (taken.has(`${label} (${which})`)) which += 1
    seen.set(label, which)
    return `${label} (${which})`
  })
}
