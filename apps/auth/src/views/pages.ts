// What each page is given to show, one type a template, in one list: a page may hold nothing that does not stand here.
import type { ClientGuide } from '@vertexsms/contract/connect'
import type { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { Permission } from '@vertexsms/contract/permissions'
import type { QuickStart } from '@vertexsms/contract/quick-start'
import type { Scope } from '@vertexsms/contract/scopes'
import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'
import type { Language } from '../words/room.ts'
import type { Words } from '../words/words.ts'

/** The signed-in person, as the frame of a dashboard page shows them. */
export interface Viewer {
  readonly email: string
  /** CSRF token bound to the session: of the sign-out form and of every other form of the dashboard. */
  readonly csrf: string
  /** Sends that wait for this person's approval. */
  readonly waiting: number
}

/** `sign-in`: password and passkey. */
export interface SignInPage {
  /** CSRF token bound to the visitor cookie. */
  readonly csrf: string
  readonly email: string
  /** Own path to go on to. */
  readonly returnTo: string
  /** True when signing in goes on to an app's request for access. */
  readonly continuesToApp: boolean
  /** Who asks; null where it is not known. */
  readonly asker: string | null
  /** JSON for the passkey ceremony, run by passkeys.js. */
  readonly passkeyOptions: string
  readonly error: string | null
  /** True for a browser whose session has ended: it was signed in until now. */
  readonly hasEnded: boolean
}

/** `connect`: how each client is connected; the same for everybody. */
export interface ConnectPage {
  readonly mcpUrl: string
  readonly apiUrl: string
  /** True where only programs on the same computer reach the address. */
  readonly isLocal: boolean
  readonly clients: readonly ClientGuide[]
  /** What sets the token for the lines of {@link quickStart}. */
  readonly tokenCommand: string
  readonly quickStart: readonly QuickStart[]
}

/** `request-access`: the form of somebody without an account. */
export interface RequestAccessPage {
  readonly csrf: string
  /** What is wrong with each field. */
  readonly errors: {
    readonly email?: string
    readonly name?: string
    readonly company?: string
    readonly reason?: string
  }
  /** After how long to send it again; null where nobody has to wait. */
  readonly wait: string | null
  /** How long a request is kept once it was handled. */
  readonly keptDays: number
  readonly email: string
  readonly name: string
  readonly company: string
  readonly reason: string
}

/** `set-password`: where a password link leads. */
export interface SetPasswordPage {
  readonly csrf: string
  /** The link's secret, carried on to the post. */
  readonly link: string
  readonly email: string
  /** False for an invited newcomer, who loses nothing by it. */
  readonly hasAccount: boolean
  readonly minChars: number
  readonly error: string | null
  /** After how long to send it again; null where nobody has to wait. */
  readonly wait: string | null
}

/** `forgot-password`: how to get a link that sets a new one. */
export interface ForgotPasswordPage {
  readonly csrf: string
  readonly sendsMail: boolean
  /** Of the operator: an e-mail address or an https URL. */
  readonly contact: string | null
  /** True once it was asked for, whether there is an account or not. */
  readonly isSent: boolean
  /** How long a mailed link works. */
  readonly hours: number
  readonly email: string
  readonly error: string | null
  /** After how long to ask again; null where nobody has to wait. */
  readonly wait: string | null
}

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
  readonly accountEmail: string | null
}

/** `message`: something to read and nothing to do. */
export interface MessagePage {
  readonly title: string
  readonly text: string
  readonly link?: { readonly href: string; readonly label: string }
  /** Of the request, for whoever looks into it. */
  readonly reference?: string
}

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
  /** Of those of the page that are labelled alike; 1 for the first. */
  readonly which: number
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

/** The way through a list that is long. */
export interface WayView {
  readonly previous: string | null
  readonly next: string | null
}

