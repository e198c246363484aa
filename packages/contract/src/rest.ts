// Every request and answer of the REST API, once, for both of its sides, spelled as on the wire. Shapes marked "assumed"
// follow public text that was cut off; they stand here alone, so that one edit corrects them.
import * as z from 'zod'
import { API_TOKEN_KINDS } from './api-token.ts'
import { DELIVERY_STATUS } from './delivery.ts'
import { leftSchema, limitsSchema, spentSchema } from './limits.ts'
import { MOMENT_MAX_CHARACTERS, readMoment } from './moment.ts'
import { PERMISSIONS } from './permissions.ts'
import { PHONE_MAX_CHARACTERS } from './phone-text.ts'

/** A sender name: 1 to 11 latin letters, digits, spaces, dots and `- _ & # !`, with a letter and no space around it. */
export const SENDER_NAME_PATTERN = /^(?! )(?=.*[A-Za-z])[A-Za-z0-9 .\-_&#!]{1,11}(?<! )$/

/** Characters of a sender name that is registered. */
export const SENDER_NAME_LENGTH = { min: 3, max: 11 } as const

/** The longest `from` that is looked at, spaces around it included. */
const SENDER_MAX_CHARACTERS = PHONE_MAX_CHARACTERS

/** The longest description of a sender name, in characters. */
export const CATEGORY_DESCRIPTION_MAX = 500

/** Digits of the PIN that confirms a number. */
export const PIN_DIGITS = 5

/** Guesses that one PIN takes, the right one included; the real operator may take fewer. */
export const PIN_TRIES = 5

/** How long a PIN may be used. */
export const PIN_MINUTES = 10

/** The words of `priority`. */
export const PRIORITIES = ['high', 'normal', 'low'] as const

/** The values of `coding`: GSM-7, 8-bit, UCS-2. */
export const CODINGS = [0, 1, 2] as const

/** The bounds of `expireIn`, in seconds. */
export const EXPIRE_IN_SECONDS = { min: 360, max: 432_000 } as const

/** Octets of user data in one message: the most that `udh` can fill. */
export const USER_DATA_OCTETS = 140

// Every text has a length: it is judged before anything is done with it.

/** The longest URL of a callback. */
export const URL_MAX_CHARACTERS = 2048

/** The longest text of a message: 255 parts of 153 septets (3GPP TS 23.040). */
export const MESSAGE_MAX_CHARACTERS = 39_015

const urlText = z.string().max(URL_MAX_CHARACTERS)

/** ISO 3166-1 alpha-2 country code, upper case. */
const countrySchema = z.string().regex(/^[A-Z]{2}$/)

/** One of a few small integers; clients also write it as a string. */
function digitOf<const Values extends readonly number[]>(values: Values) {
  const text = z.enum(values.map(String) as [string, ...string[]]).transform((value) => Number(value) as Values[number])
  return z.union([z.literal(values), text])
}

/** Text that clients also write as a JSON number, since it is digits. */
function digitText(maxCharacters: number, minNumber = 0) {
  const number = z
    .int()
    .min(minNumber)
    .transform((value) => String(value))
  return z.union([z.string().max(maxCharacters), number])
}

/** A number as it was written; `readPhone` reads it. */
export const phoneSchema = digitText(PHONE_MAX_CHARACTERS)

/** The smallest number of digits that is a sender, as a number: a short code of three. */
const SHORT_CODE_MIN = 100

/** A moment, read to ISO 8601 in UTC. */
const momentSchema = z
  .string()
  .max(MOMENT_MAX_CHARACTERS)
  .transform((written, context) => {
    const moment = readMoment(written)
    if ('iso' in moment) return moment.iso
    context.addIssue({ code: 'custom', message: moment.fix })
    return z.NEVER
  })

/** A user data header, read to hexadecimal; its pairs stand behind `%` signs, or alone. */
const udhSchema = z
  .string()
  .max(USER_DATA_OCTETS * 3)
  .regex(/^(?:(?:%[0-9a-fA-F]{2})+|(?:[0-9a-fA-F]{2})+)$/)
  .transform((written) => written.replaceAll('%', ''))

/** A whole number, also written as a string of digits. */
function integerOf({ min, max }: { readonly min: number; readonly max: number }) {
  const text = z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
  return z.union([z.int(), text]).pipe(z.int().min(min).max(max))
}

/** A body: its members that are null count as left out, as published clients send them; others than its own are refused. */
export function bodyOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess(withoutNulls, z.strictObject(shape))
}

