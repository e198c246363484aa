import type { Permission } from '@vertexsms/contract/permissions'
import { permissionsOf, SCOPES, type Scope } from '@vertexsms/contract/scopes'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import { type Pauses, pauseOf } from '@vertexsms/db/paused'
import type { SignedIn } from '../accounts/session.ts'
import { permissionsBound, permissionsSpend, READING_SCOPES, readsOnly, rulesThatBind } from '../connections/binding.ts'
import { accountLimits, inSentence, limitWords, ruleWords } from '../connections/limit-words.ts'
import { narrower } from '../connections/limits.ts'
import type { OwnersRules } from '../connections/spenders.ts'
import type { Spent } from '../connections/spent.ts'
import { appOf, type Naming, quotable, seenOf } from '../connections/who.ts'
import { SIZES } from '../service-limits.ts'
import type { BoundsView, ConsentPage, EarlierView } from '../views/consent.ts'
import { timeView } from '../web/times.ts'
import type { Words } from '../words/words.ts'
import { type AuthorizationRequest, askingApp } from './authorization-request.ts'
import { besidesForm, boundsView, type Start, type TypedBounds, wideningText } from './bounds.ts'
import { standingText } from './connect.ts'
import type { Cost } from './cost.ts'
import type { Earlier } from './earlier.ts'
import { warningsOf } from './warnings.ts'

/** What a person has filled in so far; of a page that is opened, what we would have it start with. */
export interface Filled {
  readonly scopes: readonly Scope[]
  readonly bounds: TypedBounds
  /** The connection that is to be replaced; null for none. */
  readonly replaces: string | null
}

/** Why the page is shown again. */
export interface Shown {
  /** What nothing was ticked of: of all, or of what only reads, where that alone was to be allowed. */
  readonly missing?: 'all' | 'reading'
  /** The account has as many connections as it may. */
  readonly isFull?: boolean
  /** The earlier connection that the page told of is not the one that an approval would go on with. */
  readonly isStale?: boolean
  readonly wider?: { readonly before: SpenderLimits; readonly after: SpenderLimits }
}

/** Everything the consent page shows but what ties its forms to the browser. */
export function consentView(of: {
  readonly asked: AuthorizationRequest
  readonly signedIn: SignedIn
  readonly earlier: readonly Earlier[]
  readonly spent: readonly Spent[]
  /** Null where nothing that costs money is asked for. */
  readonly cost: Cost | null
  /** What the account itself is held to; null where nothing was ever set. */
  readonly account: (OwnersRules & Pauses) | null
  readonly start: Start
  readonly filled: Filled
  readonly shown: Shown
  /** What is wrong with what was typed. */
  readonly problems: BoundsView['problems']
  readonly now: Date
  readonly naming: Naming
}): Omit<ConsentPage, 'formAction' | 'csrf' | 'signOut'> {
  const { asked, start, filled, shown, now, naming } = of
  const { t } = naming
  const permissions = permissionsOf(asked.scopes)
  const spends = permissionsSpend(permissions)
  const { documentHost, isShared } = asked.client
  const goesOn = isShared ? undefined : of.earlier[0]
  const replaced = of.earlier.find(({ id }) => id === filled.replaces)
  const before = goesOn ?? replaced
  const view = (earlier: Earlier): EarlierView => ({
    id: earlier.id,
    name: quotable(earlier.clientName) || asked.client.documentHost || earlier.redirectHost,
    approved: timeView(earlier.approvedAt, now),
    lastUsed: earlier.lastUsedAt && timeView(earlier.lastUsedAt, now),
    isPaused: earlier.isPaused,
    scheduledMessages: earlier.scheduledMessages,
    loses: inSentence(
      earlier.scopes.filter((scope) => !asked.scopes.includes(scope)).map((scope) => t.scopes.named[scope]),
    ),
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
    nothingTicked:
      shown.missing === undefined ? null : shown.missing === 'all' ? t.consent.nothingTicked : t.consent.nothingToRead,
    isStale: shown.isStale ?? false,
    limitsFrom: before?.id ?? '',
    limitsShown: before ? standingText({ rules: before.limits, isPaused: before.isPaused }) : '',
    noRoom: shown.isFull ? t.consent.noRoom(t.format.number(SIZES.connectionsOfAccount)) : null,
    offersReadingOnly: !readsOnly(asked.scopes) && asked.scopes.some((name) => READING_SCOPES.includes(name)),
    spends,
    bounds: {
      ...boundsView(filled.bounds, start, t, of.problems),
      isOfSome: of.account !== null && of.account.countries.length > 0,
    },
    limits: otherLimits(start, before?.limits, permissions, t),
    askedLimits: asked.askedLimits === null ? [] : inSentence(limitWords(asked.askedLimits, t)),
    widening: shown.wider
      ? { confirms: wideningText(shown.wider.before, shown.wider.after), changes: changes(shown.wider, t) }
      : null,
    cost: costText(of),
    accountLimits: accountLimits(of.account && rulesThatBind(of.account, permissions), t),
    isAllPaused: of.account !== null && pauseOf(of.account) !== null && permissionsBound(permissions),
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

/** What it will be held to besides what the form sets, where that can bind what it asks for. */
function otherLimits(
  { limits, asked }: Start,
  before: OwnersRules | undefined,
  permissions: readonly Permission[],
  t: Words,
): string[] | null {
  const both = asked ? narrower(limits, asked) : limits
  const { askAboveMicros = null, askNewCountry = false } = before ?? {}
  const besides = both && (permissionsSpend(permissions) ? besidesForm(both) : both)
  return besides && inSentence(ruleWords(rulesThatBind({ ...besides, askAboveMicros, askNewCountry }, permissions), t))
}

function changes({ before, after }: { before: SpenderLimits; after: SpenderLimits }, { consent, format }: Words) {
  const amount = (micros: bigint | null) => (micros === null ? consent.noLimitNow : consent.aDay(format.eur(micros)))
  const places = (codes: readonly string[]) => (codes.length === 0 ? consent.anyCountry : codes.join(', '))
  return [
    { what: consent.limit, before: amount(before.maxPerDayMicros), after: amount(after.maxPerDayMicros) },
    { what: consent.countries, before: places(before.countries), after: places(after.countries) },
  ].filter((change) => change.before !== change.after)
}

/** What it may cost, what was spent today and what there is, a sentence each; null where it can cost nothing. */
function costText({ asked, spent, cost, naming }: Parameters<typeof consentView>[0]): string | null {
  if (cost === null) return null
  const { consent: w, format } = naming.t
  const amounts = spent
    .filter(({ dayMicros }) => dayMicros > 0n)
    .map(({ dayMicros, upstream }) => {
      const amount = format.eur(dayMicros)
      return upstream === 'sandbox' ? w.inSandbox(amount) : amount
    })
  return [
    ...(asked.scopes.includes('sms:send') ? priceText(cost.prices, naming.t) : []),
    amounts.length > 0 ? w.spentToday(format.list(amounts)) : w.nothingToday,
    ...(cost.balanceMicros === null ? [] : [w.balance(format.eur(cost.balanceMicros))]),
  ].join(' ')
}

function priceText(prices: Cost['prices'], { consent: w, format }: Words): string[] {
  if (prices === 'none') return []
  if (prices === null) return [w.noPrices]
  const { lowestMicros: lowest, highestMicros: highest } = prices
  return [lowest === highest ? w.onePrice(format.eur(lowest)) : w.prices(format.eur(lowest), format.eur(highest))]
}
