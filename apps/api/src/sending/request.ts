// A request becomes drafts: one a recipient, read and checked here, so that nothing about a refused one leaves us.
import type { BatchRequest } from '@vertexsms/contract/sending'
import { ApiError } from '../http/api-error.ts'
import { readMobile } from '../message/number.ts'
import { readSender } from '../message/sender.ts'
import { readText } from '../message/text.ts'
import { refusalOfTiming } from '../message/timing.ts'
import type { SmsOrder, UpstreamName } from '../upstream/upstream.ts'
import type { SendingDeps } from './deps.ts'
import { digestSend } from './quote.ts'

/** One entry of `to`. */
export interface Draft {
  readonly position: number
  readonly written: string
  /** Null where the number could not be read. */
  readonly number: { readonly msisdn: string; readonly country: string } | null
  /** Of its own: the others go without it. */
  readonly refusal: ApiError | null
  /** Place of the entry that leads to the same person: one message for both. */
  readonly duplicateOf: number | null
}

/** A recipient that can be sent to. */
export interface Recipient {
  readonly position: number
  readonly msisdn: string
  readonly country: string
}

/** What is sent to every recipient. */
export interface Content {
  readonly sender: string
  readonly message: string
  readonly coding: 0 | 1 | 2
  readonly codingNamed: boolean
  readonly parts: number
  readonly udh: string | null
  readonly priority: 'high' | 'normal' | 'low'
  readonly testMode: 1 | 2 | null
  readonly expireInSeconds: number | null
}

/** A request that was read. */
export interface SmsPlan {
  readonly drafts: readonly Draft[]
  readonly content: Content
  readonly scheduledAt: Date | null
  readonly dlrUrl: string | null
  readonly maxPriceMicros: bigint | null
  readonly quoteId: string | null
  /** Of its time; told once the request is known to be no repeat, which may come when its time is past. */
  readonly refusal: ApiError | null
}

/** The members of a request that are read here. */
export type SmsBody = Omit<BatchRequest, 'allowRepeat'>

/** Reads a request. Throws the refusal of all of it: of its only recipient, of its text, sender, time or callback URL. */
export function readSms(
  { operator: { readNumber }, checkCallbackUrl }: Pick<SendingDeps, 'operator' | 'checkCallbackUrl'>,
  body: SmsBody,
  now: Date,
): SmsPlan {
  const dlrUrl = checkCallbackUrl(body.dlrUrl, 'dlrUrl') ?? null
  const drafts = readDrafts(body.to, (written) => readMobile(readNumber, 'SEND_REFUSED', 'to', written, body.correctBy))
  if (isSingle(drafts) && drafts[0]?.refusal) throw drafts[0].refusal
  const { coding, codingNamed, parts } = readText(body)
  const sender = readSender(body.from, readNumber)
  return {
    drafts,
    content: {
      sender: sender.name,
      message: body.message,
      coding,
      codingNamed,
      parts,
      udh: body.udh ?? null,
      priority: body.priority ?? 'normal',
      testMode: body.testMode ?? null,
      expireInSeconds: body.expireIn ?? null,
    },
    scheduledAt: body.scheduled === undefined ? null : new Date(body.scheduled),
    dlrUrl,
    maxPriceMicros: body.maxPrice ?? null,
    quoteId: body.quoteId ?? null,
    refusal: refusalOfTiming(body, now),
  }
}

function readDrafts(to: readonly string[], read: (written: string) => { msisdn: string; country: string }): Draft[] {
  const first = new Map<string, number>()
  return to.map((written, position) => {
    try {
      const { msisdn, country } = read(written)
      const duplicateOf = first.get(msisdn) ?? null
      if (duplicateOf === null) first.set(msisdn, position)
      return { position, written, number: { msisdn, country }, refusal: null, duplicateOf }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const same = `unread ${written}`
      const duplicateOf = first.get(same) ?? null
      if (duplicateOf === null) first.set(same, position)
      return { position, written, number: null, refusal: error, duplicateOf }
    }
  })
}

/** True for a request that leads to one person; what refuses him refuses all of it. */
export function isSingle(drafts: readonly Draft[]): boolean {
  return drafts.filter(({ duplicateOf }) => duplicateOf === null).length === 1
}

/** The recipients that are sent to, each once, in the order of the request. */
export function recipientsOf(drafts: readonly Draft[]): Recipient[] {
  return drafts.flatMap(({ position, number, refusal, duplicateOf }) =>
    number === null || refusal !== null || duplicateOf !== null ? [] : [{ position, ...number }],
  )
}

/** What an upstream is asked to send to one of them. */
export function orderOf(
  accountId: string,
  content: Content,
  msisdn: string,
): Omit<SmsOrder, 'messageId' | 'generation'> {
  const { udh, expireInSeconds, testMode } = content
  return {
    accountId,
    to: msisdn,
    from: content.sender,
    message: content.message,
    coding: content.coding,
    codingNamed: content.codingNamed,
    priority: content.priority,
    ...(udh === null ? {} : { udh }),
    ...(expireInSeconds === null ? {} : { expireInSeconds }),
    ...(testMode === null ? {} : { testMode }),
  }
}

/** Digest of a request, for its quote and its approval. */
export function digestOf(
  secret: Uint8Array,
  upstream: UpstreamName,
  { content, drafts, scheduledAt }: SmsPlan,
): Uint8Array {
  return digestSend(secret, {
    upstream,
    recipients: recipientsOf(drafts).map(({ msisdn }) => msisdn),
    sender: content.sender,
    message: content.message,
    coding: content.coding,
    udh: content.udh,
    scheduledAt,
    expireInSeconds: content.expireInSeconds,
  })
}
