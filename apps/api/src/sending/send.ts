// The path of a message: parse -> repeat? -> judge -> price -> admit -> hand over -> settle -> activity. Each way in has a
// file of its own (send-one.ts, send-list.ts, other.ts), and so has each step.
import type { SendingDeps } from './deps.ts'
import { stopGivingBack } from './give-back.ts'
import { createPrices, type Prices } from './price.ts'
import { type Run, runMessages } from './run-messages.ts'
import { type SentList, sendList } from './send-list.ts'
import { type SentOne, sendOne } from './send-one.ts'
import type { SmsCall } from './sms-entry.ts'

/** Sends. */
export interface Sending {
  /** One message. Throws its refusal, and SEND_OUTCOME_UNKNOWN where the upstream's answer was lost. */
  sendOne(call: SmsCall): Promise<SentOne>
  /** A list, answered when it is done or after its time; one recipient's refusal is not the others'. */
  sendList(call: SmsCall): Promise<SentList>
  /** Hands over the held messages of a send whose runner this process is. */
  readonly run: Run
  readonly prices: Prices
  /** Claims nothing more. */
  stop(): void
  /** True from then on. */
  stopping(): boolean
}

/** The one path for every upstream. */
export function createSending(deps: SendingDeps): Sending {
  const prices = createPrices(deps)
  let isStopping = false
  const stopping = () => isStopping
  const run: Run = (list) => runMessages(deps, list, stopping)
  return {
    prices,
    run,
    stop() {
      isStopping = true
      stopGivingBack(deps)
    },
    stopping,
    sendOne: (call) => sendOne(deps, prices, call),
    sendList: (call) => sendList({ deps, prices, run }, call),
  }
}
