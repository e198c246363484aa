import type { Mutant } from './mutants.ts'

/** A text of the source with every change of it. */
interface Place {
  readonly start: number
  readonly end: number
  readonly changes: { readonly id: number; readonly mutant: Mutant }[]
  readonly inside: Place[]
}

/**
 * The source with all its mutants in it, each asleep while `globalThis.isMutant` says no to its id. `ids` gives the id of each; those
 * that have none are left out.
 */
export function instrument(source: string, mutants: readonly Mutant[], ids: readonly number[]): string {
  const root: Place = { start: 0, end: source.length, changes: [], inside: [] }
  const byPlace = new Map<string, Place>()
  mutants.forEach((mutant, index) => {
    const key = `${mutant.start} ${mutant.end}`
    const place = byPlace.get(key) ?? { start: mutant.start, end: mutant.end, changes: [], inside: [] }
    byPlace.set(key, place)
    place.changes.push({ id: ids[index] ?? -1, mutant })
  })
  // Outer ones first: each place goes into the innermost that holds it.
  const open = [root]
  for (const place of [...byPlace.values()].sort((one, other) => one.start - other.start || other.end - one.end)) {
    while ((open.at(-1) as Place).end < place.end) open.pop()
    ;(open.at(-1) as Place).inside.push(place)
    open.push(place)
  }
  return inner(source, root)
}

function inner(source: string, place: Place): string {
  let text = ''
  let at = place.start
  for (const child of place.inside) {
    text += source.slice(at, child.start) + switched(source, child)
    at = child.end
  }
  return text + source.slice(at, place.end)
}

function switched(source: string, place: Place): string {
  const statement = place.changes.find(({ mutant }) => mutant.isStatement)
  // An expression that is all of its statement has changes of its own.
  const text = place.changes
    .filter(({ mutant }) => !mutant.isStatement)
    .reduceRight(
      (otherwise, { id, mutant }) => `(globalThis.isMutant(${id})?(${mutant.text}):${otherwise})`,
      statement ? inner(source, place) : `(${inner(source, place)})`,
    )
  // In braces of their own, so that neither a missing semicolon nor an `else` joins them with a neighbour.
  return statement ? `{if(!globalThis.isMutant(${statement.id})){${text}}}` : text
}
