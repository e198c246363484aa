import type { WhoView } from '../views/pages.ts'
import type { Words } from '../words/words.ts'
import { isClientScheme, LOOPBACK_HOSTS } from './client-places.ts'
import { ownDomains, passesFor, registrableDomain, type Seen } from './imitation.ts'
import type { NamedApp } from './named-app.ts'
import type { NamedSpender } from './names.ts'
import { ACCOUNT_PATH, pathOf } from './spender-paths.ts'

/** For whom names are put, and what is ours. */
export interface Naming {
  readonly t: Words
  readonly ownDomains: ReadonlySet<string>
  /** What was found of each app so far: on a page of a hundred rows most are of a few. */
  readonly found: Map<string, WhoView['passesFor']>
}

/** For a reader of a page of this issuer. */
export function namingFor({ issuerUrl }: { readonly issuerUrl: string }, t: Words): Naming {
  return { t, ownDomains: ownDomains(issuerUrl), found: new Map() }
}

/** How every page calls a spender: an app by the place that its answers go to, then by the name that it gave itself. */
export function whoOf(named: NamedSpender | undefined | null, naming: Naming): WhoView {
  const { who } = naming.t
  const gone = { kind: 'gone', place: '', name: '', passesFor: null, href: null } as const
  if (!named) return { ...gone, ...ours(who.gone) }
  const { kind, id, name, app } = named
  if (kind === 'deleted token') return { ...gone, title: who.deleted(name), within: who.deleted(name) }
  const href = pathOf({ kind, id })
  return app === null
    ? { kind: 'token', title: name, within: name, place: '', name, passesFor: null, href }
    : { ...appOf(app, naming), href }
}

/** The account, among what is said of its connections and tokens. */
export function wholeAccount({ t: { who } }: Naming): WhoView {
  return { kind: 'account', ...ours(who.account), place: '', name: '', passesFor: null, href: ACCOUNT_PATH }
}

/** Without a link to its page, which an app that asks for the first time does not have. */
export function appOf(app: NamedApp, naming: Naming): WhoView {
  const { name, redirectHost: place } = app
  const key = JSON.stringify([name, place, app.documentHost])
  const known = naming.found.get(key)
  const found = known === undefined ? passesFor(seenOf(app, naming)) : known
  naming.found.set(key, found)
  return { place, name, href: null, ...titleOf(place, naming.t), passesFor: found }
}

/** An app, as what is judged of it: every host that answers for it counts, that of its document too. */
export function seenOf(
  { name, redirectHost: place, documentHost }: NamedApp,
  { ownDomains: own }: Pick<Naming, 'ownDomains'>,
): Seen {
  const isHost = !LOOPBACK_HOSTS.has(place) && !place.endsWith(':')
  const hosts = [...(isHost ? [place] : []), ...(documentHost === null ? [] : [documentHost])]
  return { name, hosts, scheme: unknownScheme(place), ownDomains: own }
}

/**
 * How an app is headed, by what nobody can make up: the registrable domain of the site that its answers go to, or what
 * kind of program it is.
 */
export function titleOf(place: string, { who }: Words): Pick<WhoView, 'kind' | 'title' | 'within'> {
  if (LOOPBACK_HOSTS.has(place)) return { kind: 'local', ...ours(who.local) }
  if (!place.endsWith(':')) {
    const title = registrableDomain(place)
    return { kind: 'web', title, within: title }
  }
  const isKnown = isClientScheme(place.slice(0, -1))
  return { kind: 'link', ...ours(isKnown ? who.link(place) : who.unknownLink) }
}

/** The scheme that answers go to, where it is one that we do not know; else empty. */
function unknownScheme(place: string): string {
  return place.endsWith(':') && !isClientScheme(place.slice(0, -1)) ? place : ''
}

/** A name in words of ours, which begins small within a sentence. */
function ours(title: string) {
  return { title, within: title.charAt(0).toLowerCase() + title.slice(1) }
}
