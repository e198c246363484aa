// Every name and shape of the real REST API, once. What its public documentation leaves open is marked "assumed": a wrong
// guess is put right here and nowhere else. What we answer ourselves stands in packages/contract, not here.
import { z } from 'zod'

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

/** An id of theirs: digits as far as is known; assumed to be no more than this. */
const ID = /^[\w-]{1,64}$/

const id = z.union([z.string(), z.number().int().nonnegative().transform(String)]).pipe(z.string().regex(ID))

/** The one id that a send, a lookup or a registration is answered with: alone, in a list, or as plain text. */
export const idAnswerSchema = z.union([id, z.tuple([id]).transform(([only]) => only)])

/** A whole number, also written as text. */
const wholeNumber = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])

const code = z.union([z.string(), z.number().int().nonnegative().transform(String)])

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
  mccmnc: code.nullish(),
  pricePerPart: z.unknown(),
  totalPrice: z.unknown(),
  currency: z.string(),
})

/** One row of the rate card; `MNC` null stands for all other networks of the country. A currency is assumed to be EUR. */
export const rateRowSchema = z.object({
  CountryName: z.string().nullish().catch(null),
  CountryCode: code.nullish().catch(null),
  Operator: z.string().nullish().catch(null),
  Network: z.string().nullish().catch(null),
  MCC: code.nullish().catch(null),
  MNC: code.nullish().catch(null),
  Rate: z.unknown(),
  Currency: z.string().nullish().catch(''),
})

/** What `GET /sms/status/{id}` says. */
export const statusAnswerSchema = z.object({ id, status: wholeNumber, error: wholeNumber.nullish() })

/** A delivery report, as it is posted to us. */
export const deliveryReportSchema = z.object({
  id: id.optional(),
  status: wholeNumber,
  error: wholeNumber.nullish(),
  mcc: code.nullish(),
  mnc: code.nullish(),
})

/** The result of a lookup, as it is posted to us. */
export const lookupResultSchema = z.object({
  id: id.optional(),
  error: wholeNumber,
  imsi: code.nullish(),
  country: z.string().nullish(),
  operatorId: wholeNumber.nullish(),
  operator: z.string().nullish(),
  mcc: code.nullish(),
  mnc: code.nullish(),
  ported: z
    .array(z.object({ operatorId: wholeNumber, operator: z.string().nullish(), country: z.string().nullish() }))
    .nullish(),
})

/** The end of the review of a sender name; assumed. */
export const senderReportSchema = z.object({ id: id.optional(), status: z.enum(['confirmed', 'rejected']) })
