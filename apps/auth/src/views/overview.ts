import type { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'
import type { PagerView, Viewer } from './frame.ts'
import type { ConnectPage } from './sign-in.ts'
import type { EndedReason, PauseView, SpenderNotice, UnknownView } from './spender.ts'

/** A connection or a token made by hand, in one row (`partials/glance`). */
export interface GlanceView {
  readonly who: WhoView
  /** When a connection was approved; null for a token. */
  readonly approved: TimeView | null
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
