import { AMOUNT_SENT_HEADER } from '@vertexsms/contract/headers'
import { type SendSmsRequest, sendSmsResponseSchema } from '@vertexsms/contract/rest'
import { z } from 'zod'
import { parseJson, RouteRefusal } from '../api/gateway.ts'
import { Refusal } from '../auth/refusal.ts'
import { ToolFailure } from '../result.ts'
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
import { quoteSend } from './send-quote.ts'
import { EFFECT_TIMEOUT_MS } from './timeouts.ts'

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
    to: phonesField('Recipient in E.164 form, or a list of up to 100 recipients, each once.'),
    from: senderField('Sender: a sender name or phone number registered on the account.'),
    message: textField('The text. Charged per part: 160 GSM-7 or 70 Unicode characters, fewer when split.', {
      max: MESSAGE_MAX_CHARACTERS,
    }),
    priority: optional(choiceField('Delivery priority.', ['high', 'normal', 'low'])),
    scheduled: optional(momentField('Send at this moment instead of now; ISO 8601 with an offset from UTC.')),
    correctBy: optional(
      countryField('ISO 3166-1 alpha-2 country by whose numbering rules VertexSMS corrects the recipient.'),
    ),
    coding: optional(integerField('0 GSM-7, 1 8-bit, 2 UCS-2. Chosen by the text when left out.', 0, 2)),
    expireIn: optional(integerField('Seconds after which delivery is given up.', 360, 432_000)),
  },
  output: z.object({
    message_id: z.string().nullable().describe('Of the first recipient'),
    status: status.describe('Of the first recipient'),
    parts: z.int().nullable(),
    destination: z.string(),
    messages: z.array(messageSchema).describe('One per recipient, in the order given'),
  }),
  quote: quoteSend,
  async run({ to, coding, ...options }, context) {
    const base = { ...options, ...(coding === undefined ? {} : { coding: coding as 0 | 1 | 2 }) }
    const messages = await sendAll(to, base, context)
    const first = messages[0]
    if (first === undefined) throw new ToolFailure('INTERNAL')
    const accepted = messages.filter((message) => message.message_id !== null)
    return {
      text: summary(messages, accepted),
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

// The first recipient goes alone: what the API says of the token, or a failure of the whole call, shows there, before
// anything else is handed over.
async function sendAll(to: string[], base: Omit<SendSmsRequest, 'to'>, context: ToolContext): Promise<SentMessage[]> {
  const [head = '', ...rest] = to
  if (rest.length === 0) return [await sendOne(head, base, context)]
  const messages: SentMessage[] = []
  let failure: ToolFailure | undefined
  try {
    messages[0] = await sendOne(head, base, context)
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
        messages[index] = await sendOne(number, base, context)
      } catch (error) {
        const reason = asFailure(error)
        if (isForAll(reason)) stopped = reason
        messages[index] = failed(number, reason)
      }
      report()
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_SENDS }, work))
  if (failure !== undefined && messages.every(({ status }) => status === 'failed' || status === 'not_sent'))
    throw failure
  return messages
}

async function sendOne(to: string, base: Omit<SendSmsRequest, 'to'>, context: ToolContext): Promise<SentMessage> {
  try {
    const answer = await context.call({
      method: 'POST',
      path: '/sms',
      body: JSON.stringify({ to, ...base }),
      timeoutMs: EFFECT_TIMEOUT_MS,
      effect: true,
    })
    const ids = sendSmsResponseSchema.safeParse(parseJson(answer.body))
    const id = ids.success ? ids.data[0] : undefined
    if (id === undefined) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    const parts = Number(answer.headers[AMOUNT_SENT_HEADER])
    return {
      destination: `+${to}`,
      status: base.scheduled === undefined ? 'sent' : 'scheduled',
      message_id: id,
      parts: Number.isInteger(parts) && parts > 0 ? parts : null,
      error: null,
    }
  } catch (error) {
    throw error instanceof RouteRefusal ? sendFailure(error) : error
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

function summary(messages: readonly SentMessage[], accepted: readonly SentMessage[]): string {
  const parts = accepted.reduce((sum, message) => sum + (message.parts ?? 0), 0)
  const [only] = messages
  if (messages.length === 1 && only !== undefined) {
    const when = only.status === 'scheduled' ? 'scheduled' : 'handed over for delivery'
    return `The message to ${only.destination} was ${when}: id ${only.message_id}, ${parts} part(s).`
  }
  const lost = messages.filter((message) => message.status === 'unknown').length
  const missed = messages.length - accepted.length - lost
  return [
    `${accepted.length} of ${messages.length} messages were handed over, ${parts} part(s) in all.`,
    ...(missed > 0 ? [`${missed} were not sent.`] : []),
    ...(lost > 0 ? [`Of ${lost} the outcome is unknown; do not repeat them.`] : []),
  ].join(' ')
}
