/** A network that a carrier name may stand for. */
export interface Candidate {
  readonly id: number
  readonly names: readonly string[]
}

const EMPTY_WORDS = new Set(
  'mobile telecom telecommunications communications company limited ltd llc sa gmbh ag ab as plc inc the of group network networks wireless cellular gsm pty'.split(
    ' ',
  ),
)

/** Lower-case latin words of a name; marks, legal forms and the words that every operator uses are dropped. */
function words(name: string): string[] {
  const all = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/([a-z])(\d)/g, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
  const telling = all.filter((word) => !EMPTY_WORDS.has(word))
  return telling.length > 0 ? telling : all
}

function score(left: readonly string[], right: readonly string[]): number {
  if (left.join('') === right.join('')) return 1
  const shared = left.filter((word) => right.includes(word)).length
  return (0.9 * shared) / Math.min(left.length, right.length) - 0.01 * Math.abs(left.length - right.length)
}

/** The candidate whose name says the same as `carrier`, undefined where none shares enough of its words. */
export function bestMatch(carrier: string, candidates: readonly Candidate[]): number | undefined {
  const wanted = words(carrier)
  let best: { id: number; score: number } | undefined
  for (const candidate of candidates) {
    for (const name of candidate.names) {
      const value = score(wanted, words(name))
      if (value >= 0.4 && (best === undefined || value > best.score)) best = { id: candidate.id, score: value }
    }
  }
  return best?.id
}
