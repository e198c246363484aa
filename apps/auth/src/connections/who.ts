import { PAGE_PATHS, spenderPath } from '@vertexsms/contract/page-paths'
import { liveConnection } from '@vertexsms/db/alive'
import type { Database } from '@vertexsms/db/client'
import { LOOPBACK_HOSTS } from '@vertexsms/service/address'
import type { Words } from '../words/words.ts'
import { isClientScheme } from './client-places.ts'
import { ownDomains, passesFor, registrableDomain, type Seen } from './imitation.ts'
import { appNamed, NAMED_BY, type NamedApp } from './named-app.ts'
import type { NamedSpender } from './names.ts'
import { spenderIdOf } from './spenders.ts'

/** Who asks, spends or has ended, as every page names it (`partials/who`). */
export interface WhoView {
  /** An app is a site, a program on the person's own computer, or one that a scheme of its own opens. */
  readonly kind: 'web' | 'local' | 'link' | 'token' | 'account' | 'gone'
  /**
   * What to call it where there is room for one name: of an app, the part of it that nobody can make up; what an approved
   * one on the person's own computer says of itself stands before that, in quotation marks. It ends in {@link number}.
   */
  readonly title: string
  /** The same within a sentence. */
  readonly within: string
  /** Tells an app from those of the same title that its owner approved before it, as ` (2)`; empty for the first. */
  readonly number: string
  /** Where exactly the answers of an app go: the host with its port, or the scheme with its colon; empty for others. */
  readonly place: string
  /**
   * What the client or the owner calls it, never verified; empty where nobody does, and where the title of an app says it.
   * Of an app it can stand between quotation marks.
   */
  readonly name: string
  /** Whom it might be taken for, and is not. */
  readonly passesFor: 'us' | 'another' | null
  /** Its page; null where there is none. */
  readonly href: string | null
}

/** For whom names are put, and what is ours. */
export interface Naming {
  readonly t: Words
  readonly ownDomains: ReadonlySet<string>
  /** What was found of each app so far: on a page of a hundred rows most are of a few. */
  readonly found: Map<string, WhoView['passesFor']>
  /** Which connection of its title each is, from 1, by their ids. */
  readonly numbers: ReadonlyMap<string, number>
}

/** For a reader of a page of this issuer, who is asked about an app that is new. */
export function namingFor({ issuerUrl }: { readonly issuerUrl: string }, t: Words): Naming {
  return { t, ownDomains: ownDomains(issuerUrl), found: new Map(), numbers: new Map() }
}

/**
 * For the owner of an account, on all its pages alike. Of connections that live and have one title the first that was approved
 * has no number, and none changes with the order of a list or with a newer connection. What took the place of another has its
 * number.
 */
export async function ownersNaming(
  deps: { readonly db: Database; readonly issuerUrl: string },
  { accountId, now }: { readonly accountId: string; readonly now: Date },
  t: Words,
): Promise<Naming> {
  const naming = namingFor(deps, t)
  const rows = await deps.db.connection.findMany({
    where: { accountId, ...liveConnection(now) },
    orderBy: [{ approvedAt: 'asc' }, { id: 'asc' }],
    select: { id: true, spenderId: true, ...NAMED_BY },
  })
  const numbers = new Map<string, number>()
  const titled = new Map<string, Map<string, number>>()
  for (const row of rows) {
    const { title } = ownAppOf(appNamed(row), naming)
    const alike = titled.get(title) ?? new Map<string, number>()
    titled.set(title, alike)
    const which = alike.get(spenderIdOf(row)) ?? alike.size + 1
    alike.set(spenderIdOf(row), which)
    numbers.set(row.id, which)
  }
  return { ...naming, numbers }
}

