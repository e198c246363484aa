import { setTimeout as sleep } from 'node:timers/promises'
import type { SmsStatus } from '@vertexsms/contract/sending'
import { errorMeaning, readStatus, smsUri, statusRequest } from '../api/sms-status.ts'
import { Refusal } from '../caller/refusal.ts'
import { failureIn } from '../protocol/failure.ts'
import type { ToolContext } from './define-tool.ts'
import type { SendOutput } from './send-output.ts'

/** When the status is asked, in parts of the whole wait: soon at first, as most reports come soon. */
const ASKED_AT = [0, 0.05, 0.15, 0.3, 0.5, 0.75, 1]
const PARALLEL_READS = 8

const FINAL: ReadonlySet<SmsStatus['state']> = new Set(['delivered', 'failed', 'expired', 'cancelled'])

/**
 * Asks for the status of what went out until all of it is final or the wait is over, and tells it beside each message
 * and in a line of text. It never fails: what was sent is paid for and must reach the caller, so a status that cannot
 * be had only ends the wait, as does a client that has gone or a process that is about to end.
 */
export async function tellDelivery(
  output: SendOutput,
  context: ToolContext,
  waitMs: number,
): Promise<{ readonly text: string; readonly data: SendOutput }> {
  const ids = output.messages.flatMap(({ message_id, status }) =>
    message_id === null || status === 'scheduled' || status === 'failed' ? [] : [message_id],
  )
  if (ids.length === 0) return { text: '', data: output }
  const states = await waitFor(new Set(ids), context, waitMs)
  const messages = output.messages.map((message) => {
    const known = states.get(message.message_id ?? '')
    return known === undefined ? message : { ...message, delivery: known.state }
  })
  return { text: textOf(new Set(ids), states), data: { ...output, messages } }
}

async function waitFor(
  ids: ReadonlySet<string>,
  context: ToolContext,
  waitMs: number,
): Promise<ReadonlyMap<string, SmsStatus>> {
  const states = new Map<string, SmsStatus>()
  const open = () => [...ids].filter((id) => !FINAL.has(states.get(id)?.state ?? 'sent'))
  const stop = AbortSignal.any([context.signal, context.draining])
  const startedAt = performance.now()
  for (const part of ASKED_AT) {
    const rest = startedAt + part * waitMs - performance.now()
    if (rest > 0) await sleep(rest, undefined, { signal: stop }).catch(() => {})
    if (stop.aborted || !(await readAll(open(), states, context, stop))) break
    context.progress((part * waitMs) / 1000, waitMs / 1000, 'Waiting for delivery')
    if (open().length === 0) break
  }
  return states
}

/** False when no status can be had any more. */
async function readAll(
  ids: readonly string[],
  states: Map<string, SmsStatus>,
  context: ToolContext,
  signal: AbortSignal,
): Promise<boolean> {
  let next = 0
  let isAnswered = true
  async function work(): Promise<void> {
    for (let id = ids[next++]; id !== undefined && isAnswered; id = ids[next++]) {
      try {
        states.set(id, readStatus(await context.call({ ...statusRequest(id), signal })))
      } catch (error) {
        if (!(error instanceof Refusal) && failureIn(error) === undefined) throw error
        isAnswered = false
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_READS }, work))
  return isAnswered
}

function textOf(ids: ReadonlySet<string>, states: ReadonlyMap<string, SmsStatus>): string {
  const rows = [...ids].map((id) => {
    const known = states.get(id)
    if (known === undefined) return `id ${id}: not known`
    const meaning = known.error === 0 ? null : errorMeaning(known.error)
    return `id ${id}: ${known.state}${meaning === null ? '' : ` (${meaning})`}`
  })
  const isFinal = [...ids].every((id) => FINAL.has(states.get(id)?.state ?? 'sent'))
  const later = isFinal ? '' : `\nWhat is not final yet can be asked later, at ${smsUri('{id}')}.`
  return `Delivery:\n${rows.join('\n')}${later}`
}
