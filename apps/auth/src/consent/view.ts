import { SCOPES, type Scope } from '@vertexsms/contract/scopes'
import type { SpenderLimits } from '@vertexsms/contract/spender-limits'
import type { SignedIn } from '../accounts/session.ts'
import { eur, limitWords } from '../connections/limit-words.ts'
import { narrower } from '../connections/limits.ts'
import type { Spent } from '../connections/spent.ts'
import type { BoundsView, ConsentPage, EarlierView } from '../views/pages.ts'
import { timeView } from '../web/times.ts'
import { askerOf } from './asker.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { boundsView, type Start, type TypedBounds, wideningText } from './bounds.ts'
import type { Earlier } from './earlier.ts'
import { warningsOf } from './warnings.ts'

/** Scopes under which nothing is spent, registered or changed. */
export const READING_SCOPES: readonly Scope[] = ['sms:rates', 'numbers:read']

/** What the words of a scope mean to somebody who never sent an SMS by a program. */
const EXPLAINED: Readonly<Record<Scope, string>> = {
  'sms:send': 'to any number, within the limits below',
  'sms:rates': 'what an SMS costs in each country',
  'sender:write': 'the names and numbers that your texts come from',
  'hlr:lookup': 'whether a number is in use',
  'numbers:read': 'countries, operators, and how numbers are written',
}

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
  readonly problems?: BoundsView['problems']
  readonly wider?: { readonly before: SpenderLimits; readonly after: SpenderLimits }
}

/** Everything the consent page shows but what ties its forms to the browser. */
export function consentView(of: {
  readonly asked: AuthorizationRequest
  readonly signedIn: SignedIn
  readonly earlier: readonly Earlier[]
  readonly spent: readonly Spent[]
  readonly start: Start
  readonly filled: Filled
  readonly shown: Shown
  readonly own: ReadonlySet<string>
  readonly now: Date
}): Omit<ConsentPage, 'formAction' | 'csrf' | 'signOut'> {
  const { asked, start, filled, shown, now } = of
  const { claim, documentHost, isShared } = asked.client
  const hosts = [...(asked.isLocalApp ? [] : [asked.redirectHost]), ...(documentHost ? [documentHost] : [])]
  const goesOn = isShared ? undefined : of.earlier[0]
  const replaced = of.earlier.find(({ id }) => id === filled.replaces)
  const before = goesOn ?? replaced
  const view = (earlier: Earlier): EarlierView => ({
    id: earlier.id,
    name: earlier.clientName,
    approved: timeView(earlier.approvedAt, now),
    lastUsed: earlier.lastUsedAt && timeView(earlier.lastUsedAt, now),
    limits: limitWords(earlier.limits),
    loses: earlier.scopes.filter((scope) => !asked.scopes.includes(scope)),
  })
  return {
    asker: askerOf(asked),
    claim,
    documentHost,
    warnings: warningsOf({ name: claim, hosts, ownDomains: of.own }),
    accountEmail: of.signedIn.account.email,
    scopes: asked.scopes.map((name) => ({
      name,
      description: SCOPES[name].description,
      explained: EXPLAINED[name],
      billable: SCOPES[name].billable,
      isTicked: filled.scopes.includes(name),
      isNew: before !== undefined && !before.scopes.includes(name),
    })),
    nothingTicked: shown.nothingTicked ?? false,
    offersReadingOnly: asked.scopes.some((name) => READING_SCOPES.includes(name)),
    bounds: boundsView(filled.bounds, start, shown.problems),
    limits: otherLimits(start),
    asksForLimits: asked.askedLimits !== null,
    widening: shown.wider
      ? { confirms: wideningText(shown.wider.before, shown.wider.after), changes: changes(shown.wider) }
      : null,
    spentToday: spentText(of.spent),
    goesOn: goesOn ? view(goesOn) : null,
    replaceable: isShared
      ? of.earlier.map((earlier) => ({ ...view(earlier), isChosen: earlier.id === filled.replaces }))
      : [],
  }
}

/** What it will be held to besides what the form sets; all of it where the app asked for limits itself. */
function otherLimits({ limits, asked }: Start): string[] | null {
  if (!asked) return limitWords({ ...limits, maxPerDayMicros: null, countries: [] })
  const both = narrower(limits, asked)
  return both && limitWords(both)
}

function changes({ before, after }: { before: SpenderLimits; after: SpenderLimits }) {
  const amount = (micros: bigint | null) => (micros === null ? 'no limit' : `${eur(micros)} a day`)
  const places = (codes: readonly string[]) => (codes.length === 0 ? 'any country' : codes.join(', '))
  return [
    { what: 'Limit', before: amount(before.maxPerDayMicros), after: amount(after.maxPerDayMicros) },
    { what: 'Countries', before: places(before.countries), after: places(after.countries) },
  ].filter((change) => change.before !== change.after)
}

function spentText(spent: readonly Spent[]): string {
  const words = spent
    .filter(({ dayMicros }) => dayMicros > 0n)
    .map(({ dayMicros, upstream }) => `${eur(dayMicros)}${upstream === 'sandbox' ? ' in the sandbox' : ''}`)
  return words.length > 0 ? words.join(' and ') : 'nothing yet'
}
