import { isIP } from 'node:net'
import { domainToUnicode } from 'node:url'
import { SERVER_NAME, TOKEN_SERVER_NAME } from '@vertexsms/contract/connect'
import { getDomain } from 'tldts'
import { looksLikeUs } from './our-name.ts'

/** The domain that is ours wherever we run. */
const OUR_DOMAIN = 'vertexsms.com'

const scripts = (names: readonly string[]) => names.map((name) => `\\p{Script=${name}}`).join('')

/** Alphabets in use whose letters look like each other's. No word of any language mixes two of them. */
const LIKE_LATIN = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Georgian', 'Lisu']

/** Those in use that look like none of them, and are written beside Latin words without a space (UTS #39 §5.2). */
const UNLIKE_LATIN = scripts([
  ...['Arabic', 'Bengali', 'Bopomofo', 'Devanagari', 'Ethiopic', 'Gujarati', 'Gurmukhi', 'Han', 'Hangul', 'Hebrew'],
  ...['Hiragana', 'Kannada', 'Katakana', 'Khmer', 'Lao', 'Malayalam', 'Myanmar', 'Oriya', 'Sinhala', 'Tamil', 'Telugu'],
  ...['Thaana', 'Thai', 'Tibetan', 'Common', 'Inherited'],
])

/** Of a word no two of these may hold: an alphabet each, and at the end all that hardly anybody writes in today. */
const ALPHABETS = [
  ...LIKE_LATIN.map((name) => new RegExp(scripts([name]), 'u')),
  new RegExp(`(?=\\p{L})[^${scripts(LIKE_LATIN)}${UNLIKE_LATIN}]`, 'u'),
]

/** The domains that are ours: the service's, and the one this deployment runs on. */
export function ownDomains(issuerUrl: string): ReadonlySet<string> {
  return new Set([OUR_DOMAIN, registrableDomain(new URL(issuerUrl).hostname)])
}

/** The part of a host that somebody registered and answers for; the host itself where it has none, as an address has. */
export function registrableDomain(host: string): string {
  const name = nameOf(host)
  if (isAddress(name)) return name
  // Sites of a shared domain (`user.github.io`) belong to different people: the private part of the list counts.
  return getDomain(name, { allowPrivateDomains: true }) ?? name
}

/** A host without its port, as browsers that show it in its own letters spell it. */
export function spelled(host: string): string {
  const name = nameOf(host)
  return isAddress(name) ? name : domainToUnicode(name)
}

/** A host without its port. */
export function nameOf(host: string): string {
  return host.replace(/:\d+$/, '')
}

/** True for a host that is a bare address. */
export function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

/** A client, by what people tell it by. */
export interface Seen {
  /** What it calls itself; empty where it gives no name. */
  readonly name: string
  /** Its hosts: where answers go, where its document is. Schemes and the person's own computer have none. */
  readonly hosts: readonly string[]
  /** The scheme that opens it, where it has one that we do not know; else empty. Nobody answers for such a scheme. */
  readonly scheme: string
  /** Domains that are ours. */
  readonly ownDomains: ReadonlySet<string>
}

/** The hosts of a client that are not ours, and whether they, its scheme and its name look like ours and are not. */
export function likeness({ name, hosts, scheme, ownDomains: own }: Seen) {
  const foreign = hosts.filter((host) => !own.has(registrableDomain(host)))
  const isOurs = hosts.length > 0 && foreign.length === 0
  return {
    foreign,
    host: foreign.find((host) => looksLikeUs(spelled(host))) ?? null,
    isSchemeLikeOurs: looksLikeUs(scheme),
    isNameLikeOurs: !isOurs && looksLikeUs(hosts.length === 0 ? withoutServer(name) : name),
  }
}

/** Programs known to add the name of a server in brackets to their own. Of any other it is a claim like every other. */
const ADD_SERVER: readonly string[] = ['Claude Code', 'mcporter']
/** What people call our server, without what they put between its words. */
const ADDED: ReadonlySet<string> = new Set([SERVER_NAME, TOKEN_SERVER_NAME].map((name) => name.replaceAll('-', '')))

/**
 * What a program on the person's own computer calls itself, without the name of our server that some add in brackets
 * (`Claude Code (vertexsms)`): our own page tells people to call it so, and some write it as we write our name.
 */
function withoutServer(name: string): string {
  const [, program, server = ''] = /^(.+) \(([\w -]+)\)$/.exec(name) ?? []
  const isOurs = ADDED.has(server.toLowerCase().replace(/[_ -]/g, ''))
  return isOurs && program !== undefined && ADD_SERVER.includes(program) ? program : name
}

/** Whom a client passes for that it is not: us, somebody else by letters that look alike, or nobody. */
export function passesFor(client: Seen): 'us' | 'another' | null {
  const { foreign, host, isSchemeLikeOurs, isNameLikeOurs } = likeness(client)
  if (host !== null || isSchemeLikeOurs || isNameLikeOurs) return 'us'
  return mixesAlphabets(client.name) || foreign.some(isInOtherLetters) ? 'another' : null
}

/** True for a host that is spelled in more than Latin letters, with or without accents (`müller.de`). */
function isInOtherLetters(host: string): boolean {
  const shown = spelled(host)
  // Of Latin letters that no accent explains only those of languages: the phonetic ones look like others (`ɡ`, `ᴀ`).
  const plain = shown.normalize('NFD').replace(/\p{Mn}/gu, '')
  return shown !== nameOf(host) && !/^[a-z\d._ßæœøđðþłħŋıə-]+$/.test(plain)
}

/** The micro sign, which stands for no Latin letter, before a Latin name (`μTorrent`). */
const GREEK_SIGN = /^[\u00b5\u03bc](?=\p{Lu})/u

/** True when a word of a text mixes letters of different alphabets, but for a {@link GREEK_SIGN}. */
export function mixesAlphabets(text: string): boolean {
  return text
    .split(/[\s\p{P}]+/u)
    .map((word) => word.replace(GREEK_SIGN, ''))
    .some((word) => ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1)
}
