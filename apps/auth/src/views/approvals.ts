import type { AskedKind } from '@vertexsms/contract/approval'
import type { WhoView } from '../connections/who.ts'
import type { TimeView } from '../words/format.ts'
import type { Words } from '../words/words.ts'
import type { PagerView, Viewer } from './frame.ts'

/** A send that its owner is asked about. */
export interface AskedView {
  readonly kind: AskedKind
  readonly formAction: string
  readonly spenderId: string
  readonly standing: 'pending' | 'approved' | 'refused' | 'expired' | 'used'
  readonly asker: WhoView
  /** Whose pause refuses what is approved: the asker's own, or the account's. */
  readonly stops: 'own' | 'account' | null
  /** Why it was asked, in sentences. */
  readonly why: string
  readonly ceilingMicros: bigint
  /** Empty for what is no SMS. */
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
  readonly outcome: 'approved' | 'refused' | 'withdrawn' | 'refusedAll' | 'noneWaits' | 'late' | null
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
