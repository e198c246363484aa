import type { Database } from '@vertexsms/db/client'
import type { SendingDeps } from '../../src/sending/deps.ts'
import { createOperator } from '../../src/upstream/sandbox/operator.ts'
import type { HandOver, SendingUpstream, SmsOrder } from '../../src/upstream/upstream.ts'
import { PATIENT_TIMES } from './patience.ts'

/** An upstream with the numbers and rates of the simulated one, whose answers a test decides. */
export interface ScriptedUpstream {
  readonly upstream: SendingUpstream
  /** Every message that was handed over. */
  readonly orders: SmsOrder[]
  /** What it answers from now on; by the simulated operator at first. */
  answer: (order: SmsOrder) => Promise<HandOver>
  /** What a message costs from now on, where it is asked; by the simulated operator at first. */
  cost: SendingUpstream['cost']
}

/** Makes one over the database. Nobody reports for it. */
export function scriptedUpstream(db: Database): ScriptedUpstream {
  const operator = createOperator({
    db,
    times: { deliveryMs: 600_000, hlrMs: 600_000, reviewMs: 600_000 },
    wakeIn: () => {},
    door: { delivery: async () => {}, lookup: async () => {} },
  })
  const orders: SmsOrder[] = []
  const scripted: ScriptedUpstream = {
    orders,
    answer: operator.send,
    cost: operator.cost,
    upstream: {
      ...operator,
      cost: (order) => scripted.cost(order),
      send(order) {
        orders.push(order)
        return scripted.answer(order)
      },
    },
  }
  return scripted
}

/** An answer that a test gives when it likes. */
export function pending<Value>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<Value>((done, fail) => {
    resolve = done
    reject = fail
  })
  return { promise, resolve, reject }
}

/** Sending with this upstream, and with times that a test need not wait out. */
export function withUpstream(
  scripted: ScriptedUpstream,
  times: Partial<SendingDeps['times']> = {},
): Pick<SendingDeps, 'operator' | 'times'> {
  return { operator: scripted.upstream, times: { ...PATIENT_TIMES, ...times } }
}
