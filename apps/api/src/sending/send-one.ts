// The way in of one message, now or later.
import { ApiError } from '../http/api-error.ts'
import { failureOfRepeat } from './answers.ts'
import type { SendingDeps } from './deps.ts'
import { handOne } from './hand-one.ts'
import { inPlace } from './places.ts'
import type { Prices } from './price.ts'
import { readSms, type SmsPlan } from './request.ts'
import type { MessageRow } from './rows.ts'
import { enterSms, type SmsCall } from './sms-entry.ts'

/** The one message of a call. */
export interface SentOne {
  readonly id: bigint
  readonly parts: number
  readonly replayed: boolean
}

/** Sends one message. Throws its refusal, and SEND_OUTCOME_UNKNOWN where the upstream's answer was lost. */
export async function sendOne(deps: SendingDeps, prices: Prices, call: SmsCall): Promise<SentOne> {
  const plan = readSms(deps, call.body, call.sender.now())
  if (plan.scheduledAt !== null) return sendPlanned(deps, prices, call, plan, null)
  return inPlace(deps, call.sender.accountId, (refusal) => sendPlanned(deps, prices, call, plan, refusal))
}

async function sendPlanned(
  deps: SendingDeps,
  prices: Prices,
  call: SmsCall,
  plan: SmsPlan,
  refusal: ApiError | null,
): Promise<SentOne> {
  const entrance = await enterSms(deps, prices, call, plan, refusal)
  if (entrance.kind === 'replay') return repeatedOne(entrance.rows)
  const { sendId, replayed } = entrance
  const [message] = entrance.messages
  if (sendId === null || message === undefined) return repeatedOne([...replayed.values()])
  const { content, scheduledAt } = plan
  if (scheduledAt !== null) {
    deps.wakeIn(scheduledAt.getTime() - call.sender.now().getTime())
    return { id: message.id, parts: message.parts, replayed: false }
  }
  const row = await handOne(deps, call, content, sendId, message, entrance)
  return { id: row.id, parts: row.parts, replayed: false }
}

function repeatedOne(rows: readonly MessageRow[]): SentOne {
  const [row] = rows
  if (row === undefined) throw new ApiError('INTERNAL')
  const failure = failureOfRepeat(row)
  if (failure) throw failure
  return { id: row.id, parts: row.parts, replayed: true }
}
