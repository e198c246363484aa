import { AMOUNT_SENT_HEADER } from '@vertexsms/contract/headers'
import { BATCH_MAX, CODINGS, EXPIRE_IN_SECONDS, PRIORITIES, sendSmsResponseSchema } from '@vertexsms/contract/rest'
import { z } from 'zod'
import { parseJson, RouteRefusal } from '../api/judge.ts'
import { EFFECT_TIMEOUT_MS } from '../api/timeouts.ts'
import { Refusal } from '../caller/refusal.ts'
import { ToolFailure } from '../protocol/failure.ts'
import { defineTool, type ToolContext } from './define-tool.ts'
import {
  choiceField,
  countryField,
  integerField,
  momentField,
  optional,
  phonesField,
  senderField,
  textField,
} from './fields.ts'
import { sendFailure } from './send-failure.ts'
import { requestTo, type SendArguments } from './send-request.ts'

/** Far above what any network takes in one concatenated message. */
const MESSAGE_MAX_CHARACTERS = 5000
/** How many recipients are handed over at the same time. */
const PARALLEL_SENDS = 4

const status = z.enum(['sent', 'scheduled', 'failed', 'unknown', 'not_sent'])

const messageSchema = z.object({
  destination: z.string().describe('E.164'),
  status: status.describe('unknown: handed over, answer lost, do not repeat; not_sent: safe to try again'),
  message_id: z.string().nullable(),
  parts: z.int().nullable().describe('Parts charged'),
  duplicate_of: z
    .int()
    .optional()
    .describe('Place in this list, from 0, of the entry with the same number: one message went to both, charged once'),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      retryable: z.boolean(),
      vertex_error_code: z.int().nullable(),
    })
    .nullable(),
})
type SentMessage = z.output<typeof messageSchema>

/** Sends one text to one number or to many. */
export const sendSms = defineTool({
  name: 'send_sms',
  title: 'Send SMS',
  description:
    'Sends an SMS to one phone number or to up to 100. Costs money for each part and recipient and cannot be undone: have the person agree on text, sender and recipients first. get_sms_rates tells the price; correct_phone_number repairs numbers that are not in international form. Never repeat a call whose outcome is unknown.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: {
    to: phonesField(
      `Recipient in E.164 form, or a list of up to ${BATCH_MAX} recipients. A number that comes twice gets one message.`,
      'correctBy',
    ),
    from: senderField('Sender: a sender name or phone number registered on the account.'),
    message: textField('The text. Charged per part: 160 GSM-7 or 70 Unicode characters, fewer when split.', {
      max: MESSAGE_MAX_CHARACTERS,
    }),
    priority: optional(choiceField('Delivery priority.', PRIORITIES)),
    scheduled: optional(momentField('Send at this moment instead of now; ISO 8601 with an offset from UTC.')),
    correctBy: optional(
      countryField(
        'ISO 3166-1 alpha-2 country in whose national form recipients without a + are written. Numbers with + stay as they are.',
      ),
    ),
    coding: optional(
      integerField(
        '0 GSM-7, 1 8-bit, 2 UCS-2. Leave it out: the text decides, and only then is a long text split into parts.',
        CODINGS[0],
        CODINGS[2],
      ),
    ),
    expireIn: optional(
      integerField('Seconds after which delivery is given up.', EXPIRE_IN_SECONDS.min, EXPIRE_IN_SECONDS.max),
    ),
  },
  output: z.object({
    message_id: z.string().nullable().describe('Of the first recipient'),
    status: status.describe('Of the first recipient'),
    parts: z.int().nullable(),
    destination: z.string(),
    messages: z.array(messageSchema).describe('One per recipient, in the order given'),
  }),
  async run(args, context) {
    const { to } = args
    const distinct = [...new Set(to)]
    const sent = await sendAll(distinct, args, context)
    const messages = to.map((number, index) => entryOf(number, index, to, sent[distinct.indexOf(number)]))
    const [first] = messages
    if (first === undefined) throw new ToolFailure('INTERNAL')
    return {
      text: summary(messages),
      data: {
        message_id: first.message_id,
        status: first.status,
        parts: first.parts,
        destination: first.destination,
        messages,
      },
    }
  },
})

// The second entry of a number shows the outcome of the first, without its parts: they were charged once.
function entryOf(number: string, index: number, to: readonly string[], message: SentMessage | undefined): SentMessage {
  if (message === undefined) throw new ToolFailure('INTERNAL')
  const first = to.indexOf(number)
  return first === index ? message : { ...message, parts: null, duplicate_of: first }
}