function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

/** The members of a message. */
export const sendMembers = {
  to: phoneSchema.describe('The number, international with a leading +.'),
  from: digitText(SENDER_MAX_CHARACTERS, SHORT_CODE_MIN)
    .transform((written) => written.trim())
    .describe(
      'A name of up to 11 characters, or a number that is confirmed on the account. Some countries take only names that are registered and confirmed, or no names.',
    ),
  message: z.string().max(MESSAGE_MAX_CHARACTERS).describe('The text.'),
  dlrUrl: urlText.optional().describe('Public https URL that takes the delivery report.'),
  priority: z
    .enum(PRIORITIES)
    .optional()
    .describe('How soon it goes out where many wait; `normal` where it is left out.'),
  /** Read to UTC. */
  scheduled: momentSchema.optional().describe('When to send: ISO 8601 with an offset.'),
  /** Read to bare hexadecimal. */
  udh: udhSchema.optional().describe('User data header, hexadecimal, each pair behind `%`. Needs `coding`.'),
  coding: digitOf(CODINGS).optional().describe('0 GSM-7, 1 8-bit, 2 UCS-2. A message that names it is never split.'),
  correctBy: countrySchema.optional().describe('The country that `to` is written in nationally.'),
  expireIn: integerOf(EXPIRE_IN_SECONDS)
    .optional()
    .describe(
      `Validity in seconds, ${EXPIRE_IN_SECONDS.min} to ${EXPIRE_IN_SECONDS.max}; three days where it is left out.`,
    ),
  testMode: digitOf([1, 2]).optional().describe('1 emulates a delivered message, 2 a failed one; neither is charged.'),
}

/** Body of `POST /sms` as the real service takes it; ours takes two members more (sending.ts). */
export const sendSmsRequestSchema = bodyOf(sendMembers)
/** A send as it was read. */
export type SendSmsRequest = z.infer<typeof sendSmsRequestSchema>

/** Response of `POST /sms`: the message ids. */
export const sendSmsResponseSchema = z.array(z.string()).min(1)

/** The most days ahead that `scheduled` may lie. */
export const SCHEDULE_MAX_DAYS = 90

/** The delivery report, as posted to `dlrUrl`: status 1 delivered, 2 not delivered, 3 seen (Viber), 16 expired. */
export const deliveryReportSchema = z.object({
  id: z.string(),
  status: z.literal(Object.values(DELIVERY_STATUS)),
  /** Numeric VertexSMS code, 0 when delivered. */
  error: z.int(),
  mcc: z.string(),
  mnc: z.string(),
})

/** Body of `POST /sms/cost`: that of `POST /sms`, so that a price is the price of the very message. */
export const smsCostRequestSchema = sendSmsRequestSchema

/** Response of `POST /sms/cost`: an array of one. */
export const smsCostSchema = z.object({
  from: z.string().optional().describe('The sender, as it was sent.'),
  to: z.string().optional().describe('The number that a message would go to: international, digits alone.'),
  parts: z.int().describe('SMS that the text takes.'),
  countryISO: z.string().describe('ISO 3166-1 alpha-2; empty where it is not known.'),
  mccmnc: z.string().describe('The code of the network of the number; empty where it is not known.'),
  pricePerPart: z.number().describe('Of one SMS.'),
  totalPrice: z.number().describe('Of all of its parts.'),
  currency: z.string().describe('Of both prices.'),
})
/** The price of one message, as `POST /sms/cost` answers. */
export type SmsCost = z.infer<typeof smsCostSchema>
/** The answer of `POST /sms/cost`: one price, in a list or by itself. */
export const smsCostResponseSchema = z.union([z.array(smsCostSchema).length(1), smsCostSchema])

/** One row of `GET /rates/?format=json`. `Rate` is a decimal string in EUR per part. */
export const rateSchema = z.object({
  CountryName: z.string().describe('In English.'),
  CountryCode: z.string().describe('ISO 3166-1 alpha-2.'),
  Operator: z
    .string()
    .describe('`All` where a country has one price; `All other carriers` in the row for the rest of them.'),
  Network: z.string().describe('The name of the network; `All` and `All other carriers` as in `Operator`.'),
  MCC: z.string().describe('Mobile country code.'),
  MNC: z.string().nullable().describe('Mobile network code; null in a row for several networks.'),
  Rate: z.string().describe('The price of one part in EUR, as decimal text.'),
})
/** The answer of `GET /rates`. */
export const ratesResponseSchema = z.array(rateSchema)
/** The price for one network. */
export type Rate = z.infer<typeof rateSchema>

