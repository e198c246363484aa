import { BATCH_MAX, CODINGS, EXPIRE_IN_SECONDS, PRIORITIES } from '@vertexsms/contract/rest'
import { batchResponseSchema, QUOTE_ID_MAX_CHARACTERS } from '@vertexsms/contract/sending'
import { isReplayed, parseJson, RouteRefusal } from '../api/judge.ts'
import { smsUri } from '../api/sms-status.ts'
import { DELIVERY_WAIT_MAX_MS } from '../api/timeouts.ts'
import { failureIn, ToolFailure } from '../protocol/failure.ts'
import { type DefinedTool, defineTool, type ToolContext } from './define-tool.ts'
import {
  amountField,
  choiceField,
  countryField,
  flagField,
  idempotencyKeyField,
  integerField,
  invalid,
  momentField,
  optional,
  phonesField,
  senderField,
  textField,
} from './fields.ts'
import { tellDelivery } from './send-delivery.ts'
import { sendFailure, withWayOut } from './send-failure.ts'
import { codeOf, messagesOf, outputOf, type SendOutput, type SentMessage, sendOutput } from './send-output.ts'
import { quoteSend } from './send-quote.ts'
import { batchRequest, type SendArguments } from './send-request.ts'
import { outcomeLine, summaryOf } from './send-summary.ts'

/** Far above what any network takes in one concatenated message. */
const MESSAGE_MAX_CHARACTERS = 5000
const IDS_NAMED = 3

/** Sends one text to one number or to many, in one call of the API; `deliveryWaitMs` is the longest wait for reports. */
export function sendSms(deliveryWaitMs: number): DefinedTool {
  return defineTool({
    name: 'send_sms',
    title: 'Send SMS',
    description: `Sends an SMS to one phone number or to up to ${BATCH_MAX}. Costs money for each part and recipient and cannot be undone: have the person agree on text, sender and recipients first. dryRun tells the price; correct_phone_number repairs numbers that are not in international form. The same call with the same idempotencyKey sends once; without one never repeat a call whose outcome is unknown.`,
    hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    input: {
      to: phonesField(
        `Recipient in E.164 form, or a list of up to ${BATCH_MAX} recipients. A number that comes twice gets one message.`,
        'correctBy',
      ),
      from: senderField('Sender: a name of up to 11 characters or a confirmed phone number.'),
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
      idempotencyKey: optional(idempotencyKeyField('Your own name for this send, new for each new message.')),
      allowRepeat: optional(flagField('Send the same to the same number once more. Needs a new idempotencyKey.')),
      dryRun: optional(flagField('Only tell price, refusals and a quoteId. Free; sends nothing.')),
      quoteId: optional(
        textField('Of a dryRun: send at that price at most.', {
          max: QUOTE_ID_MAX_CHARACTERS,
          trim: true,
        }),
      ),
      maxPrice: optional(amountField('The most that the whole send may cost, in EUR.')),
      waitForDelivery: optional(
        flagField(`Wait up to ${DELIVERY_WAIT_MAX_MS / 1000} seconds for the delivery report.`),
      ),
    },
    output: sendOutput,
    async run(args, context) {
      if (args.allowRepeat === true && args.idempotencyKey === undefined) {
        throw invalid('allowRepeat', 'must come with a new idempotencyKey, so that the repeat itself is sent once.')
      }
      if (args.dryRun === true) return quoteSend(args, context)
      const output = await send(args, context)
      const text = summaryOf(output)
      if (args.waitForDelivery !== true) return { text, data: output }
      const delivery = await tellDelivery(output, context, deliveryWaitMs)
      return { text: [text, delivery.text].filter((part) => part !== '').join('\n'), data: delivery.data }
    },
  })
}

async function send(args: SendArguments, context: ToolContext): Promise<SendOutput> {
  try {
    const given = await context.call(batchRequest(args))
    const answer = batchResponseSchema.safeParse(parseJson(given.body))
    // An answer that says nothing of some recipient leaves open what became of the send.
    if (!answer.success || answer.data.messages.length !== args.to.length) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    const [first, ...rest] = messagesOf(answer.data)
    if (first === undefined) throw new ToolFailure('SEND_OUTCOME_UNKNOWN')
    const messages = [first, ...rest] as const
    stopIfNoneSent(messages, context)
    return outputOf(messages, answer.data, isReplayed(given) ? { replayed: true } : {})
  } catch (error) {
    const failure = error instanceof RouteRefusal ? sendFailure(error.error, error.retryAfterSeconds) : failureIn(error)
    throw failure === undefined ? error : withWayOut(failure, askForStatus, args.idempotencyKey)
  }
}

function askForStatus(ids: readonly string[]): string {
  const more = ids.length > IDS_NAMED ? ` and so on for all ids in details` : ''
  return `Its status stands at ${ids.slice(0, IDS_NAMED).map(smsUri).join(', ')}${more}.`
}

// A list of which nothing was sent is a failure: the first one's code, and the reason of each. That the token does not
// stand is for the HTTP edge to say, which lets the client connect again.
function stopIfNoneSent(messages: readonly [SentMessage, ...SentMessage[]], context: ToolContext): void {
  if (!messages.every(({ status }) => status === 'failed' || status === 'not_sent')) return
  const { error } = messages[0]
  const code = codeOf(error)
  if (code === 'AUTH_INVALID') throw context.tokenRejected()
  const heading =
    messages.length === 1 ? 'The message was not sent.' : `None of the ${messages.length} messages was sent.`
  const text = [heading, ...messages.map(outcomeLine)].join('\n')
  throw new ToolFailure(code, text, error?.vertex_error_code ?? null, error?.details)
}
