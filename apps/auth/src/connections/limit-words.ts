import { toEurText } from '@vertexsms/contract/money'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import { countryName } from './limits.ts'

/** Countries that are named one by one; of more the rest is counted. */
const NAMED_MAX = 12

/** Limits in plain words for a person, one sentence each; none for a spender that nothing bounds. */
export function limitWords(limits: SpenderLimits): string[] {
  const { maxPerSendMicros, maxPerDayMicros, maxTotalMicros, recipientsPerDay, countries, senders } = limits
  return [
    maxPerDayMicros !== null && `At most ${eur(maxPerDayMicros)} a day`,
    maxPerSendMicros !== null && `At most ${eur(maxPerSendMicros)} for one send`,
    maxTotalMicros !== null && `At most ${eur(maxTotalMicros)} in total`,
    recipientsPerDay !== null &&
      `At most ${recipientsPerDay} ${recipientsPerDay === 1 ? 'recipient' : 'recipients'} a day`,
    countries.length > 0 && `Only to ${named(countries.map((code) => countryName(code) ?? code))}`,
    senders.length > 0 && `Only with the ${senders.length === 1 ? 'sender' : 'senders'} ${named(senders)}`,
  ].filter((sentence) => sentence !== false)
}

/** An amount as people read it. */
export function eur(micros: bigint): string {
  return `${toEurText(micros, 2)} EUR`
}

function named(names: readonly string[]): string {
  const more = names.length - NAMED_MAX
  const shown = more > 0 ? [...names.slice(0, NAMED_MAX), `${more} more`] : names
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(shown)
}
