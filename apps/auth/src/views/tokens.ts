import type { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Permission } from '@vertexsms/contract/permissions'
import type { QuickStart } from '@vertexsms/contract/quick-start'
import type { Scope } from '@vertexsms/contract/scopes'
import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'
import type { PagerView, Viewer } from './frame.ts'
import type { PauseView, SpentView } from './spender.ts'

/** The value that a token had before, while it is good. */
interface ReplacedView {
  readonly lastFour: string | null
  readonly ends: TimeView
}

/** One token made by hand in a list. */
export interface TokenView {
  readonly id: string
  readonly name: string
  /** What its button is called by: no two of a list alike. */
  readonly label: string
  /** Null of one that was made before they were kept. */
  readonly lastFour: string | null
  readonly isPaused: boolean
  /** What it may do, in words. */
  readonly may: readonly string[]
  readonly permissions: readonly string[]
  readonly ipAllowList: readonly string[]
  /** The entries of it that no address can match. */
  readonly deadAddresses: readonly string[]
  /** What bounds it, as it stands in the middle of a sentence. */
  readonly limits: readonly string[]
  readonly created: TimeView
  readonly lastUsed: TimeView | null
  readonly expires: TimeView | null
  readonly replaced: ReplacedView | null
}

/** By what a person tells one token from another, whose page this is. */
export interface TokenFactsView {
  readonly name: string
  readonly lastFour: string | null
  readonly may: readonly string[]
  readonly permissions: readonly string[]
  readonly ipAllowList: readonly string[]
  /** A sentence each. */
  readonly limits: readonly string[]
  /** False where nothing that it may do costs money. */
  readonly spends: boolean
  readonly created: TimeView
  readonly lastUsed: TimeView | null
  readonly expires: TimeView | null
  /** For how many days a value of it is good, a part of one counted as whole; null for ever. */
  readonly lifeDays: number | null
  readonly replaced: ReplacedView | null
}

/** One token of a connection. */
export interface IssuedTokenView {
  readonly id: string
  /** What it is for, with its number among its like. */
  readonly title: string
  readonly name: string
  /** What its button is called by: no two of a page alike. */
  readonly label: string
  readonly created: TimeView
  readonly lastUsed: TimeView | null
  readonly expires: TimeView | null
}

/** One connection in a list, with its tokens. */
export interface ConnectionView {
  readonly id: string
  readonly who: WhoView
  /** What its buttons are called by: no two of a list alike. */
  readonly label: string
  readonly isPaused: boolean
  /** What it may do, in the words of the consent page. */
  readonly may: readonly string[]
  /** False where none of that costs money. */
  readonly spends: boolean
  readonly approved: TimeView
  readonly expires: TimeView
  /** Over all its tokens, those that are gone too. */
  readonly lastUsed: TimeView | null
  /** What it spent, once an upstream; what is held of the total is not spent yet. */
  readonly spent: readonly Pick<SpentView, 'upstream' | 'dayMicros' | 'totalMicros' | 'heldMicros'>[]
  /** Null for no limit a day, and where it can spend nothing. */
  readonly maxPerDayMicros: bigint | null
  /** True where it holds no token and can fetch none any more. */
  readonly hasNoKeys: boolean
  readonly tokenCount: number
  /** The newest of them. */
  readonly tokens: readonly IssuedTokenView[]
}

type TokenField = 'name' | 'may' | 'own_limit' | 'countries' | 'ip_allow_list' | 'expires_in'

