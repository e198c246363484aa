// The wire of what is ours in sending: lists, quotes, status, limits. Money is a decimal text in EUR with its currency.
import * as z from 'zod'
import { CURRENCY, leftSchema, moneyText } from './limits.ts'
import { readEurText } from './money.ts'
import { BATCH_MAX, bodyOf, phoneSchema, sendMembers } from './rest.ts'

/** Both spellings of an amount: text, or a JSON number read by its decimal text. Read to micro-EUR. */
export const amountSchema = z.union([z.string().max(20), z.number()]).transform((written, context) => {
  const micros = readEurText(String(written))
  if (micros !== null) return micros
  context.addIssue({ code: 'custom', message: 'takes an amount in EUR with at most six decimals, for example "0.5".' })
  return z.NEVER
})

/** How long a quote holds. */
export const QUOTE_SECONDS = 600

/** The longest `quoteId`. */
export const QUOTE_ID_MAX_CHARACTERS = 400

/** The most that the whole send may cost, and the quote that says so. */
const ceilingMembers = {
  maxPrice: amountSchema.optional().describe('The most that the whole send may cost, in EUR.'),
  quoteId: z
    .string()
    .min(1)
    .max(QUOTE_ID_MAX_CHARACTERS)
    .optional()
    .describe('Of a quote for this very send: keeps its price.'),
}

/** Body of `POST /sms` with what is ours: `maxPrice`, `quoteId`. */
export const limitedSendRequestSchema = bodyOf({ ...sendMembers, ...ceilingMembers })

/** Body of `POST /sms/batch`. One number is written as a list of one. */
export const batchRequestSchema = bodyOf({
  ...sendMembers,
  ...ceilingMembers,
  to: z.array(phoneSchema).min(1).max(BATCH_MAX).describe('The numbers, each international with a leading +.'),
  allowRepeat: z
    .boolean()
    .optional()
    .describe('Sends what was just sent once more; with an idempotency key of its own.'),
})
export type BatchRequest = z.infer<typeof batchRequestSchema>

/** Body of `POST /sms/quote`: that of the batch; a single number may stand without a list. */
export const quoteRequestSchema = bodyOf({
  ...sendMembers,
  ...ceilingMembers,
  to: z
    .union([z.array(phoneSchema).min(1).max(BATCH_MAX), phoneSchema.transform((one) => [one])])
    .describe('The number or the numbers, each international with a leading +.'),
  allowRepeat: z.boolean().optional().describe('Taken as a send takes it; it changes nothing of a quote.'),
})

/** What became of one recipient of a list. */
export const BATCH_STATUSES = ['sent', 'scheduled', 'queued', 'failed', 'not_sent', 'unknown'] as const

/** Why one recipient was refused; the members of an error body. */
const recipientErrorSchema = z.object({
  message: z.string().describe('For people. It may change.'),
  code: z.string().describe('One of the codes of the refusals: decide by it.'),
  error_code: z.int().nullable().describe('The numeric code of VertexSMS, where there is one.'),
  details: z.record(z.string(), z.unknown()).optional().describe('What more is known; its members depend on the code.'),
})

/** One recipient's outcome, in the order of the request. */
export const batchMessageSchema = z.object({
  to: z
    .string()
    .describe('The number in international form, digits alone; as it was written where it could not be read.'),
  id: z
    .string()
    .nullable()
    .describe('Of the message, to ask for its status or to cancel it; null where there is none.'),
  status: z
    .enum(BATCH_STATUSES)
    .describe(
      '`queued` goes out by itself soon; `failed` was refused; `not_sent` did not go out though nobody refused it; of `unknown` nobody knows whether it went out.',
    ),
  parts: z.int().nullable().describe('SMS that the text takes.'),
  price: moneyText.nullable().describe('Charged, or held while the outcome is open; null where nothing is.'),
  error: recipientErrorSchema
    .nullable()
    .describe('Why it was not sent; null for any other, and for what was cancelled or came too late.'),
  duplicateOf: z
    .int()
    .nullable()
    .describe('Place, from 0, of the entry that leads to the same number: one message for both.'),
  replayed: z.boolean().describe('True for a message that an earlier call has sent.'),
})
export type BatchMessage = z.infer<typeof batchMessageSchema>

/** Response of `POST /sms/batch`. `sendId` is null where nothing new was accepted. */
export const batchResponseSchema = z.object({
  sendId: z.string().nullable().describe('Of this send; null where nothing new was accepted.'),
  messages: z.array(batchMessageSchema).min(1).describe('What became of each, in the order of the request.'),
  price: moneyText.describe('Of all that is new by this call; of a repeat of the whole call, of all of it.'),
  currency: z.literal(CURRENCY).describe('Of every amount here.'),
})
export type BatchResponse = z.infer<typeof batchResponseSchema>

/** What stands in the way of a send: the codes it would be refused with. */
const refusalSchema = recipientErrorSchema.pick({ code: true, message: true, details: true })

/** Response of `POST /sms/quote`. */
export const quoteResponseSchema = z.object({
  coding: z.int().describe('How the text would be written: 0 GSM-7, 1 8-bit, 2 UCS-2.'),
  parts: z.int().describe('SMS that the text takes for each recipient.'),
  messages: z
    .array(
      z.object({
        to: z
          .string()
          .describe('The number in international form, digits alone; as it was written where it could not be read.'),
        country: z.string().nullable().describe('ISO 3166-1 alpha-2; null where it is not known.'),
        operator: z.string().nullable().describe('The name of its network; null where it is not known.'),
        mccmnc: z.string().nullable().describe('The code of its network; null where it is not known.'),
        parts: z.int().nullable().describe('SMS that this recipient would get.'),
        price: moneyText
          .nullable()
          .describe('What this recipient would cost; null where it is refused, or its price cannot be had.'),
        refusals: z
          .array(recipientErrorSchema)
          .describe('What this recipient would be refused for; empty for nothing.'),
      }),
    )
    .describe('One entry for each recipient, in the order of the request.'),
  price: moneyText.describe('Of all recipients that are not refused and have a price.'),
  currency: z.literal(CURRENCY).describe('Of every amount here.'),
  left: leftSchema.describe('What is left under the limits before this send; a limit that is not set is left out.'),
  refusals: z.array(refusalSchema).describe('What the whole send would be refused for; empty for nothing.'),
  quoteId: z
    .string()
    .nullable()
    .describe(
      'Sent along, it keeps this price; null where the price of a recipient cannot be had, or each is refused.',
    ),
  expiresAt: z.iso.datetime().nullable().describe('Until when the quote is good; null without one.'),
})
export type QuoteResponse = z.infer<typeof quoteResponseSchema>

/** Where a message stands, in one word. */
const SMS_STATES = ['scheduled', 'queued', 'sent', 'delivered', 'failed', 'expired', 'cancelled', 'unknown'] as const

/** Response of `GET /sms/status/{id}`: `status` as reports say it, null until the message is final. */
export const smsStatusResponseSchema = z.object({
  id: z.string().describe('Of the message.'),
  status: z
    .int()
    .nullable()
    .describe(
      'As a delivery report says it: 1 delivered, 2 not delivered, 3 seen, 16 expired; null until then, and for good where somebody cancelled it.',
    ),
  error: z
    .int()
    .nullable()
    .describe(
      'The numeric code of VertexSMS in its report, 0 when delivered, or in its refusal; null where there is none.',
    ),
  state: z.enum(SMS_STATES).describe('The same in one word, before a report too.'),
})
export type SmsStatus = z.infer<typeof smsStatusResponseSchema>
