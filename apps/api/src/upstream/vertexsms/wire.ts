// Every name and shape of the real REST API, once. What its public documentation leaves open is marked "assumed": a wrong
// guess is put right here and nowhere else. What we answer ourselves stands in packages/contract, not here.
import * as z from 'zod'

/** Carries the account's own token on every call. */
export const TOKEN_HEADER = 'X-VertexSMS-Token'

/** Header of the answer to a send: how many parts were sent. */
export const AMOUNT_SENT_HEADER = 'x-vertexsms-amount-sent'

/** Where everything is, below `VERTEXSMS_API_URL`. */
export const PATHS = {
  sms: '/sms',
  cost: '/sms/cost',
  status: (id: string) => `/sms/status/${encodeURIComponent(id)}`,
  rates: '/rates/?format=json',
  hlr: '/hlr',
  senders: '/senderId',
  confirmSender: (id: string) => `/senderId/confirm/${encodeURIComponent(id)}`,
  operator: (id: number) => `/operators/${id}`,
  mccMnc: (country: string, page: number) => `/mccmnc/${country}?Page=${page}`,
  /** Assumed. */
  prefixes: (country: string, page: number) => `/prefixes/${country}?Page=${page}`,
  /** Assumed. */
  correct: '/numbers/correct',
} as const

/** The one currency that prices are read in; a rate card that names none is in it. */
export const CURRENCY = 'EUR'

/** How pairs of a user data header are written. */
export const writeUdh = (hexadecimal: string) => hexadecimal.replace(/../g, '%$&')

/** An id of theirs: digits as far as is known; assumed to be no more than this. A word or a zero is none. */
const ID = /^(?=.*[1-9])[\w-]{1,64}$/

const id = z.union([z.string(), z.number().int().nonnegative().transform(String)]).pipe(z.string().regex(ID))

const idAnswerSchema = z.union([id, z.tuple([id]).transform(([only]) => only)])
const BARE_DIGITS = /^(?=[^1-9]*[1-9])\s*(?:\[\s*(\d{1,64})\s*\]|(\d{1,64}))\s*$/

/**
 * The one id that a send, a lookup or a registration is answered with: alone, in a list, or as plain text; null for anything
 * else. A number is read by its digits: past 2^53 JSON's are not exact.
 */
export function readIdAnswer(body: string): string | null {
  const [, listed, alone] = BARE_DIGITS.exec(body) ?? []
  return listed ?? alone ?? idAnswerSchema.safeParse(parseBody(body)).data ?? null
}

/** The value of a body: JSON, or the text itself where it is none. */
export function parseBody(body: string): unknown {
  const text = body.trim()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A whole number below 2^31, also written as text. */
const wholeNumber = z.union([
  z.int32().nonnegative(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])

/** An error that is left out is none. */
const errorNumber = z.union([wholeNumber, z.literal('').transform(() => 0)]).nullish()

/** No code or name of theirs is longer. */
const CHARACTERS_MAX = 200

const name = z.string().max(CHARACTERS_MAX)
const code = z.union([name, z.number().int().nonnegative().transform(String)])

/** Digits of a network or a subscriber; anything else tells of none, and takes nothing else of the answer with it. */
const digits = (most: number) =>
  code
    .pipe(z.string().regex(new RegExp(`^\\d{1,${most}}$`)))
    .nullish()
    .catch(null)
const mcc = digits(3)
const mnc = digits(3)

/** The body of an error. A numeric code beside the message is assumed. */
export const errorAnswerSchema = z.object({
  message: z.string().optional().catch(undefined),
  error: wholeNumber.optional().catch(undefined),
})

/** How an error's message names the member at fault; assumed to be so in all of them, and nothing is decided by it. */
export const FIELD_IN_MESSAGE = /\bfield '([A-Za-z]{1,20})'/

/** One price, as `POST /sms/cost` tells it; amounts are read by prices.ts. */
export const costAnswerSchema = z.object({
  from: z.unknown().optional(),
  to: code.optional(),
  parts: wholeNumber,
  countryISO: z.string().nullish(),
  mccmnc: digits(6),
  pricePerPart: z.unknown(),
  totalPrice: z.unknown(),
  currency: z.string(),
})

/** One row of the rate card; `MNC` null stands for all other networks of the country. A currency is assumed to be EUR. */
export const rateRowSchema = z.object({
  CountryName: name.nullish().catch(null),
  CountryCode: code.nullish().catch(null),
  Operator: name.nullish().catch(null),
  Network: name.nullish().catch(null),
  MCC: code.nullish().catch(null),
  MNC: code.nullish().catch(null),
  Rate: z.unknown(),
  Currency: z.string().nullish().catch(''),
})

/** What `GET /sms/status/{id}` says; its id may be a number that is not exact. */
export const statusAnswerSchema = z.object({
  id: z.union([z.string(), z.number()]),
  status: wholeNumber,
  error: errorNumber,
})

/** A delivery report, as it is posted to us. The address says of what it is: their id in it is not read. */
export const deliveryReportSchema = z.object({ status: wholeNumber, error: errorNumber, mcc, mnc })

/** The result of a lookup, as it is posted to us. */
export const lookupResultSchema = z.object({
  error: wholeNumber,
  imsi: digits(15),
  country: name.nullish().catch(null),
  operatorId: wholeNumber.nullish().catch(null),
  operator: name.nullish().catch(null),
  mcc,
  mnc,
  ported: z
    .array(z.object({ operatorId: wholeNumber, operator: name.nullish(), country: name.nullish() }))
    .nullish()
    .catch(null),
})

/** The end of the review of a sender name; assumed. */
export const senderReportSchema = z.object({ status: z.enum(['confirmed', 'rejected']) })
