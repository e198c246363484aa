// A call that sends, as what is to be let in: parsed, with what finds its repeat, prices it and is written of it.
import { seal } from '@vertexsms/secrets/seal'
import type { ApiError } from '../http/api-error.ts'
import { newSmsId } from '../upstream/ids.ts'
import type { Sender, SendingDeps } from './deps.ts'
import { enter } from './enter.ts'
import type { Entrance } from './entry.ts'
import { COST_MAX, type Prices } from './price.ts'
import { checkAllowedRepeat, digestPayload, fingerprintOfSms, type Key, keyOf } from './repeat.ts'
import { digestOf, isSingle, type Recipient, recipientsOf, type SmsBody, type SmsPlan } from './request.ts'
import { sealedContext, writeWaiting } from './waiting.ts'

/** A call that sends. */
export interface SmsCall {
  readonly sender: Sender
  readonly route: string
  readonly body: SmsBody
  /** The caller's idempotency key, as it was read; null where there is none. */
  readonly idempotencyKey: string | null
  /** True for a call that the MCP server made: a repeat is then looked for without a key, too. */
  readonly throughMcp: boolean
  readonly allowRepeat: boolean
}

const PRIORITIES = { high: 0, normal: 1, low: 2 } as const

/** What a request asks for, as it was read: the same in every spelling. */
function askedFor({ drafts, content, scheduledAt, dlrUrl, maxPriceMicros, quoteId }: SmsPlan) {
  const { codingNamed: _named, ...asked } = content
  // Digits that are no number in the country that is named may be one without it: they are not taken for that one.
  const to = drafts.map(({ number, written }) => number?.msisdn ?? { unread: written })
  return { ...asked, to, scheduledAt, dlrUrl, maxPriceMicros, quoteId }
}

function keyOfSms(deps: SendingDeps, { sender, route, body, idempotencyKey }: SmsCall, plan: SmsPlan): Key | null {
  const scope = { spenderId: sender.spenderId, upstream: deps.operator.name, route }
  const secret = deps.keys.idempotency
  const key = keyOf(secret, scope, idempotencyKey, askedFor(plan))
  return key && { ...key, formerDigest: () => digestPayload(secret, scope, body) }
}

/** What finds a repeat of a call that has no key; null over REST, where only a key does. */
export function fingerprintsOf(
  deps: SendingDeps,
  { sender, throughMcp }: SmsCall,
  { content, scheduledAt }: SmsPlan,
): ((recipient: Recipient) => Uint8Array) | null {
  if (!throughMcp) return null
  const scope = { spenderId: sender.spenderId, upstream: deps.operator.name }
  const { sender: from, message, coding, udh } = content
  return ({ msisdn }: Recipient) =>
    fingerprintOfSms(deps.keys.idempotency, scope, { msisdn, sender: from, message, coding, udh, scheduledAt })
}

/** Lets a call in, as {@link enter} does. Throws INVALID_INPUT for an allowed repeat without a key. */
export async function enterSms(
  deps: SendingDeps,
  prices: Prices,
  call: SmsCall,
  plan: SmsPlan,
  refusal: ApiError | null,
): Promise<Entrance> {
  const { sender, allowRepeat } = call
  const { content, scheduledAt } = plan
  checkAllowedRepeat(call)
  const recipients = recipientsOf(plan.drafts)
  const single = isSingle(plan.drafts)
  const fingerprint = allowRepeat ? null : fingerprintsOf(deps, call, plan)
  return enter(deps, {
    kind: 'sms',
    sender,
    route: call.route,
    key: keyOfSms(deps, call, plan),
    recipients,
    single,
    refusal: plan.refusal ?? refusal,
    parts: content.parts,
    limitedSender: content.sender,
    fingerprint: (one) => fingerprint?.(one) ?? null,
    byRates: (some) => prices.byRates(sender.accountId, content, some),
    byCost: (some, generation) => prices.byCost({ accountId: sender.accountId, generation }, content, some),
    asksPrice: plan.maxPriceMicros !== null || plan.quoteId !== null || (!single && recipients.length <= COST_MAX),
    maxPriceMicros: plan.maxPriceMicros,
    quoteId: plan.quoteId,
    digest: () => digestOf(deps.keys.quote, deps.operator.name, plan),
    shown: { from: content.sender, text: content.message },
    how: scheduledAt !== null ? 'scheduled' : single ? 'at_once' : 'held',
    newId: newSmsId,
    columns: {
      sender: content.sender,
      coding: content.coding,
      priority: PRIORITIES[content.priority],
      testMode: content.testMode,
      dlrUrl: plan.dlrUrl,
      scheduledAt,
      expireInSeconds: content.expireInSeconds,
    },
    sealed: (sendId, maxMicros) =>
      scheduledAt === null
        ? null
        : seal(deps.keys['send-text'], writeWaiting(content, maxMicros), sealedContext(sender.accountId, sendId)),
  })
}
