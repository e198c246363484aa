// The wire of what is ours in sending: lists, quotes, status, limits. Money is a decimal text in EUR with its currency.
import { z } from 'zod'
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
export type LimitedSendRequest = z.infer<typeof limitedSendRequestSchema>

/** Body of `POST /sms/batch`. One number is written as a list of one. */
export const batchRequestSchema = bodyOf({
  ...sendMembers,
  ...ceilingMembers,
  to: z.array(phoneSchema).min(1).max(BATCH_MAX),
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
  to: z.union([z.array(phoneSchema).min(1).max(BATCH_MAX), phoneSchema.transform((one) => [one])]),
  allowRepeat: z.boolean().optional(),
})
export type QuoteRequest = z.infer<typeof quoteRequestSchema>

/** What became of one recipient of a list. */
export const BATCH_STATUSES = ['sent', 'scheduled', 'queued', 'failed', 'not_sent', 'unknown'] as const

/** Why one recipient was refused; the members of an error body. */
export const recipientErrorSchema = z.object({
  message: z.string(),
  code: z.string(),
  error_code: z.int().nullable(),
  details: z.record(z.string(), z.unknown()).optional(),
})

/** One recipient's outcome, in the order of the request. */
export const batchMessageSchema = z.object({
  /** International form, digits; as it was written where it could not be read. */
  to: z.string(),
  id: z.string().nullable(),
  status: z.enum(BATCH_STATUSES),
  parts: z.int().nullable(),
  /** Charged, or held while the outcome is open; null where nothing is. */
  price: moneyText.nullable(),
  error: recipientErrorSchema.nullable(),
  /** Place, from 0, of the entry that leads to the same number: one message for both. */
  duplicateOf: z.int().nullable(),
  /** True for a message that an earlier call has sent. */
  replayed: z.boolean(),
})
export type BatchMessage = z.infer<typeof batchMessageSchema>

/** Response of `POST /sms/batch`. `sendId` is null where nothing new was accepted. */
export const batchResponseSchema = z.object({
  sendId: z.string().nullable(),
  messages: z.array(batchMessageSchema).min(1),
  price: moneyText,
  currency: z.literal(CURRENCY),
})
export type BatchResponse = z.infer<typeof batchResponseSchema>

/** What stands in the way of a send: the codes it would be refused with. */
const refusalSchema = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
})

/** Response of `POST /sms/quote`. */
export const quoteResponseSchema = z.object({
  coding: z.int(),
  parts: z.int(),
  messages: z.array(
    z.object({
      to: z.string(),
      country: z.string().nullable(),
      operator: z.string().nullable(),
      mccmnc: z.string().nullable(),
      parts: z.int().nullable(),
      price: moneyText.nullable(),
      refusals: z.array(recipientErrorSchema),
    }),
  ),
  price: moneyText,
  currency: z.literal(CURRENCY),
  left: leftSchema,
  refusals: z.array(refusalSchema),
  /** Null where the price of a recipient cannot be had. */
  quoteId: z.string().nullable(),
  expiresAt: z.iso.datetime().nullable(),
})
export type QuoteResponse = z.infer<typeof quoteResponseSchema>

/** Where a message stands, in one word. */
export const SMS_STATES = [
  'scheduled',
  'queued',
  'sent',
  'delivered',
  'failed',
  'expired',
  'cancelled',
  'unknown',
] as const

/** Response of `GET /sms/status/{id}`: `status` as reports say it, null until then. */
export const smsStatusResponseSchema = z.object({
  id: z.string(),
  status: z.int().nullable(),
  error: z.int().nullable(),
  state: z.enum(SMS_STATES),
})
export type SmsStatus = z.infer<typeof smsStatusResponseSchema>
