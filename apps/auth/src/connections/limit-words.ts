import { toEurText } from '@vertexsms/contract/money'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { Words } from '../words/words.ts'
import type { OwnersRules } from './spenders.ts'

/** Countries that are named one by one; of more the rest is counted. */
const NAMED_MAX = 12

/** Limits in plain words for a person, one sentence each; none for a spender that nothing bounds. */
export function limitWords(limits: SpenderLimits, t: Words): string[] {
  const { maxPerSendMicros, maxPerDayMicros, maxTotalMicros, recipientsPerDay, countries, senders } = limits
  const { eur, number, country } = t.format
  return [
    maxPerDayMicros !== null && t.limits.perDay(eur(maxPerDayMicros)),
    maxPerSendMicros !== null && t.limits.perSend(eur(maxPerSendMicros)),
    maxTotalMicros !== null && t.limits.inTotal(eur(maxTotalMicros)),
    recipientsPerDay !== null && t.limits.recipientsPerDay(recipientsPerDay, number(recipientsPerDay)),
    countries.length > 0 && t.limits.onlyTo(named(countries.map(country), t)),
    senders.length > 0 && t.limits.onlyWith(senders.length, named(senders, t)),
  ].filter((sentence) => sentence !== false)
}

/** The same of all that an owner may set: what is asked about first stands last. */
export function ruleWords(rules: OwnersRules, t: Words): string[] {
  const { askAboveMicros, askNewCountry } = rules
  return [
    ...limitWords(rules, t),
    ...(askAboveMicros === null ? [] : [t.limits.asksAbove(t.format.eur(askAboveMicros))]),
    ...(askNewCountry ? [t.limits.asksNewCountry] : []),
  ]
}

/** What an account bounds all of its apps and tokens by, in one sentence; null where it bounds nothing. */
export function accountLimits(account: OwnersRules | null, t: Words): string | null {
  const rules = account ? ruleWords(account, t) : []
  return rules.length > 0 ? t.limits.ofAccount(inSentence(rules).join('; ')) : null
}

/** Limits in words as they stand in the middle of a sentence: each begins with a word of ours, and never with a name. */
export function inSentence(limits: readonly string[]): string[] {
  return limits.map((limit) => limit.charAt(0).toLowerCase() + limit.slice(1))
}

/** An amount as operators read it in their terminal. */
export function eur(micros: bigint): string {
  return `${toEurText(micros, 2)} EUR`
}

function named(names: readonly string[], t: Words): string {
  const more = names.length - NAMED_MAX
  return t.format.list(more > 0 ? [...names.slice(0, NAMED_MAX), t.limits.more(t.format.number(more))] : names)
}
