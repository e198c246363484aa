import type {
  CorrectNumbersRequest,
  correctNumbersResponseSchema,
  HlrRequest,
  HlrStatus,
  mccMncResponseSchema,
  operatorResponseSchema,
  prefixesResponseSchema,
  Rate,
  SenderIdRequest,
  SendSmsRequest,
  SmsCost,
} from '@vertexsms/contract/rest'
import type { z } from 'zod'

/** On whose behalf a call is made. */
export interface Caller {
  /** Of the token's row. */
  readonly id: string
  readonly accountId: string
  readonly connectionId: string | null
  /** What time it is by the clock that all nodes share. */
  now(): Date
}

/** A message that was accepted. */
export interface SentSms {
  readonly ids: readonly string[]
  readonly parts: number
}

/** A lookup as it stands, and when it is worth looking again. */
export interface HlrProgress {
  readonly status: HlrStatus
  readonly lookAgainInMs: number | null
}

/** A place in a list, counted from 1. */
export type Page = number

/**
 * What stands behind the guard. It is handed requests whose shape is checked and callers who may make them, and throws
 * ApiError for what it refuses. Implementations: the sandbox; a forwarder to the live API fits the same interface.
 */
export interface Upstream {
  sendSms(caller: Caller, request: SendSmsRequest): Promise<SentSms>
  smsCost(caller: Caller, request: SendSmsRequest): Promise<SmsCost>
  rates(caller: Caller): Promise<readonly Rate[]>
  submitHlr(caller: Caller, request: HlrRequest): Promise<number>
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
