import { toEurText } from '@vertexsms/contract/money'
import type { Database } from '@vertexsms/db/client'
import { listActivity } from '../connections/activity.ts'
import type { FoundHolder } from '../connections/holders.ts'
import { limitWords } from '../connections/limit-words.ts'
import type { TypedRules } from '../connections/rules.ts'
import { type PauseState, pauseOf } from '../connections/spenders.ts'
import { leftOf, spentOf } from '../connections/spent.ts'
import type { SpenderPage } from '../views/pages.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'

const ACTIVITY_ROWS = 20

const PAUSES: Readonly<Record<PauseState, string>> = {
  owner: 'You paused it. Reading works; every send is refused.',
  automatic:
    'It was paused automatically, because what it sent was out of the ordinary. Look at what it did below; resume it if that is right.',
}

/** What the page of a connection shows of its spender, and the values of its form. */
export async function spenderPage(
  db: Database,
  holder: FoundHolder,
  now: Date,
  t: Words,
): Promise<Omit<SpenderPage, 'viewer' | 'formAction' | 'notice' | 'form'> & { readonly values: TypedRules }> {
  const { accountId, spenderId } = holder
  const { eur, country } = t.format
  const row = await db.spender.findFirst({ where: { id: spenderId, accountId } })
  const spent = await spentOf(db, spenderId, now)
  const activity = await listActivity(db, { accountId, spenderId }, ACTIVITY_ROWS)
  const pause = row && pauseOf(row)
  const asks = [
    ...(row?.askAboveMicros == null ? [] : [t.limits.asksAbove(eur(row.askAboveMicros))]),
    ...(row?.askNewCountry ? [t.limits.asksNewCountry] : []),
  ]
  return {
    name: holder.name,
    isAlive: holder.isAlive && !row?.endedAt,
    pause: pause ? PAUSES[pause] : null,
    limits: row ? [...limitWords(row, t), ...asks] : [],
    spent: spent.map((one) => {
      const left = row ? leftOf(row, one) : { dayMicros: null, totalMicros: null }
      return {
        upstream: one.upstream,
        today: eur(one.dayMicros),
        total: eur(one.totalMicros),
        recipients: one.recipients,
        left: [
          ...(left.dayMicros === null ? [] : [`${eur(left.dayMicros)} today`]),
          ...(left.totalMicros === null ? [] : [`${eur(left.totalMicros)} in total`]),
        ],
      }
    }),
    activity: activity.map((one) => ({
      at: timeView(one.at, now),
      what: one.count > 1 ? `${one.what} (${one.count} times)` : one.what,
      outcome: one.outcome,
      amount: eur(one.amountMicros),
      country: one.country === null ? null : country(one.country),
      number: one.lastDigits === null ? null : `…${one.lastDigits}`,
    })),
    values: {
      max_per_send: amount(row?.maxPerSendMicros),
      max_per_day: amount(row?.maxPerDayMicros),
      max_total: amount(row?.maxTotalMicros),
      recipients_per_day: String(row?.recipientsPerDay ?? ''),
      countries: (row?.countries ?? []).join(', '),
      senders: (row?.senders ?? []).join(', '),
      ask_above: amount(row?.askAboveMicros),
      ask_new_country: row?.askNewCountry ? 'on' : 'off',
    },
  }
}

function amount(micros: bigint | null | undefined): string {
  return micros == null ? '' : toEurText(micros, 2)
}