/** Body of `POST /hlr`. */
export const hlrRequestSchema = bodyOf({
  msisdn: z.string().max(PHONE_MAX_CHARACTERS).describe('The mobile number, international with a leading +.'),
  callBackUrl: urlText
    .optional()
    .describe('Public https URL that takes the result; without it, read the result by its id.'),
  allowRepeat: z
    .boolean()
    .optional()
    .describe('Looks up what was just looked up once more; with an idempotency key of its own.'),
})

/** Response of `POST /hlr`: the lookup's id. */
export const hlrSubmitResponseSchema = z.array(z.int()).length(1)

/** The HLR result, as posted to the callback and as `GET /hlr/{id}` serves it once it is there. */
export const hlrResultSchema = z.object({
  id: z.string().describe('Of the lookup.'),
  error: z.string().describe('The numeric code of VertexSMS as text, `0` when the subscriber was found.'),
  imsi: z.string().nullable().describe('Identity of the subscriber in its network.'),
  country: z.string().nullable().describe('ISO 3166-1 alpha-2.'),
  operatorId: z.int().nullable().describe('Of the operator, for `GET /operators/{id}`.'),
  operator: z.string().nullable().describe('The name of the operator.'),
  mcc: z.string().nullable().describe('Mobile country code.'),
  mnc: z.string().nullable().describe('Mobile network code.'),
  ported: z
    .array(
      z.object({
        operatorId: z.int().describe('Of the operator.'),
        operator: z.string().describe('Its name.'),
        country: z.string().describe('ISO 3166-1 alpha-2.'),
      }),
    )
    .describe('The other operators of a number that was ported; empty for one that was not.'),
})
/** What a finished lookup found for one number. */
export type HlrResult = z.infer<typeof hlrResultSchema>

/** Response of `GET /hlr/{id}?wait=20` (ours): the result is null while the lookup runs. */
export const hlrStatusResponseSchema = z.object({
  id: z.string().describe('Of the lookup.'),
  status: z.enum(['pending', 'done']).describe('`done` once the result is there.'),
  msisdn: z.string().describe('The number: international, digits alone.'),
  result: hlrResultSchema.nullable().describe('What was found; null while the lookup runs.'),
})

/** The answer of `GET /hlr/{id}`. */
export type HlrStatus = z.infer<typeof hlrStatusResponseSchema>

/** The longest `wait` of `GET /hlr/{id}`. */
export const HLR_WAIT_MAX_SECONDS = 20

/** The categories of an alphanumeric sender. */
export const SENDER_CATEGORIES = ['Company', 'Product', 'Brand', 'Shortcode', 'Landline', 'Other'] as const

/** Body of `POST /senderId`. */
export const senderIdRequestSchema = z.preprocess(
  withoutNulls,
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('AlphaNumeric').describe('A name.'),
      name: digitText(SENDER_MAX_CHARACTERS)
        .transform((written) => written.trim())
        .pipe(z.string().min(SENDER_NAME_LENGTH.min).max(SENDER_NAME_LENGTH.max))
        .describe(
          `The name: ${SENDER_NAME_LENGTH.min} to ${SENDER_NAME_LENGTH.max} latin letters, digits, spaces, dots and \`- _ & # !\`; digits alone for a Shortcode or Landline.`,
        ),
      category: z.enum(SENDER_CATEGORIES).describe('What the name is.'),
      categoryDescription: z.string().min(1).max(CATEGORY_DESCRIPTION_MAX).describe('Who uses it, and for what.'),
      notificationUrl: urlText.optional().describe('Public https URL that takes the outcome of the review.'),
    }),
    z.strictObject({
      type: z.literal('MSISDN').describe('A number.'),
      name: phoneSchema.describe('The number that a PIN is sent to, international with a leading +.'),
    }),
  ]),
)

/** A registration of a sender as it was read. */
export type SenderIdRequest = z.infer<typeof senderIdRequestSchema>

/** Response of `POST /senderId`, `text/plain`: the numeric id. */
export const senderIdResponseSchema = z.string().regex(/^\d+$/)

/** The outcome of a name's review, as posted to `notificationUrl`. */
export const senderNotificationSchema = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(['confirmed', 'rejected']),
})

