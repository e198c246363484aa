// Limits of what may be spent, as the wire shows them, and what a refusal under them tells.
import * as z from 'zod'

/** The one currency. */
export const CURRENCY = 'EUR'

/** How long what tells of money spent is kept: sends, approvals and activity from their day, an ended spender from its end. */
export const MONEY_KEPT_MONTHS = 13

/** What the demo account may spend a day until it first has a VertexSMS token: its password stands on a screen. */
export const DEMO_FIRST_DAY_LIMIT_MICROS = 1_000_000n

/** How an amount is written. */
export const MONEY_TEXT = /^-?\d+(\.\d{1,6})?$/

/** An amount in EUR as decimal text, up to six decimals; what was given back is negative. */
export const moneyText = z.string().regex(MONEY_TEXT)

/** What is left of every limit that is set; a member is left out where there is none. */
export const leftSchema = z.object({
  day: moneyText.optional().describe('What may still be spent today.'),
  total: moneyText.optional().describe('What may still be spent in all.'),
  recipients: z.int().optional().describe('Recipients that may still be sent to today.'),
})

/** The limits of one spender, as `GET /token` and the owner's pages show them; what is left out is not limited. */
export const limitsSchema = z.object({
  maxPerSend: moneyText.optional().describe('The most that one send may cost.'),
  maxPerDay: moneyText.optional().describe('The most that may be spent on one of the owner’s days.'),
  maxTotal: moneyText.optional().describe('The most that may be spent in all.'),
  recipientsPerDay: z
    .int()
    .optional()
    .describe('The most recipients on one of the owner’s days; a number counts once for each message to it.'),
  countries: z.array(z.string()).optional().describe('ISO 3166-1 alpha-2: the only countries that may be sent to.'),
  senders: z.array(z.string()).optional().describe('The only senders that may stand in `from`.'),
  currency: z.literal(CURRENCY).describe('Of every amount here.'),
})
export type Limits = z.infer<typeof limitsSchema>

/** What was spent: settled and held together, for that is what a limit counts. */
export const spentSchema = z.object({
  day: moneyText.describe('Spent or held today.'),
  total: moneyText.describe('Spent or held in all.'),
  recipients: z.int().describe('Recipients of today that count toward the limit.'),
  currency: z.literal(CURRENCY).describe('Of every amount here.'),
  resetsAt: z.iso.datetime().describe('When the owner’s day ends and the next begins.'),
})

/** Which limit stands in the way. */
export const CAPS = ['per_send', 'per_day', 'total'] as const
export type Cap = (typeof CAPS)[number]

/** What the activity says of a refusal: the code, and behind SPEND_CAP_REACHED the limit that stood in the way. */
export function refusalOutcome(code: string, cap: Cap | null): string {
  return cap === null ? code : `${code} ${cap}`
}

/** What {@link refusalOutcome} wrote; a row without a limit, or with one that is not known here, has none. */
export function readRefusalOutcome(written: string): { readonly outcome: string; readonly cap: Cap | null } {
  const [outcome = '', word] = written.split(' ')
  return { outcome, cap: CAPS.find((cap) => cap === word) ?? null }
}

/** On whom a limit is set. */
export const SPENDERS = ['account', 'connection', 'token'] as const

const manageUrl = z.string()

/** `details` of every code that has them: closed, so that nothing else can reach a model. */
export const ERROR_DETAILS = {
  SPEND_CAP_REACHED: z.strictObject({
    limit: z.enum(CAPS),
    of: z.enum(SPENDERS),
    max: moneyText,
    spent: moneyText,
    price: moneyText,
    currency: z.literal(CURRENCY),
    resetsAt: z.iso.datetime().nullable(),
    manageUrl,
  }),
  RECIPIENTS_REACHED: z.strictObject({
    of: z.enum(SPENDERS),
    max: z.int(),
    used: z.int(),
    asked: z.int(),
    resetsAt: z.iso.datetime(),
    manageUrl,
  }),
  DESTINATION_NOT_ALLOWED: z.strictObject({ country: z.string().nullable(), manageUrl }),
  SENDER_NOT_ALLOWED: z.strictObject({ from: z.string(), manageUrl }),
  CONNECTION_PAUSED: z.strictObject({ of: z.enum(SPENDERS), by: z.enum(['owner', 'automatic']), manageUrl }),
  APPROVAL_REQUIRED: z.strictObject({
    approvalId: z.string(),
    approvalUrl: z.string(),
    expiresAt: z.iso.datetime(),
  }),
  APPROVAL_REFUSED: z.strictObject({ approvalId: z.string(), manageUrl }),
  APPROVAL_EXPIRED: z.strictObject({ approvalId: z.string(), manageUrl }),
  PRICE_UNKNOWN: z.strictObject({ country: z.string().nullable(), manageUrl }),
  PRICE_CHANGED: z.strictObject({ price: moneyText, maxPrice: moneyText, currency: z.literal(CURRENCY) }),
  SEND_OUTCOME_UNKNOWN: z.strictObject({ sendId: z.string(), ids: z.array(z.string()) }),
  TOO_MANY_WAITING: z.strictObject({ max: z.int(), manageUrl }),
  UPSTREAM_ACCOUNT_MISSING: z.strictObject({ manageUrl }),
} as const satisfies Record<string, z.ZodType>

/** A code that comes with details of its own. */
export type DetailedCode = keyof typeof ERROR_DETAILS

/** The details of one code; undefined for a code without any, and for what does not have their form. */
export function readErrorDetails(code: string, details: unknown): Record<string, unknown> | undefined {
  if (!Object.hasOwn(ERROR_DETAILS, code)) return undefined
  const read = ERROR_DETAILS[code as DetailedCode].safeParse(details)
  return read.success ? read.data : undefined
}