/** The form for a new token, as it was filled in. */
export interface TokenFormView {
  /** Of the form: it makes one token, however often it is sent. */
  readonly id: string
  /** What is wrong, by field; `form` is about none of them. */
  readonly problems: Readonly<Partial<Record<TokenField | 'form', string>>>
  /** Where the person goes on. */
  readonly firstWrong: TokenField | null
  readonly name: string
  /** What it is for and how long it may be, in words. */
  readonly nameHelp: string
  readonly scopes: readonly {
    readonly name: Scope
    readonly description: string
    readonly chosen: boolean
    readonly billable: boolean
  }[]
  readonly routes: readonly {
    readonly permission: Permission
    readonly words: string
    readonly chosen: boolean
    readonly billable: boolean
  }[]
  readonly amounts: readonly { readonly value: string; readonly label: string }[]
  /** The value that stands for no limit. */
  readonly noLimit: string
  /** The value that stands for an amount that is typed. */
  readonly otherLimit: string
  /** The value of the chosen limit. */
  readonly limit: string
  readonly ownLimit: string
  readonly countries: string
  readonly ipAllowList: string
  readonly expiries: readonly { readonly value: string; readonly label: string; readonly chosen: boolean }[]
}

/** `api-tokens`: Settings -> API. */
export interface ApiTokensPage {
  readonly viewer: Viewer
  readonly notice: string | null
  /** What the account itself is held to, in words, and its pause: both bind everything here. Null where there is none. */
  readonly accountLimits: string | null
  readonly accountPause: PauseView | null
  /** Those that were found, in order. */
  readonly connections: readonly ConnectionView[]
  /** Of all, found or not. */
  readonly connectionCount: number
  /** True where they are rows that open, for there are many. */
  readonly isBrief: boolean
  /** What is looked for among them, and how they are ordered. */
  readonly q: string
  readonly sort: 'connected' | 'used' | 'spent'
  /** Null where everything is on one page. */
  readonly connectionPager: PagerView | null
  /** Those that were found, in order. */
  readonly tokens: readonly TokenView[]
  readonly tokenPager: PagerView | null
  /** Of all, found or not. */
  readonly tokenCount: number
  readonly find: string
  readonly order: 'created' | 'used' | 'name' | 'expires'
}

/** `new-token`: the form of one. */
export interface NewTokenPage {
  readonly viewer: Viewer
  readonly form: TokenFormView
}

/** `token-created`: the only page that ever shows the value of a token. */
export interface TokenCreatedPage {
  readonly viewer: Viewer
  readonly id: string
  readonly facts: TokenFactsView
  /** True where an existing token was given another value. */
  readonly isReplaced: boolean
  /** The only time the value leaves the server; null once it has. */
  readonly shown: { readonly value: string; readonly tokenCommand: string; readonly tryCommand: string } | null
  readonly quickStart: readonly QuickStart[]
}

/** `token-edit`: one token made by hand. */
export interface TokenEditPage {
  readonly viewer: Viewer
  readonly id: string
  readonly facts: TokenFactsView
  /** Its own pause; null while it may spend. */
  readonly pause: PauseView | null
  /** The numbers of the rules of the automatic pause. */
  readonly rules: typeof PAUSE_RULES
  /** What it was just called. */
  readonly renamed: string | null
  /** As it stands in its field, and what is wrong with it. */
  readonly name: string
  readonly problem: string | null
  /** What it is for and how long it may be, in words. */
  readonly nameHelp: string
}

/** `token-delete`: asks before a token goes. */
export interface TokenDeletePage {
  readonly viewer: Viewer
  readonly formAction: string
  readonly facts: TokenFactsView
  /** What it has scheduled, which is cancelled with it; none of a token of a connection, which says its own. */
  readonly scheduledMessages: number
  /** The connection that ends with it, and what the list calls the token; null for a token made by hand. */
  readonly connection: (EndingConnectionView & { readonly token: string }) | null
}

/** A connection that is about to end. */
export interface EndingConnectionView {
  readonly who: WhoView
  readonly approved: TimeView
  readonly lastUsed: TimeView | null
  /** What it spent, once an upstream. */
  readonly spent: readonly { readonly upstream: string; readonly dayMicros: bigint; readonly totalMicros: bigint }[]
  readonly scheduledMessages: number
}

/** `disconnect`: asks before a connection ends. */
export interface DisconnectPage extends EndingConnectionView {
  readonly viewer: Viewer
  readonly formAction: string
}