/** Body of `POST /senderId/confirm/{id}`: as text, for a number loses its leading zero. */
export const senderConfirmRequestSchema = bodyOf({
  code: z
    .string()
    .regex(new RegExp(`^\\d{${PIN_DIGITS}}$`))
    .describe(`The PIN: ${PIN_DIGITS} digits, as text.`),
})

/** Response of `GET /operators/{operatorId}`. */
export const operatorResponseSchema = z.object({
  name: z.string().describe('Of the operator.'),
  country: z.string().describe('ISO 3166-1 alpha-2.'),
  mcc: z.string().describe('Mobile country code.'),
  mnc: z.array(z.string()).describe('Its mobile network codes.'),
})

/** Rows on one page of `GET /mccmnc/{country}` and `GET /prefixes/{country}`; a shorter page is the last (assumed). */
export const PAGE_SIZE = 100

/** Response of `GET /mccmnc/{country}?Page=1`. */
export const mccMncResponseSchema = z.array(
  z.object({
    country: z.string().describe('ISO 3166-1 alpha-2.'),
    mcc: z.string().describe('Mobile country code.'),
    mnc: z.string().describe('Mobile network code.'),
    operatorId: z.int().describe('Of the operator, for `GET /operators/{id}`.'),
  }),
)

/** Response of `GET /prefixes/{country}?Page=1` (assumed). */
export const prefixesResponseSchema = z.array(
  z.object({
    country: z.string().describe('ISO 3166-1 alpha-2.'),
    prefix: z.string().describe('What the numbers begin with: international, digits alone.'),
    operatorId: z.int().describe('Of the operator, for `GET /operators/{id}`.'),
  }),
)

/** The most numbers in one `POST /numbers/correct`, and the most recipients of one `send_sms`. */
export const BATCH_MAX = 100

/** Body of `POST /numbers/correct` (assumed). */
export const correctNumbersRequestSchema = z
  .array(
    z.strictObject({
      number: phoneSchema.describe('The number as somebody wrote it.'),
      country: countrySchema.describe('ISO 3166-1 alpha-2: where a number is taken to be from that does not say.'),
    }),
  )
  .min(1)
  .max(BATCH_MAX)

/** A request to correct numbers as it was read. */
export type CorrectNumbersRequest = z.infer<typeof correctNumbersRequestSchema>

/** Response of `POST /numbers/correct` (assumed). */
export const correctNumbersResponseSchema = z.array(
  z.object({
    input_number: z.string().describe('The number as it was sent.'),
    country: z.string().describe('ISO 3166-1 alpha-2 of the number; as it was sent where it is none.'),
    number_type: z.enum(['mobile', 'landline', 'unknown']).describe('What its numbering plan says.'),
    mobile: z.boolean().describe('True for a mobile number.'),
    number_e164: z.string().nullable().describe('In E.164, with a leading +; null where it is no number.'),
    error: z.string().nullable().describe('Why it is no number; null for one that is.'),
  }),
)
/** What one written number was read as. */
export type CorrectedNumber = z.infer<typeof correctNumbersResponseSchema>[number]

/** Response of `GET /token` (ours): the token describes itself. */
export const tokenResponseSchema = z.object({
  account: z.string().describe('The id of the account.'),
  kind: z.enum(API_TOKEN_KINDS).describe('`manual` was made by hand on Settings → API; the others belong to an app.'),
  permissions: z.array(z.enum(PERMISSIONS)).describe('The routes that it may call.'),
  limits: limitsSchema.nullable().describe('Of this token, or of the app it belongs to; null while there are none.'),
  spent: spentSchema.nullable().default(null).describe('What was spent with this token, or by the app it belongs to.'),
  left: leftSchema
    .default({})
    .describe(
      'What is left of these limits and of the account’s, whichever is less; a limit that is not set is left out.',
    ),
  paused: z.boolean().default(false).describe('True while everything that costs money is refused.'),
  expires_at: z.iso.datetime().nullable().describe('When the token ends; null for never.'),
})
/** What a token is told about itself. */
export type TokenDescription = z.infer<typeof tokenResponseSchema>

/** Every error body of the REST API. `error_code` is the numeric VertexSMS code, where there is one. */
export const apiErrorBodySchema = z.object({
  message: z.string(),
  code: z.string(),
  error_code: z.int().nullable(),
  /** Where more is known than the code says: a reason of the catalogue of refusals, or the code's own (limits.ts). */
  details: z.record(z.string(), z.unknown()).optional(),
})
/** The body of every refusal of the API. */
export type ApiErrorBody = z.infer<typeof apiErrorBodySchema>
