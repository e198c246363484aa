import type { DeliveryReport, HandOver, LookupOrder, SmsOrder } from '../upstream.ts'
import type { UpstreamAnswer, UpstreamRequest } from './client.ts'
import { isSuccess, judgeHandOver } from './judge.ts'
import { PATHS, parseBody, statusAnswerSchema, writeUdh } from './wire.ts'

/**
 * A message as the operator takes it. The number is complete and goes without `correctBy`, and its time has come, so that
 * it goes without `scheduled`. `coding` goes only where the caller named it: naming it switches splitting off.
 */
export function smsRequest(order: SmsOrder, reportAddress: string | null): UpstreamRequest {
  const { to, from, message, coding, codingNamed, udh, priority, expireInSeconds, testMode } = order
  const body = {
    to,
    from,
    message,
    ...(reportAddress === null ? {} : { dlrUrl: reportAddress }),
    ...(priority === undefined ? {} : { priority }),
    ...(codingNamed ? { coding } : {}),
    ...(udh === undefined ? {} : { udh: writeUdh(udh) }),
    ...(expireInSeconds === undefined ? {} : { expireIn: expireInSeconds }),
    ...(testMode === undefined ? {} : { testMode }),
  }
  return { method: 'POST', path: PATHS.sms, body }
}

/** What became of a message. */
export function judgeSms(answer: UpstreamAnswer): HandOver {
  return judgeHandOver(answer, 'SEND_REFUSED')
}

/** A lookup as the operator takes it; he does not take one without an address for its result. */
export function lookupRequest({ msisdn }: LookupOrder, reportAddress: string): UpstreamRequest {
  return { method: 'POST', path: PATHS.hlr, body: { msisdn, callBackUrl: reportAddress } }
}

/** What became of a lookup. */
export function judgeLookup(answer: UpstreamAnswer): HandOver {
  return judgeHandOver(answer, 'LOOKUP_REFUSED')
}

/** Asks what became of a message that was accepted under this id of theirs. */
export function statusRequest(reference: string): UpstreamRequest {
  return { method: 'GET', path: PATHS.status(reference) }
}

/** What is known of it; null while nothing is, and for an answer that makes no sense or is about another message. */
export function judgeStatus(answer: UpstreamAnswer, reference: string): Omit<DeliveryReport, 'messageId'> | null {
  if (answer.kind === 'silence' || !isSuccess(answer.status)) return null
  const body = parseBody(answer.body)
  const read = statusAnswerSchema.safeParse(Array.isArray(body) && body.length === 1 ? body[0] : body)
  if (!read.success) return null
  const { id, status, error } = read.data
  if (typeof id === 'number' ? id !== Number(reference) : id !== reference) return null
  return { status, error: error ?? 0, mcc: null, mnc: null }
}
