import { isIP } from 'node:net'
import { domainToUnicode } from 'node:url'
import type { Words } from '../words/words.ts'
import { registrableDomain } from './asker.ts'

/** What imitations are made of: our name, and the domain that is ours wherever we run. */
const OUR_NAME = 'vertexsms'
const OUR_DOMAIN = 'vertexsms.com'

/** Letters and digits that pass for one of our name's. NFKD has already made one of the full-width and the bold ones. */
const PASSES_FOR: Readonly<Record<string, string>> = {
  ѵ: 'v',
  ν: 'v',
  υ: 'v',
  '⋁': 'v',
  е: 'e',
  є: 'e',
  ε: 'e',
  '3': 'e',
  г: 'r',
  ґ: 'r',
  ꭇ: 'r',
  т: 't',
  τ: 't',
  '7': 't',
  х: 'x',
  χ: 'x',
  '×': 'x',
  ѕ: 's',
  ꜱ: 's',
  '5': 's',
  $: 's',
  м: 'm',
  μ: 'm',
  ᴍ: 'm',
  ᴠ: 'v',
  ᴇ: 'e',
  ᴛ: 't',
}

/** Alphabets whose letters look like each other's. No word of any language mixes two of them. */
const ALPHABETS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Georgian'].map(
  (name) => new RegExp(`\\p{Script=${name}}`, 'u'),
)

/** What a person should know before believing a client: a sentence each, none for one that imitates nobody. */
export function warningsOf(
  client: {
    readonly name: string | null
    /** Its hosts: where answers go, where its document is. Schemes have none. */
    readonly hosts: readonly string[]
    /** Domains that are ours. */
    readonly ownDomains: ReadonlySet<string>
  },
  t: Words,
): string[] {
  const w = t.consent.warnings
  const foreign = client.hosts.filter((host) => !client.ownDomains.has(registrableDomain(host)))
  const warnings = foreign.flatMap((host) => hostWarnings(host, w))
  const { name } = client
  const isOurs = client.hosts.length > 0 && foreign.length === 0
  if (name !== null && !isOurs && looksLikeUs(name)) {
    const owner = foreign[0] === undefined ? w.notOurApp : registrableDomain(foreign[0])
    warnings.push(w.nameLikeOurs(owner))
  }
  if (name?.split(/[\s\p{P}]+/u).some(mixesAlphabets)) warnings.push(w.mixedName)
  return [...new Set(warnings)]
}

/** The domains that are ours: the service's, and the one this deployment runs on. */
export function ownDomains(issuerUrl: string): ReadonlySet<string> {
  return new Set([OUR_DOMAIN, registrableDomain(new URL(issuerUrl).hostname)])
}

function hostWarnings(host: string, w: Words['consent']['warnings']): string[] {
  const name = host.replace(/:\d+$/, '')
  if (isIP(name.replace(/^\[|\]$/g, ''))) return [w.bareAddress(host)]
  const spelled = domainToUnicode(name)
  const warnings: string[] = []
  if (looksLikeUs(spelled)) warnings.push(w.hostLikeOurs(host, registrableDomain(host)))
  if (spelled !== name) warnings.push(w.shownAs(name, spelled))
  if (spelled.split(/[.-]/).some(mixesAlphabets)) warnings.push(w.mixedHost(name))
  return warnings
}

/** True when a text holds our name, or what passes for it at a glance: other letters, one letter off, spread out. */
function looksLikeUs(text: string): boolean {
  const letters = [...text.normalize('NFKD').toLowerCase()].map((letter) => PASSES_FOR[letter] ?? letter).join('')
  const plain = letters
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'v')
  for (let at = 0; at < plain.length; at += 1) {
    for (const length of [OUR_NAME.length - 1, OUR_NAME.length, OUR_NAME.length + 1]) {
      if (at + length <= plain.length && isOneOff(plain.slice(at, at + length), OUR_NAME)) return true
    }
  }
  return false
}

/** True when two texts are equal but for one letter changed, missing, too many, or two that stand the wrong way round. */
function isOneOff(one: string, other: string): boolean {
  let start = 0
  while (start < one.length && one[start] === other[start]) start += 1
  const [rest, otherRest] = [one.slice(start), other.slice(start)]
  if (rest === otherRest) return true
  const isSwapped = rest[0] === otherRest[1] && rest[1] === otherRest[0] && rest.slice(2) === otherRest.slice(2)
  return isSwapped || rest.slice(1) === otherRest.slice(1) || rest === otherRest.slice(1) || rest.slice(1) === otherRest
}

function mixesAlphabets(word: string): boolean {
  return ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1
}
