import type { ApiErrorCode, VertexErrorCode } from '@vertexsms/contract/api-errors'
import type { RefusalReasonName } from '@vertexsms/contract/refusals'
import type {
  CorrectNumbersRequest,
  correctNumbersResponseSchema,
  HlrResult,
  HlrStatus,
  mccMncResponseSchema,
  operatorResponseSchema,
  prefixesResponseSchema,
  Rate,
  SenderIdRequest,
  SendSmsRequest,
  SmsCost,
} from '@vertexsms/contract/rest'
import type { upstreamSchema } from '@vertexsms/service/env'
import type * as z from 'zod'
import type { ReadNumber } from '../message/number.ts'

/** On whose behalf a call is made. */
export interface Caller {
  /** Of the token's row. */
  readonly id: string
  readonly accountId: string
  readonly connectionId: string | null
  /** What time it is by the clock that all nodes share. */
  now(): Date
}

/** A lookup as it stands, and when it is worth looking again. */
export interface HlrProgress {
  readonly status: HlrStatus
  readonly lookAgainInMs: number | null
}

/** A place in a list, counted from 1. */
export type Page = number

/** A rate card as it is shown, and for how many whole seconds it has been known. */
export interface ShownRates {
  readonly rows: readonly Rate[]
  readonly ageSeconds: number
}

/**
 * What stands behind the guard. It is handed requests whose shape is checked and callers who may make them, and throws
 * ApiError for what it refuses. Implementations: the sandbox; the forwarder to the real operator.
 */
export interface Upstream {
  smsCost(caller: Caller, request: SendSmsRequest): Promise<SmsCost>
  rates(caller: Caller): Promise<ShownRates>
  /** Undefined for a lookup that is not the caller's. */
  readHlr(caller: Caller, id: bigint): Promise<HlrProgress | undefined>
  /** The numeric id of the sender. */
  registerSender(caller: Caller, request: SenderIdRequest): Promise<string>
  confirmSender(caller: Caller, id: bigint, code: string): Promise<void>
  operator(caller: Caller, id: number): Promise<z.infer<typeof operatorResponseSchema> | undefined>
  /** Undefined for what is no country. */
  mccMnc(caller: Caller, country: string, page: Page): Promise<z.infer<typeof mccMncResponseSchema> | undefined>
  prefixes(caller: Caller, country: string, page: Page): Promise<z.infer<typeof prefixesResponseSchema> | undefined>
  correctNumbers(caller: Caller, request: CorrectNumbersRequest): Promise<z.infer<typeof correctNumbersResponseSchema>>
}

/** Which upstream, by the name that the setting, counters and rows carry. */
export type UpstreamName = z.infer<typeof upstreamSchema>

/** One message that is handed over. Everything is judged and priced; the upstream knows no spender, connection or report address of the caller. */
export interface SmsOrder {
  /** Whose account at the upstream. */
  readonly accountId: string
  /**
   * Of the account's token that it was accepted for. The upstream compares it with the very token that it calls with, and
   * refuses with UPSTREAM_CHANGED where they differ.
   */
  readonly generation: number
  /** Our id of the message; the upstream reports under it. */
  readonly messageId: bigint
  /** International, digits. */
  readonly to: string
  readonly from: string
  readonly message: string
  readonly coding: 0 | 1 | 2
  /** True where the caller named the coding, which switches splitting off. */
  readonly codingNamed: boolean
  readonly udh?: string
  readonly priority?: 'high' | 'normal' | 'low'
  readonly expireInSeconds?: number
  readonly testMode?: 1 | 2
}

/** A lookup that is handed over. */
export interface LookupOrder {
  readonly accountId: string
  /** As that of {@link SmsOrder}. */
  readonly generation: number
  readonly messageId: bigint
  readonly msisdn: string
}

/** What an upstream answered to a hand-over. It never throws for an answer; whatever it throws counts as `unknown`. */
export type HandOver =
  | {
      readonly kind: 'accepted'
      /** The upstream's own id. */
      readonly reference: string
      readonly parts: number | null
      /** What it charged, where it says so. */
      readonly priceMicros: bigint | null
    }
  | {
      /** Certain that nothing was done and nothing charged. */
      readonly kind: 'refused'
      readonly code: ApiErrorCode
      readonly errorCode?: VertexErrorCode
      readonly reason?: RefusalReasonName
      readonly message?: string
    }
  | { readonly kind: 'unknown' }

/** The price of one message as the upstream tells it; null where it cannot be had. */
export interface UpstreamPrice {
  /** The larger of the total and of parts times the part's price. */
  readonly micros: bigint
  readonly parts: number
  readonly country: string
  readonly operator: string | null
  readonly mccmnc: string
}

/** A final or intermediate state as the upstream reports it: 0 none yet, 1 delivered, 2 failed, 3 seen, 16 expired. */
export interface DeliveryReport {
  readonly messageId: bigint
  readonly status: number
  readonly error: number
  readonly mcc: string | null
  readonly mnc: string | null
}

/** What the network said of a number that was looked up. */
export interface LookupReport {
  readonly messageId: bigint
  /** Its `id` is the upstream's own and is shown to nobody. */
  readonly result: Omit<HlrResult, 'id'>
}

/**
 * Where an upstream's reports come in. A report is taken when the promise resolves, also for a message that is gone; one
 * that rejects is told again. A report may come before the answer to its hand-over, more than once, and in any order.
 */
export interface ReportDoor {
  delivery(report: DeliveryReport): Promise<void>
  lookup(report: LookupReport): Promise<void>
}

/**
 * What sending asks of an operator's network. It charges none of our spenders: it answers a reference, a price and a
 * state, or a named refusal. Reports come back through the one door that it is given when it is made, and are marked
 * as told only after the door has taken them. Implementations: the simulated operator; the forwarder to the real one.
 */
export interface SendingUpstream {
  readonly name: UpstreamName
  /** Reads a number as this upstream knows numbers; asks nobody. */
  readonly readNumber: ReadNumber
  /** Why no lookup can be made here, known before anything is held; null where they can. */
  readonly cannotLookUp: ApiErrorCode | null
  /** Of the account's token there, as ledger/current.ts has it; 0 where there is only one. */
  generation(accountId: string): Promise<number>
  send(order: SmsOrder): Promise<HandOver>
  hlr(order: LookupOrder): Promise<HandOver>
  /** Null where no price can be had. Charges nothing. */
  cost(order: Omit<SmsOrder, 'messageId' | 'generation'>): Promise<UpstreamPrice | null>
  /** The dearest part price of a country in the present rate card; null where it has none. */
  dearestRateMicros(accountId: string, country: string): Promise<bigint | null>
  /** The part price in one network of a country, by the codes that a report names; null where the rate card has none. */
  networkRateMicros(accountId: string, country: string, mcc: string, mnc: string): Promise<bigint | null>
  /** The price of a lookup; null where it is not known. */
  hlrPriceMicros(accountId: string): Promise<bigint | null>
  /** What became of a message that it took under this id of its own; null while nothing is known. */
  status(accountId: string, reference: string): Promise<Omit<DeliveryReport, 'messageId'> | null>
  /** Null where the upstream does not tell it. */
  balanceMicros(accountId: string): Promise<bigint | null>
}