/** The same through one whose rows are counted. */
export interface PagerView extends WayView {
  readonly page: number
  readonly pages: number
  readonly rows: number
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

/** `sandbox-phone`: what the simulated operator delivered. */
export interface SandboxPhonePage {
  readonly viewer: Viewer
  /** Digits of the number whose texts are shown; null shows those of all numbers. */
  readonly chosen: string | null
  readonly numbers: readonly { readonly digits: string; readonly texts: number; readonly latest: TimeView }[]
  readonly texts: readonly {
    readonly recipient: string
    readonly sender: string
    readonly text: string
    readonly received: TimeView
    /** Who sent it and what it cost; null where that is not known. */
    readonly sent: { readonly who: WhoView; readonly micros: bigint } | null
  }[]
  /** True when there are more texts than are shown. */
  readonly isCut: boolean
}

/** One browser that is signed in. */
export interface SessionView {
  readonly id: string
  readonly browser: string
  readonly address: string
  readonly created: TimeView
  readonly lastSeen: TimeView
}

/** `sessions`: Settings -> Sessions. */
export interface SessionsPage {
  readonly viewer: Viewer
  readonly notice: string | null
  /** The one this page is seen in. */
  readonly current: readonly SessionView[]
  readonly others: readonly SessionView[]
}

/** `account`: Settings -> Account. */
export interface AccountPage {
  readonly viewer: Viewer
  readonly formAction: string
  /** What was done, and in which section. */
  readonly notice: { readonly about: 'password' | 'zone' | 'mails'; readonly text: string } | null
  readonly minChars: number
  /** Whether the box that ends connections is ticked: as it was sent, where the form is shown again. */
  readonly endsConnections: boolean
  /** The zone that is set; empty for UTC. */
  readonly timeZone: string
  readonly timeZones: readonly {
    readonly area: string
    readonly zones: readonly { readonly name: string; readonly place: string }[]
  }[]
  /** False where this installation has no mail server, and there is nothing to choose. */
  readonly sendsMail: boolean
  readonly notices: readonly {
    readonly kind: string
    readonly label: string
    /** As the form was filled in. */
    readonly isWanted: boolean
    /** As it stands: to switch it off takes the password. */
    readonly isSent: boolean
  }[]
  /** Of the mails. */
  readonly languages: readonly { readonly value: Language; readonly name: string; readonly isChosen: boolean }[]
  /** What is wrong with each field. */
  readonly errors: {
    readonly password?: string
    readonly new_password?: string
    readonly time_zone?: string
    /** With the password that the choice of mails takes. */
    readonly mails?: string
  }
}

/** `passkey-remove`: asks before a passkey goes. */
export interface PasskeyRemovePage {
  readonly viewer: Viewer
  readonly id: string
  readonly name: string
  readonly created: TimeView
  readonly lastUsed: TimeView | null
}

/** `passkeys`: Settings -> Passkeys. */
export interface PasskeysPage {
  readonly viewer: Viewer
  /** What was done. */
  readonly notice: string | null
  /** What is wrong with the passkey, or with the password that was typed. */
  readonly error: string | null
  readonly passwordError: string | null
  /** JSON for the ceremony that makes a passkey, run by passkeys.js. */
  readonly options: string
  /** As it was typed, where the form is shown again. */
  readonly suggestedName: string
  readonly passkeys: readonly {
    readonly id: string
    readonly name: string
    readonly created: TimeView
    readonly lastUsed: TimeView | null
  }[]
}

/** `upstream-account`: Settings -> Sending account. */
export interface UpstreamAccountPage {
  readonly viewer: Viewer
  readonly formAction: string
  /** False where the installation sends to the simulated operator. */
  readonly isReal: boolean
  /** What was done, told beside what it is about. */
  readonly notice: keyof Words['upstream']['notices'] | null
  /** Null while none is set. */
  readonly token: { readonly lastFour: string; readonly set: TimeView; readonly checked: TimeView | null } | null
  /** As it stands in its field. */
  readonly hlrPrice: string
  /** What is wrong with each field. */
  readonly errors: {
    readonly token?: string
    readonly password?: string
    readonly remove?: string
    readonly price?: string
  }
  /** True after VertexSMS could not be asked: the token may be stored all the same. */
  readonly offersUnasked: boolean
  /** True where that was chosen, and something else was wrong. */
  readonly isUnasked: boolean
}

/** A send that its owner is asked about. */
export interface AskedView {
  readonly formAction: string
  readonly spenderId: string
  readonly standing: 'pending' | 'approved' | 'refused' | 'expired' | 'used'
  readonly asker: WhoView
  /** Whose pause refuses what is approved: the asker's own, or the account's. */
  readonly stops: 'own' | 'account' | null
  /** Why it was asked, in sentences. */
  readonly why: string
  readonly ceilingMicros: bigint
  readonly sender: string
  readonly recipientCount: number
  readonly countries: readonly string[]
  /** Numbers and text; null once it was decided or is over, or where they cannot be read. */
  readonly asked: { readonly to: readonly string[]; readonly text: string } | null
  readonly upstream: string
  /** When it is to be sent; null for at once. */
  readonly goesOut: TimeView | null
  /** Why it is over, where it is and nobody refused or used it. */
  readonly over: keyof Words['approvals']['overWhy'] | null
  /** True where nothing is left that could ask again. */
  readonly isGone: boolean
  /** What became of the send that used it, where that is known. */
  readonly became: Exclude<keyof Words['approvals']['used'], 'gone'> | null
  /** True where that is what was approved. */
  readonly isGood: boolean
  readonly asking: TimeView
  readonly ends: TimeView
  readonly decided: TimeView | null
}

/** `approval`: one of them. */
export interface ApprovalPage extends AskedView {
  readonly viewer: Viewer
  /** True after a press that came too late. */
  readonly isLate: boolean
  /** True after a press: what came of it is what to look at. */
  readonly isAnswered: boolean
}

/** `approvals`: all that wait, and the latest that do not. */
export interface ApprovalsPage {
  readonly viewer: Viewer
  /** What came of the last answer. */
  readonly outcome: 'approved' | 'refused' | 'withdrawn' | 'refusedAll' | 'late' | null
  /** Which send it was, or whose and how many, once. */
  readonly which: string | null
  /** What waits, by who asks: one send at least. */
  readonly asking: readonly {
    readonly asker: WhoView
    readonly spenderId: string
    readonly sends: readonly AskedView[]
    /** How many of its sends wait in all, those of other pages too. */
    readonly waits: number
  }[]
  /** True where the whole account is paused: what is approved is refused until that ends. */
  readonly isPaused: boolean
  /** What was approved and may still be used. */
  readonly usable: readonly AskedView[]
  /** The latest that were decided or are over. */
  readonly closed: readonly AskedView[]
  readonly pager: PagerView | null
}

/** A message whose outcome is not known. */
export interface UnknownView {
  readonly id: string
  readonly who: WhoView
  readonly kind: 'sms' | 'hlr' | 'msisdn'
  readonly handed: TimeView
  readonly country: string
  readonly lastDigits: string
  readonly micros: bigint
  readonly upstream: string
}

/** A rule of the automatic pause, by its name; `other` for one that this version does not know. */
export type FiredRule = 'burst' | 'number_block' | 'refused_countries' | 'other'

/** Who paused, when, and by which rule. */
export interface PauseView {
  readonly by: 'owner' | 'automatic'
  readonly since: TimeView
  readonly rule: FiredRule
  /** When the last automatic pause began, for whoever resumes to say that they saw it; null where there was none. */
  readonly lastAutomatic: Date | null
}

/** What was spent through one upstream, and what is left; null where no limit bounds it. */
export interface SpentView {
  readonly upstream: string
  readonly dayMicros: bigint
  readonly totalMicros: bigint
  /** Of the total. */
  readonly heldMicros: bigint
  readonly recipients: number
  readonly dayLeftMicros: bigint | null
  readonly totalLeftMicros: bigint | null
}

/** One bar of the drawing: a day, what was spent on it, and how high it stands of 100. */
export interface DayView {
  readonly date: string
  readonly micros: bigint
  readonly sends: number
  readonly height: number
}

/** What an app, a token or the whole account may spend, what it did, and the forms that change the first. */
export interface SpenderPage {
  readonly viewer: Viewer
  /** Its path; the forms and the download stand below it. */
  readonly path: string
  readonly who: WhoView
  /** Of a connection. */
  readonly times: { readonly approved: TimeView; readonly expires: TimeView; readonly lastUsed: TimeView | null } | null
  readonly disconnect: string | null
  /** True of a connection that is alive, holds no token, and can fetch none any more. */
  readonly hasNoKeys: boolean
  readonly isAlive: boolean
  readonly ended: { readonly at: TimeView; readonly reason: EndedReason } | null
  /** The page of the connection that took its place. */
  readonly successor: string | null
  readonly notice: SpenderNotice | null
  readonly pause: PauseView | null
  /** Of an app or a token: that of the whole account, which stops it as well. */
  readonly accountPause: PauseView | null
  /** The numbers of the rules of the automatic pause. */
  readonly rules: typeof PAUSE_RULES
  /** What it may do, in words; null of the account, which may do everything. */
  readonly may: readonly string[] | null
  /** False where nothing that it may do costs money. */
  readonly spends: boolean
  /** False where no limit can bind what it may do. */
  readonly isBound: boolean
  /** Those that can. */
  readonly limits: readonly string[]
  /** What the account itself is held to, in words; null where nothing is set, and on the account's own page. */
  readonly accountLimits: string | null
  readonly spent: readonly SpentView[]
  readonly days: readonly DayView[]
  /** Through which they were spent. */
  readonly upstream: string
  /** What is held counts on no day yet. */
  readonly daysHeldMicros: bigint
  readonly unknown: readonly UnknownView[]
  readonly hasMoreUnknown: boolean
  readonly scheduled: readonly {
    readonly id: string
    readonly goesOut: TimeView
    readonly country: string
    readonly lastDigits: string
    readonly parts: number
    readonly sender: string
    readonly heldMicros: bigint
    readonly upstream: string
  }[]
  readonly scheduledPager: PagerView | null
  readonly activity: readonly {
    readonly at: TimeView
    readonly who: WhoView | null
    readonly what: string
    readonly outcome: string
    /** The limit of money that refused, where that was it and it is known. */
    readonly cap: keyof Words['spender']['caps'] | null
    readonly count: number
    readonly micros: bigint
    readonly country: string | null
    readonly lastDigits: string | null
    readonly upstream: string
    /** What the network said of a message that was handed over; null while it said nothing, and for everything else. */
    readonly delivery: 'delivered' | 'failed' | 'expired' | null
    /** Of a message that waited: why it was cancelled. */
    readonly cancelled: keyof Words['spender']['cancelledWhy'] | null
  }[]
  readonly activityPager: WayView | null
  readonly form: {
    /** What stands, by field: what is sent back as it was changes nothing. */
    readonly was: Readonly<Record<string, string>>
    readonly values: Readonly<Record<string, string>>
    /** What is wrong, by field. */
    readonly errors: Readonly<Record<string, string>>
  }
}

/** Why a connection is no more, or a token. */
export type EndedReason =
  | 'deleted'
  | 'token'
  | 'revoked'
  | 'refresh_reuse'
  | 'code_replay'
  | 'account'
  | 'replaced'
  | 'expired'
  | 'other'

/** What a page says after a change. */
export type SpenderNotice =
  | 'limits'
  | 'pause'
  | 'resume'
  | 'ended'
  | 'cancelled'
  | 'too_late'
  | 'unreachable'
  | 'sent'
  | 'not_sent'
  | 'settled'

/** A connection or a token made by hand, in one row (`partials/glance`). */
export interface GlanceView {
  readonly who: WhoView
  /** Of a token's value, where it is known. */
  readonly lastFour: string | null
  /** False where nothing that it may do costs money. */
  readonly spends: boolean
  readonly todayMicros: bigint
  readonly lastUsed: TimeView | null
  readonly hasNoKeys: boolean
  readonly isPaused: boolean
}

/** `overview`: the dashboard's first page. */
export interface OverviewPage {
  readonly viewer: Viewer
  readonly notice: SpenderNotice | null
  /** Of the whole account. */
  readonly pause: PauseView | null
  readonly rules: typeof PAUSE_RULES
  /** True where something may spend, and can be stopped. */
  readonly canPause: boolean
  readonly upstream: string
  /** Null where the upstream does not tell it; `unreachable` where it could not be asked. */
  readonly balance: bigint | null | 'unreachable'
  /** Settled and held together, as in the limits. */
  readonly todayMicros: bigint
  /** What was settled in the month, and what is held of today; what is scheduled is held on no day yet. */
  readonly monthMicros: bigint
  readonly limits: readonly string[]
  readonly unknown: readonly UnknownView[]
  readonly hasMoreUnknown: boolean
  readonly paused: readonly { readonly who: WhoView; readonly pause: PauseView }[]
  /** Limits of which most is used, or all of it; money in micro-EUR. */
  readonly near: readonly {
    readonly who: WhoView
    readonly limit: 'day' | 'total' | 'recipients'
    readonly max: bigint
    readonly used: bigint
  }[]
  readonly connections: readonly GlanceView[]
  readonly connectionCount: number
  readonly tokens: readonly GlanceView[]
  readonly tokenCount: number
  /** Of what was spent today what none of those spent: others, and what ended. */
  readonly restMicros: bigint
  readonly endedCount: number
  readonly connect: ConnectPage
}

/** `ended`: connections that are no more. */
export interface EndedPage {
  readonly viewer: Viewer
  /** Through which all the sums were spent. */
  readonly upstream: string
  readonly connections: readonly {
    readonly who: WhoView
    readonly approved: TimeView
    readonly at: TimeView
    readonly reason: EndedReason
    /** What it spent in all; null where another goes on with its counters. */
    readonly totalMicros: bigint | null
  }[]
  readonly pager: PagerView | null
}

/** Every page and the data it needs; the names are the files in views/pages. */
export interface Pages {
  readonly connect: ConnectPage
  readonly 'sign-in': SignInPage
  readonly consent: ConsentPage
  readonly continue: ContinuePage
  readonly message: MessagePage
  readonly 'api-tokens': ApiTokensPage
  readonly 'new-token': NewTokenPage
  readonly 'token-created': TokenCreatedPage
  readonly 'token-edit': TokenEditPage
  readonly 'token-delete': TokenDeletePage
  readonly disconnect: DisconnectPage
  readonly 'sandbox-phone': SandboxPhonePage
  readonly 'request-access': RequestAccessPage
  readonly 'set-password': SetPasswordPage
  readonly 'forgot-password': ForgotPasswordPage
  readonly sessions: SessionsPage
  readonly passkeys: PasskeysPage
  readonly 'passkey-remove': PasskeyRemovePage
  readonly account: AccountPage
  readonly 'upstream-account': UpstreamAccountPage
  readonly approval: ApprovalPage
  readonly approvals: ApprovalsPage
  readonly spender: SpenderPage
  readonly overview: OverviewPage
  readonly ended: EndedPage
  readonly lost: MessagePage & { readonly viewer: Viewer }
}

/** The name of a page. */
export type PageName = keyof Pages
