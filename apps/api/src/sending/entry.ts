// What is to be let in, and what came of it.
import type { ApiError } from '../http/api-error.ts'
import type { Admission, NewMessage, NewSend } from '../ledger/admit.ts'
import type { Approved } from './approval.ts'
import type { Sender } from './deps.ts'
import type { Priced } from './price.ts'
import type { Key } from './repeat.ts'
import type { Recipient } from './request.ts'
import type { MessageRow } from './rows.ts'

/** What is to be let in. */
export interface Entry {
  readonly kind: NewSend['kind']
  readonly sender: Sender
  readonly route: string
  readonly key: Key | null
  readonly recipients: readonly Recipient[]
  /** What refuses its only recipient refuses all of it. */
  readonly single: boolean
  /** Told once it is known to be no repeat. */
  readonly refusal: ApiError | null
  readonly parts: number
  /** As limits name it; null for what has none. */
  readonly limitedSender: string | null
  readonly fingerprint: (recipient: Recipient) => Uint8Array | null
  /** What is held where nobody asks for the very price. */
  readonly byRates: (recipients: readonly Recipient[]) => Promise<Priced[]>
  /** The upstream's own answer, for the account's token of this generation. */
  readonly byCost: (recipients: readonly Recipient[], generation: number) => Promise<Priced[]>
  /** Whether that is asked for at once. */
  readonly asksPrice: boolean
  readonly maxPriceMicros: bigint | null
  readonly quoteId: string | null
  /** Of what a quote and an approval are for. */
  readonly digest: () => Uint8Array
  /** What the owner is shown who is asked for an approval. */
  readonly shown: { readonly from: string; readonly text: string }
  readonly how: Admission['how']
  readonly newId: () => bigint
  readonly columns: Pick<
    NewSend,
    'sender' | 'coding' | 'priority' | 'testMode' | 'dlrUrl' | 'scheduledAt' | 'expireInSeconds'
  >
  /** What the hand-over needs later, with the most that was allowed for it; null where it comes at once. */
  readonly sealed: (sendId: string, maxMicros: bigint | null) => Uint8Array | null
}

/** A message that was let in. */
export interface Entered extends NewMessage {
  readonly priced: Priced
}

/** What was let in, and what was not. */
export interface LetIn {
  readonly kind: 'entered'
  /** Null where nothing new was let in. */
  readonly sendId: string | null
  readonly messages: readonly Entered[]
  /** By place in the request. */
  readonly refused: ReadonlyMap<number, ApiError>
  readonly replayed: ReadonlyMap<number, MessageRow>
  /** A moment before the lease began, by a clock that never goes back. */
  readonly sinceMs: number
  readonly generation: number
}

/** What came of it. */
export type Entrance = { readonly kind: 'replay'; readonly rows: readonly MessageRow[] } | LetIn

/** What is known of one request, from round to round. */
export interface Progress {
  readonly generation: number
  readonly refused: Map<number, ApiError>
  readonly replayed: Map<number, MessageRow>
  /** Until then it waits for a place. */
  readonly busyUntilMs: number
  /** True once the upstream's own price is asked for. */
  remote: boolean
  /** True once a repeat was looked for. */
  looked: boolean
  approval: Approved | null
  maxMicros: bigint | null
}

/** What a round asks for: to be let in, the next round, or the next round without counting this one. */
export type Next = Entrance | 'again' | 'busy'
