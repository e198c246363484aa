import {
  isAddress,
  likeness,
  mixesAlphabets,
  nameOf,
  registrableDomain,
  type Seen,
  spelled,
} from '../connections/imitation.ts'
import type { Words } from '../words/words.ts'

/** What a person should know before believing a client: a sentence each, none for one that imitates nobody. */
export function warningsOf(client: Seen, t: Words): string[] {
  const w = t.consent.warnings
  const { foreign, host, isSchemeLikeOurs, isNameLikeOurs } = likeness(client)
  const owner = foreign[0] === undefined ? w.notOurApp : registrableDomain(host ?? foreign[0])
  const likeOurs =
    host === null ? w.nameLikeOurs(owner) : isNameLikeOurs ? w.bothLikeOurs(host, owner) : w.hostLikeOurs(host, owner)
  return [
    ...new Set([
      ...(host !== null || isNameLikeOurs ? [likeOurs] : []),
      ...(isSchemeLikeOurs ? [w.schemeLikeOurs(client.scheme)] : []),
      ...foreign.flatMap((one) => hostWarnings(one, w)),
      ...(mixesAlphabets(client.name) ? [w.mixedName] : []),
    ]),
  ]
}

function hostWarnings(host: string, w: Words['consent']['warnings']): string[] {
  const name = nameOf(host)
  if (isAddress(name)) return [w.bareAddress(host)]
  const shown = spelled(host)
  return [...(shown !== name ? [w.shownAs(name, shown)] : []), ...(mixesAlphabets(shown) ? [w.mixedHost(name)] : [])]
}
