import type { Words } from '../words/words.ts'
import { limitMembers } from './limits.ts'
import type { OwnersRules } from './spenders.ts'
import { readTypedEur, twoWaysProblem } from './typed-eur.ts'

/** The rules that an owner sets, by the name of their field. */
export const RULE_FIELDS = [
  'max_per_send',
  'max_per_day',
  'max_total',
  'recipients_per_day',
  'countries',
  'senders',
  'ask_above',
  'ask_new_country',
] as const
export type RuleField = (typeof RULE_FIELDS)[number]

/** Rules as a person typed them. What is left out stays as it is; an empty text is no limit. */
export type TypedRules = Partial<Record<RuleField, string>>

type Problem = Exclude<keyof Words['limits']['problems'], 'country'>
type Read = { readonly rules: Partial<OwnersRules> } | { readonly problem: Problem } | { readonly country: string }
type Reader = (text: string) => Read

const money =
  (member: 'maxPerSendMicros' | 'maxPerDayMicros' | 'maxTotalMicros' | 'askAboveMicros'): Reader =>
  (text) => {
    const micros = text === '' ? null : readTypedEur(text)
    if (text !== '' && micros === null) return { problem: 'amount' }
    return { rules: { [member]: micros } }
  }

const READERS: Readonly<Record<RuleField, Reader>> = {
  max_per_send: money('maxPerSendMicros'),
  max_per_day: money('maxPerDayMicros'),
  max_total: money('maxTotalMicros'),
  recipients_per_day: (text) => {
    if (text === '') return { rules: { recipientsPerDay: null } }
    const read = limitMembers.recipientsPerDay.safeParse(/^\d{1,9}$/.test(text) ? Number(text) : undefined)
    if (read.data === undefined) return { problem: 'count' }
    return { rules: { recipientsPerDay: read.data } }
  },
  countries: (text) => {
    const codes = codesOf(text).map((code) => code.toUpperCase())
    const read = limitMembers.countries.safeParse(text === '' ? undefined : codes)
    if (!read.success) {
      const country = unknownCountry(text)
      return country === null ? { problem: 'countries' } : { country }
    }
    return { rules: { countries: read.data ?? [] } }
  },
  senders: (text) => {
    const names = text
      .split(/[,;\n]+/)
      .map((name) => name.trim())
      .filter(Boolean)
    const read = limitMembers.senders.safeParse(text === '' ? undefined : names)
    if (!read.success) return { problem: 'senders' }
    return { rules: { senders: read.data ?? [] } }
  },
  ask_above: money('askAboveMicros'),
  ask_new_country: (text) =>
    text === 'on' || text === 'off' ? { rules: { askNewCountry: text === 'on' } } : { problem: 'onOff' },
}

/** The longest text of one rule: every country with its comma. */
const RULE_CHARACTERS_MAX = 2000

/** Enough of an entry to find it again by. */
const NAMED_CHARACTERS_MAX = 20

/**
 * The first entry of typed countries that is none, in one short line, for whoever typed it; null where each is one, and of
 * a text that is too long to be read.
 */
export function unknownCountry(text: string): string | null {
  if (text.length > RULE_CHARACTERS_MAX) return null
  const wrong = codesOf(text).find((code) => !limitMembers.countries.safeParse([code.toUpperCase()]).success)
  if (wrong === undefined) return null
  const characters = [...wrong.replace(/\p{C}/gu, '\ufffd')]
  const named = characters.slice(0, NAMED_CHARACTERS_MAX).join('')
  return characters.length > NAMED_CHARACTERS_MAX ? `${named}…` : named
}

function codesOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean)
}

/** Reads rules as they were typed: what to set, or what is wrong, a sentence each. */
export function readRules(typed: TypedRules, t: Words): { rules: Partial<OwnersRules> } | { problems: string[] } {
  const problems: string[] = []
  let rules: Partial<OwnersRules> = {}
  for (const field of RULE_FIELDS) {
    const text = typed[field]
    if (text === undefined) continue
    const read = text.length > RULE_CHARACTERS_MAX ? { problem: 'long' as const } : READERS[field](text.trim())
    if ('country' in read) problems.push(t.limits.problems.country(t.limits.fields[field], read.country))
    else if ('problem' in read) problems.push(problemWords(field, text, read.problem, t))
    else rules = { ...rules, ...read.rules }
  }
  return problems.length > 0 ? { problems } : { rules }
}

function problemWords(field: RuleField, text: string, problem: Problem, t: Words): string {
  const name = t.limits.fields[field]
  const twoWays = problem === 'amount' ? twoWaysProblem(text, t) : null
  return twoWays === null ? t.limits.problems[problem](name) : `${name}: ${twoWays}`
}
