import type { SendSmsRequest } from '@vertexsms/contract/rest'

/** The arguments of `send_sms` as they were read. */
export interface SendArguments {
  /** Digits of E.164, the country of national ones already applied. */
  readonly to: string[]
  readonly from: string
  readonly message: string
  readonly priority?: 'high' | 'normal' | 'low'
  readonly scheduled?: string
  readonly correctBy?: string
  readonly coding?: number
  readonly expireIn?: number
}

/**
 * The request for one recipient, the same for its price and for the message itself. `correctBy` stays behind: the number
 * is complete, and nothing may change it any more.
 */
export function requestTo(to: string, { from, message, ...options }: SendArguments): SendSmsRequest {
  const { priority, scheduled, coding, expireIn } = options
  return {
    to,
    from,
    message,
    ...(priority === undefined ? {} : { priority }),
    ...(scheduled === undefined ? {} : { scheduled }),
    ...(coding === undefined ? {} : { coding: coding as 0 | 1 | 2 }),
    ...(expireIn === undefined ? {} : { expireIn }),
  }
}