// The first recipient goes alone: what the API says of the token, or a failure of the whole call, shows there, before
// anything else is handed over.
async function sendAll(to: string[], args: SendArguments, context: ToolContext): Promise<SentMessage[]> {
  const [head = '', ...rest] = to
  if (rest.length === 0) return [await sendOne(head, args, context)]
  const messages: SentMessage[] = []
  let failure: ToolFailure | undefined
  try {
    messages[0] = await sendOne(head, args, context)
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    failure = error
    messages[0] = failed(head, error)
  }
  let next = 1
  let stopped = failure !== undefined && isForAll(failure) ? failure : undefined
  const report = () => context.progress(messages.filter(Boolean).length, to.length, 'Messages handed over')
  report()

  async function work(): Promise<void> {
    for (let index = next++; index < to.length; index = next++) {
      const number = to[index] ?? ''
      if (context.signal.aborted || context.draining.aborted) stopped ??= new ToolFailure('UPSTREAM_UNAVAILABLE')
      if (stopped !== undefined) {
        messages[index] = failed(number, stopped)
        continue
      }
      try {
        messages[index] = await sendOne(number, args, context)
      } catch (error) {
        const reason = asFailure(error)
        if (isForAll(reason)) stopped = reason
        messages[index] = failed(number, reason)
      }
      report()
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_SENDS }, work))
  if (failure !== undefined && messages.every(({ status }) => status === 'failed' || status === 'not_sent')) {
    throw noneSent(messages, failure)
  }
  return messages
}

/** The failure of a list of which nothing was sent: the first one's code, and the reason of each. */
function noneSent(messages: readonly SentMessage[], first: ToolFailure): ToolFailure {
  const heading = `None of the ${messages.length} messages was sent.`
  return new ToolFailure(first.code, [heading, ...messages.map(outcomeLine)].join('\n'), first.vertexErrorCode)
}

async function sendOne(to: string, args: SendArguments, context: ToolContext): Promise<SentMessage> {
  try {
    const answer = await context.call({
      method: 'POST',
      path: '/sms',
      body: JSON.stringify(requestTo(to, args)),
      timeoutMs: EFFECT_TIMEOUT_MS,
      effect: true,
    })
    const ids = sendSmsResponseSchema.safeParse(parseJson(answer.body))
    const id = ids.success ? ids.data[0] : undefined
    if (id === undefined) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    const parts = Number(answer.headers[AMOUNT_SENT_HEADER])
    return {
      destination: `+${to}`,
      status: args.scheduled === undefined ? 'sent' : 'scheduled',
      message_id: id,
      parts: Number.isInteger(parts) && parts > 0 ? parts : null,
      error: null,
    }
  } catch (error) {
    throw error instanceof RouteRefusal ? sendFailure(error.error) : error
  }
}

// In the middle of a list the token may be deleted or the API go away; what was sent until then must still be told.
function asFailure(error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error
  if (error instanceof Refusal) return new ToolFailure(error.code, error.envelope.error.message)
  throw error
}

function isForAll({ code }: ToolFailure): boolean {
  return code === 'AUTH_INVALID' || code === 'UPSTREAM_UNAVAILABLE' || code === 'RATE_LIMITED'
}

function failed(to: string, failure: ToolFailure): SentMessage {
  const { code, message, retryable } = failure.envelope.error
  return {
    destination: `+${to}`,
    status: code === 'SEND_OUTCOME_UNKNOWN' ? 'unknown' : isForAll(failure) ? 'not_sent' : 'failed',
    message_id: null,
    parts: null,
    error: { code, message, retryable, vertex_error_code: failure.vertexErrorCode },
  }
}

const STATUS_WORDS = {
  sent: 'sent',
  scheduled: 'scheduled',
  failed: 'refused',
  not_sent: 'not sent, may be tried again',
  unknown: 'outcome unknown, do not repeat',
} as const satisfies Record<SentMessage['status'], string>

// A client may show its model the text alone: it says of each number whether it got the message, or the next call would
// send all of them again.
function summary(messages: readonly SentMessage[]): string {
  const [only] = messages
  if (messages.length === 1 && only !== undefined) {
    const when = only.status === 'scheduled' ? 'scheduled' : 'handed over for delivery'
    return `The message to ${only.destination} was ${when}: id ${only.message_id}, ${only.parts} part(s).`
  }
  const distinct = messages.filter((message) => message.duplicate_of === undefined)
  const accepted = distinct.filter((message) => message.message_id !== null)
  const parts = accepted.reduce((sum, message) => sum + (message.parts ?? 0), 0)
  const heading = `${accepted.length} of ${distinct.length} messages were handed over, ${parts} part(s) in all.`
  const warning = accepted.length === distinct.length ? [] : ['Do not repeat the whole list; those sent are paid for.']
  return [[heading, ...warning].join(' '), ...messages.map(outcomeLine)].join('\n')
}

function outcomeLine({ destination, status, message_id, error, duplicate_of }: SentMessage, index: number): string {
  const number = `${index + 1}. ${destination}`
  if (duplicate_of !== undefined) return `${number}: duplicate of ${duplicate_of + 1}, one message for both`
  const id = message_id === null ? '' : `, id ${message_id}`
  const reason = error === null ? '' : `: ${error.message}`
  return `${number}: ${STATUS_WORDS[status]}${id}${reason}`
}
