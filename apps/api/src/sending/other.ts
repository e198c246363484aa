// Lookups and the registration of numbers: sends of one message on the same path.
import { ApiError } from '../http/api-error.ts'
import { notMobile, readMobile } from '../message/number.ts'
import { newNumberId } from '../upstream/ids.ts'
import { refusedBy } from '../upstream/refused.ts'
import type { HandOver } from '../upstream/upstream.ts'
import { failureOfRepeat, outcomeUnknown } from './answers.ts'
import type { Sender, SendingDeps } from './deps.ts'
import { enter } from './enter.ts'
import type { Entrance, LetIn } from './entry.ts'
import { handOver, settleSurely } from './hand-over.ts'
import { watch } from './judgements.ts'
import { inPlace } from './places.ts'
import { digestSend } from './quote.ts'
import { checkAllowedRepeat, fingerprintOfLookup, keyOf } from './repeat.ts'
import type { Recipient } from './request.ts'

/** A lookup, or a number that is to be registered. */
export interface OtherCall {
  readonly sender: Sender
  readonly kind: 'hlr' | 'msisdn'
  readonly route: string
  /** As it was written. */
  readonly number: string
  readonly callBackUrl?: string | undefined
  readonly idempotencyKey: string | null
  readonly throughMcp: boolean
  readonly allowRepeat: boolean
}

/** The id that the caller is told. */
export interface OtherResult {
  readonly id: string
  readonly replayed: boolean
}

/** Looks a number up, or registers it, once. Throws its refusal, and SEND_OUTCOME_UNKNOWN. */
export async function sendOther(deps: SendingDeps, call: OtherCall): Promise<OtherResult> {
  const { sender } = call
  checkAllowedRepeat(call)
  // Known before any money is held; a repeat is told its result all the same.
  const cannot = call.kind === 'hlr' && deps.operator.cannotLookUp
  const impossible = cannot ? new ApiError(cannot) : null
  return inPlace(deps, sender.accountId, (refusal) => enterAndDeliver(deps, call, impossible ?? refusal))
}

async function enterAndDeliver(deps: SendingDeps, call: OtherCall, refusal: ApiError | null): Promise<OtherResult> {
  const { sender, kind, route, idempotencyKey } = call
  const callBackUrl = deps.checkCallbackUrl(call.callBackUrl, 'callBackUrl') ?? null
  const { msisdn, country } = readNumberOf(deps, call)
  const recipients = [{ position: 0, msisdn, country }]
  const scope = { spenderId: sender.spenderId, upstream: deps.operator.name, route }
  const secret = deps.keys.idempotency
  const price = async (some: readonly Recipient[]) => {
    const micros = kind === 'hlr' ? await deps.operator.hlrPriceMicros(sender.accountId) : 0n
    return some.map((one) => ({ ...one, micros, told: null }))
  }
  const content = { upstream: deps.operator.name, sender: '', message: kind, coding: 0, udh: null }
  const entrance = await enter(deps, {
    kind,
    sender,
    route,
    key: keyOf(secret, scope, idempotencyKey, { msisdn, callBackUrl }),
    recipients,
    single: true,
    refusal,
    parts: 1,
    limitedSender: null,
    fingerprint: (one) =>
      kind === 'hlr' && call.throughMcp && !call.allowRepeat ? fingerprintOfLookup(secret, scope, one.msisdn) : null,
    byRates: price,
    byCost: price,
    asksPrice: false,
    maxPriceMicros: null,
    quoteId: null,
    digest: () =>
      digestSend(deps.keys.quote, { ...content, recipients: [msisdn], scheduledAt: null, expireInSeconds: null }),
    shown: { from: '', text: '' },
    how: 'at_once',
    newId: newNumberId,
    columns: {
      sender: '',
      coding: 0,
      priority: 1,
      testMode: null,
      dlrUrl: callBackUrl,
      scheduledAt: null,
      expireInSeconds: null,
    },
    sealed: () => null,
  })
  if (entrance.kind === 'replay') return repeated(kind, entrance.rows)
  return await deliver(deps, call, msisdn, entrance)
}

function readNumberOf({ operator: { readNumber } }: SendingDeps, { kind, number }: OtherCall) {
  if (kind === 'hlr') return readMobile(readNumber, 'LOOKUP_REFUSED', 'msisdn', number)
  const read = readNumber(number)
  if ('fix' in read || read.type !== 'mobile') throw notMobile('INVALID_INPUT', 'name', read)
  return read
}

async function deliver(
  deps: SendingDeps,
  { sender, kind }: OtherCall,
  msisdn: string,
  entrance: LetIn,
): Promise<OtherResult> {
  const { sendId, messages, replayed, sinceMs, generation } = entrance
  const [message] = messages
  if (sendId === null || message === undefined) return repeated(kind, [...replayed.values()])
  await deps.at('admitted')
  // The upstream's own words, with when to try again.
  let told: ApiError | null = null
  const price = { micros: message.holdMicros, parts: message.parts }
  const { settlement, refusal } = await handOver(deps, {
    messageId: message.id,
    sender,
    sinceMs,
    told: price,
    heldMicros: message.holdMicros,
    endsAccepted: kind === 'msisdn',
    call: () =>
      kind === 'hlr'
        ? deps.operator.hlr({ accountId: sender.accountId, generation, messageId: message.id, msisdn })
        : register(deps, sender, msisdn, generation, (error) => {
            told = error
          }),
  })
  await deps.at('handed')
  await settleSurely(deps, sender, [settlement], () => watch(deps, sender))
  await deps.at('settled')
  if (refusal) throw told ?? refusal
  if (settlement.outcome === 'unknown') throw outcomeUnknown(sendId, [message.id])
  return { id: kind === 'hlr' ? String(message.id) : (settlement.reference ?? ''), replayed: false }
}

async function register(
  deps: SendingDeps,
  sender: Sender,
  msisdn: string,
  generation: number,
  tell: (error: ApiError) => void,
): Promise<HandOver> {
  try {
    const reference = await deps.registerNumber(sender, msisdn, generation)
    return { kind: 'accepted', reference, parts: null, priceMicros: 0n }
  } catch (error) {
    if (error instanceof ApiError) tell(error)
    return refusedBy(error)
  }
}

type Rows = Extract<Entrance, { kind: 'replay' }>['rows']

function repeated(kind: OtherCall['kind'], rows: Rows): OtherResult {
  const [row] = rows
  if (row === undefined) throw new ApiError('INTERNAL')
  const failure = failureOfRepeat(row)
  if (failure) throw failure
  return { id: kind === 'hlr' ? String(row.id) : (row.reference ?? ''), replayed: true }
}
