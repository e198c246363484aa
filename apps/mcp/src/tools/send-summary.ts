import { readEurText, toEurText } from '@vertexsms/contract/money'
import { counted } from './counted.ts'
import type { SendOutput, SentMessage } from './send-output.ts'

const STATUS_WORDS = {
  sent: 'sent',
  scheduled: 'scheduled',
  queued: 'queued, goes out by itself, do not repeat',
  failed: 'refused',
  not_sent: 'not sent, may be tried again',
  unknown: 'outcome unknown, do not repeat',
  quoted: 'not sent',
} as const satisfies Record<SentMessage['status'], string>

const SINGLE_WORDS = {
  sent: 'was handed over for delivery',
  scheduled: 'was scheduled',
  queued: 'is queued and goes out by itself; do not repeat it',
  unknown: 'was handed over, but its outcome is not known; do not repeat it',
} as const

const ACCEPTED: ReadonlySet<SentMessage['status']> = new Set(['sent', 'scheduled', 'queued'])

const REPEATED =
  'This is the answer of an earlier call: nothing was sent or charged again. To really send it once more, call with allowRepeat: true and a new idempotencyKey.'

/**
 * What a person and a model read. A client may show its model the text alone: it says of each number whether it got the
 * message, or the next call would send all of them again.
 */
export function summaryOf(output: SendOutput): string {
  const { messages, currency, replayed } = output
  const price = priceOf(output)
  const before = replayed ? [REPEATED] : []
  const [only] = messages
  if (messages.length === 1 && only !== undefined && Object.hasOwn(SINGLE_WORDS, only.status)) {
    const what = SINGLE_WORDS[only.status as keyof typeof SINGLE_WORDS]
    const charged = `${counted(only.parts ?? 0, 'part')}, ${price} ${currency}${only.status === 'scheduled' ? ' held' : ''}`
    return [...before, `The message to ${only.destination} ${what}: id ${only.message_id}, ${charged}.`].join(' ')
  }
  const distinct = messages.filter((message) => message.duplicate_of === undefined)
  const accepted = distinct.filter(({ status }) => ACCEPTED.has(status))
  // What an earlier call sent is told apart, unless that is all there is.
  const now = replayed ? accepted : accepted.filter((message) => !message.replayed)
  const parts = now.reduce((sum, message) => sum + (message.parts ?? 0), 0)
  const earlier = accepted.length - now.length
  // A list is scheduled as a whole; told again later, some of it may have gone out.
  const waits = accepted.length > 0 && accepted.every(({ status }) => status === 'scheduled')
  const rest =
    earlier === 0
      ? ''
      : ` ${earlier} ${waits ? wasOf(earlier, 'scheduled') : 'went out'} by an earlier call and not again.`
  const heading = `${now.length} of ${counted(distinct.length, 'message')} ${takenOf(now)}, ${counted(parts, 'part')} in all, ${price} ${currency}${waits ? ' held' : ''}.${openOf(output)}${rest}`
  const those = waits ? 'those scheduled go out by themselves' : 'those sent are paid for'
  const warning = accepted.length === distinct.length ? [] : [`Do not repeat the whole list; ${those}.`]
  return [[...before, heading, ...warning].join(' '), ...messages.map(outcomeLine)].join('\n')
}

/** What may have been sent too, where the price counts it; nothing where there is none. */
function openOf({ messages, replayed }: SendOutput): string {
  const open = messages.filter(
    (message) => message.status === 'unknown' && message.duplicate_of === undefined && (replayed || !message.replayed),
  ).length
  if (open === 0) return ''
  const those =
    open === 1 ? 'it may have gone out, and its price counts' : 'they may have gone out, and their price counts'
  return ` Of ${open} the outcome is not known: ${those}.`
}

/** What all of it cost; of what is only told again, what it cost then. */
function priceOf({ messages, price, replayed }: SendOutput): string {
  if (!replayed) return price
  return toEurText(messages.reduce((sum, message) => sum + (readEurText(message.price ?? '0') ?? 0n), 0n))
}

/** What became of those that were taken; one that waits for its time was not handed over yet. */
function takenOf(taken: readonly SentMessage[]): string {
  const waiting = taken.filter(({ status }) => status === 'scheduled').length
  const gone = taken.length - waiting
  if (waiting === 0) return wasOf(gone, 'handed over')
  if (gone === 0) return wasOf(waiting, 'scheduled')
  return `${wasOf(taken.length, 'taken')} (${gone} handed over, ${waiting} scheduled)`
}

function wasOf(count: number, what: string): string {
  return `${count === 1 ? 'was' : 'were'} ${what}`
}

/** One recipient's outcome in a line, numbered from 1. */
export function outcomeLine(message: SentMessage, index: number): string {
  const { destination, status, message_id, error, duplicate_of, replayed } = message
  const number = `${index + 1}. ${destination}`
  if (duplicate_of !== undefined) return `${number}: duplicate of ${duplicate_of + 1}, one message for both`
  const id = message_id === null ? '' : `, id ${message_id}`
  const earlier = replayed ? ', by an earlier call and not again' : ''
  const reason = error === null ? '' : `: ${error.message}`
  return `${number}: ${STATUS_WORDS[status]}${id}${earlier}${reason}`
}
