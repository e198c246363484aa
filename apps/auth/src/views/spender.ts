import type { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'
import type { Words } from '../words/words.ts'
import type { PagerView, Viewer, WayView } from './frame.ts'

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
