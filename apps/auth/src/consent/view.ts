import { SCOPES, type Scope } from '@vertexsms/contract/scopes'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { SignedIn } from '../accounts/session.ts'
import { accountLimits, inSentence, limitWords, ruleWords } from '../connections/limit-words.ts'
import { narrower } from '../connections/limits.ts'
import { type OwnersRules, pauseOf } from '../connections/spenders.ts'
import type { Spent } from '../connections/spent.ts'
import { appOf, type Naming, seenOf } from '../connections/who.ts'
import { SIZES } from '../limits.ts'
import type { BoundsView, ConsentPage, EarlierView } from '../views/pages.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { type AuthorizationRequest, askingApp } from './authorization-request.ts'
import { besidesForm, boundsView, type Start, type TypedBounds, wideningText } from './bounds.ts'
import { standingText } from './connect.ts'
import type { Cost } from './cost.ts'
import type { Earlier } from './earlier.ts'
import { warningsOf } from './warnings.ts'

/** Scopes under which nothing is spent, registered or changed. */
export const READING_SCOPES: readonly Scope[] = ['sms:rates', 'numbers:read']

/** What a person has filled in so far; null fields of a page that is opened. */
export interface Filled {
  readonly scopes: readonly Scope[]
  readonly bounds: TypedBounds
  /** The connection that is to be replaced; null for none. */
  readonly replaces: string | null
}

/** Why the page is shown again. */
export interface Shown {
  readonly nothingTicked?: boolean
  /** The account has as many connections as it may. */
  readonly isFull?: boolean
  /** The earlier connection that the page told of is not the one that an approval would go on with. */
  readonly isStale?: boolean
  readonly problems?: BoundsView['problems']
  readonly wider?: { readonly before: SpenderLimits; readonly after: SpenderLimits }
}

/** Everything the consent page shows but what ties its forms to the browser. */
export function consentView(of: {
  readonly asked: AuthorizationRequest
  readonly signedIn: SignedIn
  readonly earlier: readonly Earlier[]
  readonly spent: readonly Spent[]
  readonly cost: Cost
  /** What the account itself is held to; null where nothing was ever set. */
  readonly account: (OwnersRules & Parameters<typeof pauseOf>[0]) | null
  readonly start: Start
  readonly filled: Filled
  readonly shown: Shown
  readonly now: Date
  readonly naming: Naming
}): Omit<ConsentPage, 'formAction' | 'csrf' | 'signOut'> {
  const { asked, start, filled, shown, now, naming } = of
  const { t } = naming
  const { documentHost, isShared } = asked.client
  const goesOn = isShared ? undefined : of.earlier[0]
  const replaced = of.earlier.find(({ id }) => id === filled.replaces)
  const before = goesOn ?? replaced
  const view = (earlier: Earlier): EarlierView => ({
    id: earlier.id,
    name: earlier.clientName || asked.client.documentHost || earlier.redirectHost,
    approved: timeView(earlier.approvedAt, now),
    lastUsed: earlier.lastUsedAt && timeView(earlier.lastUsedAt, now),
    limits: limitWords(earlier.limits, t),
    isPaused: earlier.isPaused,
    scheduledMessages: earlier.scheduledMessages,
    loses: earlier.scopes.filter((scope) => !asked.scopes.includes(scope)),
  })
  return {
    asker: appOf(askingApp(asked), naming),
    documentHost,
    warnings: warningsFor(asked, naming),
    accountEmail: of.signedIn.account.email,
    scopes: asked.scopes.map((name) => ({
      name,
      description: t.scopes.may[name],
      explained: t.scopes.explained[name],
      billable: SCOPES[name].billable,
      isTicked: filled.scopes.includes(name),
      isNew: before !== undefined && !before.scopes.includes(name),
    })),
    nothingTicked: shown.nothingTicked ?? false,
    isStale: shown.isStale ?? false,
    limitsFrom: before?.id ?? '',
    limitsShown: before ? standingText({ rules: before.limits, isPaused: before.isPaused }) : '',
    noRoom: shown.isFull ? t.consent.noRoom(t.format.number(SIZES.connectionsOfAccount)) : null,
    offersReadingOnly: asked.scopes.some((name) => READING_SCOPES.includes(name)),
    bounds: {
      ...boundsView(filled.bounds, start, t, shown.problems),
      isOfSome: of.account !== null && of.account.countries.length > 0,
    },
    limits: otherLimits(start, before?.limits, t),
    askedLimits: asked.askedLimits === null ? [] : inSentence(limitWords(asked.askedLimits, t)),
    widening: shown.wider
      ? { confirms: wideningText(shown.wider.before, shown.wider.after), changes: changes(shown.wider, t) }
      : null,
    cost: costText(of),
    accountLimits: accountLimits(of.account, t),
    isAllPaused: of.account !== null && pauseOf(of.account) !== null,
    goesOn: goesOn ? view(goesOn) : null,
    replaceable: isShared
      ? of.earlier.map((earlier) => ({ ...view(earlier), isChosen: earlier.id === filled.replaces }))
      : [],
  }
}

/** What a person should know before believing who asks: a sentence each, none for one that imitates nobody. */
function warningsFor(asked: AuthorizationRequest, naming: Naming): string[] {
  return warningsOf(seenOf(askingApp(asked), naming), naming.t)
}

/** Whether a person is warned of the client that asks. */
export function isWarnedOf(asked: AuthorizationRequest, naming: Naming): boolean {
  return warningsFor(asked, naming).length > 0
}

/** What it will be held to besides what the form sets. */
function otherLimits({ limits, asked }: Start, before: OwnersRules | undefined, t: Words): string[] | null {
  const both = asked ? narrower(limits, asked) : limits
  const { askAboveMicros = null, askNewCountry = false } = before ?? {}
  return both && inSentence(ruleWords({ ...besidesForm(both), askAboveMicros, askNewCountry }, t))
}

function changes({ before, after }: { before: SpenderLimits; after: SpenderLimits }, { consent, format }: Words) {
  const amount = (micros: bigint | null) => (micros === null ? consent.noLimitNow : consent.aDay(format.eur(micros)))
  const places = (codes: readonly string[]) => (codes.length === 0 ? consent.anyCountry : codes.join(', '))
  return [
    { what: consent.limit, before: amount(before.maxPerDayMicros), after: amount(after.maxPerDayMicros) },
    { what: consent.countries, before: places(before.countries), after: places(after.countries) },
  ].filter((change) => change.before !== change.after)
}

/** What it may cost, what was spent today and what there is, a sentence each; nothing of prices for what only reads. */
function costText({ asked, spent, cost, naming }: Parameters<typeof consentView>[0]): string {
  const { consent: w, format } = naming.t
  const { lowestMicros: lowest, highestMicros: highest } = cost.prices ?? {}
  const prices =
    lowest === undefined || highest === undefined
      ? w.noPrices
      : lowest === highest
        ? w.onePrice(format.eur(lowest))
        : w.prices(format.eur(lowest), format.eur(highest))
  const amounts = spent
    .filter(({ dayMicros }) => dayMicros > 0n)
    .map(({ dayMicros, upstream }) => {
      const amount = format.eur(dayMicros)
      return upstream === 'sandbox' ? w.inSandbox(amount) : amount
    })
  return [
    ...(asked.scopes.some((name) => SCOPES[name].billable) ? [prices] : []),
    amounts.length > 0 ? w.spentToday(format.list(amounts)) : w.nothingToday,
    ...(cost.balanceMicros === null ? [] : [w.balance(format.eur(cost.balanceMicros))]),
  ].join(' ')
}
