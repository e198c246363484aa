import type { Scope } from '@vertexsms/contract/scopes'
import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'

/** What a person may set of a connection while approving it. */
export interface BoundsView {
  /** Amounts to choose from, as the field sends them. */
  readonly amounts: readonly { readonly value: string; readonly short: string; readonly label: string }[]
  /** True where no limit at all may be chosen. */
  readonly offersNone: boolean
  /** The value of `limit` that is chosen: one of the amounts, `none`, or `other` for one that is typed. */
  readonly chosen: string
  /** An amount that was typed, and as it was read; null for none. */
  readonly own: string
  readonly ownAmount: string | null
  /** The countries as they were typed, and as they were read. */
  readonly countries: string
  readonly places: readonly string[]
  /** The countries that the app asked for, which hold where none is typed; empty for any. */
  readonly askedPlaces: readonly string[]
  /** True where the account itself is held to some countries. */
  readonly isOfSome: boolean
  readonly times: readonly { readonly value: string; readonly label: string; readonly isChosen: boolean }[]
  /** True where there is a connection already, and what is wider must be typed. */
  readonly isEarlier: boolean
  /** What is wrong, by field. */
  readonly problems: { readonly own_limit?: string; readonly countries?: string; readonly lasts?: string }
}

/** `consent`: who asks, where the answer goes, what it may cost, and what may be unticked. */
export interface ConsentPage {
  readonly formAction: string
  /** CSRF token bound to the interaction. */
  readonly csrf: string
  readonly asker: WhoView
  /** Host at which the client's metadata document is published; null for a registered client. */
  readonly documentHost: string | null
  /** What a person should know before believing it. */
  readonly warnings: readonly string[]
  readonly accountEmail: string
  readonly scopes: readonly {
    readonly name: Scope
    readonly description: string
    readonly explained: string
    readonly billable: boolean
    readonly isTicked: boolean
    /** True where the app is connected and did not have it. */
    readonly isNew: boolean
  }[]
  /** Why the page asks again, where nothing was ticked, in words. */
  readonly nothingTicked: string | null
  /** True where what the page said of an earlier connection did not hold any more, and is said anew. */
  readonly isStale: boolean
  /** The connection whose limits the page shows, and those, for the form to send back; empty for those of one that begins. */
  readonly limitsFrom: string
  readonly limitsShown: string
  /** Why no other app can be connected, in words; null where one can. */
  readonly noRoom: string | null
  /** True when some of what is asked for only reads, and not all: that would be allowed alike by either button. */
  readonly offersReadingOnly: boolean
  /** True when some of what is asked for costs money. */
  readonly spends: boolean
  readonly bounds: BoundsView
  /**
   * Limits besides those of the form that can bind what it asks for, a sentence each; null when nothing fits both what it
   * asked to be held to and what is set.
   */
  readonly limits: readonly string[] | null
  /** The limits that the app asked to be held to itself, a sentence each; empty where it asked to be held to none. */
  readonly askedLimits: readonly string[]
  /** What becomes wider than it was, and the words that confirm it; null where nothing does. */
  readonly widening: {
    readonly confirms: string
    readonly changes: readonly { readonly what: string; readonly before: string; readonly after: string }[]
  } | null
  /** What it may cost, what the whole account spent today and has, in words; null where it can cost nothing. */
  readonly cost: string | null
  /** What the account itself is held to, in words; null where nothing is set. */
  readonly accountLimits: string | null
  /** True while nothing of the account is sent. */
  readonly isAllPaused: boolean
  /** The connection of this client that goes on. */
  readonly goesOn: EarlierView | null
  /** Those of which one may be replaced; `isChosen` for the one that is. */
  readonly replaceable: readonly (EarlierView & { readonly isChosen: boolean })[]
  /** The "not you?" form: CSRF token bound to the session, and where to come back after signing in again. */
  readonly signOut: { readonly csrf: string; readonly returnTo: string }
}

/** A connection that the client has already. */
export interface EarlierView {
  readonly id: string
  readonly name: string
  readonly approved: TimeView
  readonly lastUsed: TimeView | null
  readonly isPaused: boolean
  /** Messages that wait for their time under it. */
  readonly scheduledMessages: number
  /** What it may do and does not ask for now, in words as they stand in a sentence: that ends. */
  readonly loses: readonly string[]
}

/** The page after an approval or a denial, which carries the browser on to the client. */
export interface ContinuePage {
  readonly url: string
  readonly who: WhoView
  /** True for one that a person was warned of: nothing leads to it but a press, and none that stands out. */
  readonly isWarned: boolean
  readonly answer: 'allowed' | 'denied'
  /** Of whoever allowed it, to whom alone that is shown; what was denied may be seen signed out, and names nobody. */
  readonly accountEmail: string | null
}
