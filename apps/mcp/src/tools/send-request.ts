import type { ApiRequest } from '../api/client.ts'
import { EFFECT_TIMEOUT_MS } from '../api/timeouts.ts'

/** The arguments of `send_sms` as they were read. */
export interface SendArguments {
  /** Digits of E.164, the country of national ones already applied. */
  readonly to: string[]
  readonly from: string
  readonly message: string
  readonly priority?: 'high' | 'normal' | 'low'
  readonly scheduled?: string
  readonly coding?: number
  readonly expireIn?: number
  readonly idempotencyKey?: string
  readonly allowRepeat?: boolean
  /** Decimal text in EUR. */
  readonly maxPrice?: string
  readonly quoteId?: string
}

/** The API asks the operator for up to a list of prices. */
const QUOTE_TIMEOUT_MS = 20_000

/**
 * The one request for all recipients. `correctBy` stays behind: the numbers are complete, and nothing may change them
 * any more.
 */
export function batchRequest(args: SendArguments): ApiRequest {
  const { idempotencyKey } = args
  return {
    method: 'POST',
    path: '/sms/batch',
    body: bodyOf(args),
    timeoutMs: EFFECT_TIMEOUT_MS,
    effect: true,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}

/** The request for the price of the very same send; it charges and sends nothing. */
export function quoteRequest(args: SendArguments): ApiRequest {
  return { method: 'POST', path: '/sms/quote', body: bodyOf(args), timeoutMs: QUOTE_TIMEOUT_MS, effect: false }
}

function bodyOf(args: SendArguments): string {
  const { to, from, message, priority, scheduled, coding, expireIn, maxPrice, quoteId, allowRepeat } = args
  return JSON.stringify({ to, from, message, priority, scheduled, coding, expireIn, maxPrice, quoteId, allowRepeat })
}
