// The one message of a send: handed over, settled, and told as its row.
import type { Settlement } from '../ledger/settle.ts'
import { outcomeUnknown } from './answers.ts'
import type { SendingDeps } from './deps.ts'
import type { Entered, LetIn } from './entry.ts'
import { handOver, settleSurely } from './hand-over.ts'
import { watch } from './judgements.ts'
import { type Content, orderOf } from './request.ts'
import { type MessageRow, messagesOfSend } from './rows.ts'
import type { SmsCall } from './sms-entry.ts'

/**
 * Hands over the only message of a send, which was admitted as handed over, and settles it. Throws its refusal, and
 * SEND_OUTCOME_UNKNOWN where the upstream's answer was lost. What became of it is owed to the caller's URL where the call
 * `isAnswered` by then.
 */
export async function handOne(
  deps: SendingDeps,
  call: SmsCall,
  content: Content,
  sendId: string,
  message: Entered,
  { sinceMs, generation }: Pick<LetIn, 'sinceMs' | 'generation'>,
  isAnswered: () => boolean = () => false,
): Promise<MessageRow> {
  await deps.at('admitted')
  const order = orderOf(call.sender.accountId, content, message.recipient)
  const { settlement, refusal } = await handOver(deps, {
    messageId: message.id,
    sender: call.sender,
    sinceMs,
    told: message.priced.told,
    heldMicros: message.holdMicros,
    call: () => deps.operator.send({ ...order, generation, messageId: message.id }),
  })
  await deps.at('handed')
  const told: Settlement = isAnswered()
    ? { ...settlement, post: 'due' }
    : isFoundAgain(call)
      ? settlement
      : { ...settlement, post: 'never' }
  await settleSurely(deps, call.sender, [told], () => watch(deps, call.sender))
  await deps.at('settled')
  if (refusal) throw refusal
  if (settlement.outcome === 'unknown') throw outcomeUnknown(sendId, [message.id])
  const row = rowOf(sendId, message, 'accepted', settlement.chargedMicros ?? message.holdMicros)
  if ((settlement.parts ?? 0) <= row.parts) return row
  const [counted] = await messagesOfSend(deps.db, sendId).catch(() => [])
  return counted ?? row
}

/** Whether a repeat may be told the id, where the refusal that this call is answered with is long in being written down. */
function isFoundAgain({ idempotencyKey, throughMcp }: SmsCall): boolean {
  return idempotencyKey !== null || throughMcp
}

/** The row of a message that was let in, as far as answers need it, without asking for it. */
export function rowOf(
  sendId: string,
  message: Entered,
  state: MessageRow['state'],
  chargedMicros: bigint,
  scheduledAt: Date | null = null,
): MessageRow {
  return {
    id: message.id,
    sendId,
    isEarlier: false,
    kind: 'sms',
    recipient: message.recipient,
    parts: message.parts,
    state,
    holdMicros: state === 'accepted' ? 0n : message.holdMicros,
    chargedMicros,
    reference: null,
    failure: null,
    failureNumber: null,
    failureReason: null,
    delivery: null,
    deliveryError: null,
    scheduledAt,
    payloadDigest: null,
    fingerprint: null,
    ageMs: 0,
  }
}