/** How every page calls a spender: an app as {@link ownAppOf} does, by its number, a token by its name. */
export function whoOf(named: NamedSpender | undefined | null, naming: Naming): WhoView {
  const { who } = naming.t
  const gone = { kind: 'gone', number: '', place: '', name: '', passesFor: null, href: null } as const
  if (!named) return { ...gone, ...ours(who.gone) }
  const { kind, id, name, app } = named
  const href = spenderPath({ kind: kind === 'connection' ? kind : 'token', id })
  if (kind === 'deleted token') return { ...gone, title: who.deleted(name), within: who.deleted(name), href }
  if (app === null)
    return { kind: 'token', title: name, within: name, number: '', place: '', name, passesFor: null, href }
  const view = ownAppOf(app, naming)
  const which = naming.numbers.get(id) ?? 1
  const number = which > 1 ? ` (${naming.t.format.number(which)})` : ''
  return { ...view, title: view.title + number, within: view.within + number, number, href }
}

/** The account, among what is said of its connections and tokens. */
export function wholeAccount({ t: { who } }: Naming): WhoView {
  return {
    kind: 'account',
    ...ours(who.account),
    number: '',
    place: '',
    name: '',
    passesFor: null,
    href: PAGE_PATHS.accountLimits,
  }
}

/**
 * How pages of its owner call an app that was approved: by the place that its answers go to, then by the name that it gave
 * itself. Of programs on the person's own computer that place is the same, so what tells them apart is in the title, as
 * something that was said: in quotation marks, and before what the program is. A name that imitates gets no such place.
 */
function ownAppOf(app: NamedApp, naming: Naming): WhoView {
  const who = appOf(app, naming)
  const said = who.kind === 'local' && who.passesFor === null ? who.name : ''
  if (said === '') return who
  const title = naming.t.who.called(said, who.within)
  return { ...who, title, within: title, name: '' }
}

/** How an app is called within one line of text, as on a button that is read out: what it calls itself stands last. */
export function inOneLine({ kind, place, number, title, name }: WhoView): string {
  const by = kind === 'web' ? place + number : title
  return name === '' ? by : `${by} (${name})`
}

/** How an app that asks is called, approved or not. Without a link to its page, which one that is new does not have. */
export function appOf(app: NamedApp, naming: Naming): WhoView {
  const { redirectHost: place } = app
  const key = JSON.stringify([app.name, place, app.documentHost])
  const known = naming.found.get(key)
  const found = known === undefined ? passesFor(seenOf(app, naming)) : known
  naming.found.set(key, found)
  return { place, name: quotable(app.name), number: '', href: null, ...titleOf(place, naming.t), passesFor: found }
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

/** Signs that end a quotation, and those drawn like them (UTS #39), in Latin and in other scripts. */
const QUOTES =
  /[\p{Quotation_Mark}\u00a8\u02b9-\u02be\u02c8\u02ca\u02cb\u02dd\u02ee\u02f4-\u02f6\u05f3\u05f4\u2032-\u2037\u2057\u275b-\u2760\u3003\ua78b\ua78c\u0374\u0384\u0385\u1fbd\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe\u055a\u055b\u055d\u1426\u144a\u16cc\u16eb\u1cd3\uff40\u{16f51}\u{16f52}\u{1d12e}\u{1f676}-\u{1f678}`´]+/gu
/**
 * What marks may stand over, with them, or in a group marks that stand over nothing: they are drawn by themselves, some of
 * them as a quotation mark is. What chooses how the sign before it is drawn, as one that makes it an emoji, is not drawn, and
 * a mark behind it stands over what is before both.
 */
const MARKED = /[\p{L}\p{N}]\p{M}*|[#*]\ufe0f\u20e3|((?:(?!\p{Variation_Selector})\p{M})+)/gu
/** Letters that are written from right to left: they would draw what stands behind them before them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
/** Keep the direction of a text within it (FSI and PDI, UAX #9). A name holds none of them itself. */
const [ISOLATED, END] = ['\u2068', '\u2069']

/** A name that can stand between quotation marks: it ends none, and turns nothing around it. */
export function quotable(name: string): string {
  const plain = name
    .replace(MARKED, (text, lone) => (lone === undefined ? text : '’'))
    .replace(QUOTES, '’')
    .trim()
  return RIGHT_TO_LEFT.test(plain) ? `${ISOLATED}${plain}${END}` : plain
}

/** A name in words of ours, which begins small within a sentence. */
function ours(title: string) {
  return { title, within: title.charAt(0).toLowerCase() + title.slice(1) }
}
