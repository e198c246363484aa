// Every route of the REST API, once: what the gatekeeper judges it by, and what its reference says of it.
import * as z from 'zod'
import type { Permission } from './permissions.ts'
import {
  correctNumbersRequestSchema,
  correctNumbersResponseSchema,
  HLR_WAIT_MAX_SECONDS,
  hlrRequestSchema,
  hlrStatusResponseSchema,
  hlrSubmitResponseSchema,
  mccMncResponseSchema,
  operatorResponseSchema,
  PAGE_SIZE,
  prefixesResponseSchema,
  ratesResponseSchema,
  senderConfirmRequestSchema,
  senderIdRequestSchema,
  senderIdResponseSchema,
  sendSmsResponseSchema,
  smsCostRequestSchema,
  smsCostResponseSchema,
  tokenResponseSchema,
} from './rest.ts'
import {
  batchRequestSchema,
  batchResponseSchema,
  limitedSendRequestSchema,
  quoteRequestSchema,
  quoteResponseSchema,
  smsStatusResponseSchema,
} from './sending.ts'

/** A schema under the name that it has in the reference. */
export interface NamedSchema {
  readonly name: string
  readonly schema: z.ZodType
}

/** The body of a request. */
export interface NamedBody extends NamedSchema {
  /** One that the sandbox takes, to copy. */
  readonly example: unknown
}

/** What a route answers when it did what it was asked. */
export interface Answer {
  readonly status: 200 | 204
  readonly description: string
  /** Its body by media type; empty for none. */
  readonly content: Readonly<Record<string, NamedSchema>>
}

/** One route. */
export interface RouteDefinition {
  readonly summary: string
  readonly description: string
  /** What a token must hold: this, or any of these; `none` where any live token will do. */
  readonly permission: Permission | readonly Permission[] | 'none'
  /** The parts of the path that are written in braces. */
  readonly path?: z.ZodObject
  /** The query parameters that it takes, every one optional and each at most once; their names in any case. */
  readonly query?: z.ZodObject
  readonly body?: NamedBody
  readonly answer: Answer
  /** True where something is sent, asked or registered once for each Idempotency-Key. */
  readonly once?: true
  /** True where the answer tells how many parts were charged (X-VertexSMS-Amount-Sent). */
  readonly tellsParts?: true
}

const JSON_TYPE = 'application/json'

function json(name: string, schema: z.ZodType, description: string): Answer {
  return { status: 200, description, content: { [JSON_TYPE]: { name, schema } } }
}

const idPath = (of: string) =>
  z.object({
    id: z
      .string()
      .regex(/^[1-9]\d{0,17}$/)
      .describe(`Of the ${of}.`),
  })
const countryPath = z.object({
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/)
    .describe('ISO 3166-1 alpha-2.'),
})

const PAGE_MAX_DIGITS = 6

/** The query of a list that comes in pages. */
export const pageQuerySchema = z.strictObject({
  Page: z
    .string()
    .regex(new RegExp(`^[1-9]\\d{0,${PAGE_MAX_DIGITS - 1}}$`))
    .optional()
    .describe(`From 1. A page has ${PAGE_SIZE} rows; a shorter one is the last.`),
})

/** The query of `GET /rates`. */
export const ratesQuerySchema = z.strictObject({
  format: z.enum(['json', 'csv']).optional().describe('`json` where it is left out.'),
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/)
    .optional()
    .describe('ISO 3166-1 alpha-2: the rows of this country alone.'),
})

/** The query of `GET /hlr/{id}`. */
export const hlrQuerySchema = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,3}$/)
    .optional()
    .describe(
      `Seconds that the answer may wait for the result; more than ${HLR_WAIT_MAX_SECONDS} counts as ${HLR_WAIT_MAX_SECONDS}.`,
    ),
})

const rates = {
  summary: 'List prices',
  description: 'The price of one part for every country and network, in EUR.',
  permission: 'GET /rates',
  query: ratesQuerySchema,
  answer: {
    status: 200,
    description: 'One row for each network.',
    content: {
      [JSON_TYPE]: { name: 'Rates', schema: ratesResponseSchema },
      'text/csv': { name: 'RatesCsv', schema: z.string() },
    },
  },
} as const satisfies RouteDefinition

const EXAMPLE = { to: '+37060000001', from: 'VertexDemo', message: 'Hello' }

/** The routes that take a token, under method and path. */
export const ROUTES = {
  'GET /token': {
    summary: 'What this token may do',
    description: 'The account, the permissions, the limits, and what was spent and is left under them.',
    permission: 'none',
    answer: json('Token', tokenResponseSchema, 'The token describes itself.'),
  },
  'POST /sms': {
    summary: 'Send a message',
    description: 'Sends one text to one number, now or at `scheduled`. Costs money.',
    permission: 'POST /sms',
    body: { name: 'Send', schema: limitedSendRequestSchema, example: EXAMPLE },
    answer: json('MessageIds', sendSmsResponseSchema, 'The id of the message, in a list of one.'),
    once: true,
    tellsParts: true,
  },
  'POST /sms/batch': {
    summary: 'Send a message to many',
    description: 'Sends one text to up to a hundred numbers and tells what became of each. Costs money.',
    permission: 'POST /sms',
    body: { name: 'Batch', schema: batchRequestSchema, example: { ...EXAMPLE, to: ['+37060000001', '+37060000002'] } },
    answer: json('BatchResult', batchResponseSchema, 'One entry for each recipient, in the order of the request.'),
    once: true,
  },
  'POST /sms/quote': {
    summary: 'Ask what a send would cost, and what stands in its way',
    description:
      'Nothing is sent or charged. The `quoteId` of the answer, sent along, keeps the price. What the operator alone refuses a message for, such as a sender that is not confirmed, shows when it is sent.',
    permission: ['POST /sms', 'POST /sms/cost'],
    body: {
      name: 'QuoteRequest',
      schema: quoteRequestSchema,
      example: { ...EXAMPLE, to: ['+37060000001', '+37060000002'] },
    },
    answer: json(
      'Quote',
      quoteResponseSchema,
      'The price, and the refusals that the send would meet before it is handed over.',
    ),
  },
  'POST /sms/cost': {
    summary: 'Ask what a message would cost',
    description: 'Nothing is sent or charged, and whether the operator takes the sender is not asked.',
    permission: 'POST /sms/cost',
    body: { name: 'CostRequest', schema: smsCostRequestSchema, example: EXAMPLE },
    answer: json('Cost', smsCostResponseSchema, 'The price of one message.'),
  },
  'GET /sms/status/{id}': {
    summary: 'Ask where a message stands',
    description: 'For the messages of this token or connection.',
    permission: 'POST /sms',
    path: idPath('message'),
    answer: json('MessageStatus', smsStatusResponseSchema, 'Where the message stands.'),
  },
  'DELETE /sms/{id}': {
    summary: 'Cancel a scheduled message',
    description: 'What was handed over already cannot be cancelled: 409.',
    permission: 'POST /sms',
    path: idPath('message'),
    answer: { status: 204, description: 'It is not sent, and its price is free again.', content: {} },
  },
  'GET /rates': rates,
  'GET /rates/': rates,
  'POST /hlr': {
    summary: 'Look a number up',
    description: 'Asks the network of a mobile number. Costs money for each number.',
    permission: 'POST /hlr',
    body: { name: 'Lookup', schema: hlrRequestSchema, example: { msisdn: '+37060000001' } },
    answer: json('LookupId', hlrSubmitResponseSchema, 'The id of the lookup, in a list of one.'),
    once: true,
  },
  'GET /hlr/{id}': {
    summary: 'Read the result of a lookup',
    description: 'Answers as soon as the result is there, at the latest after `wait` seconds.',
    permission: 'GET /hlr',
    path: idPath('lookup'),
    query: hlrQuerySchema,
    answer: json('LookupStatus', hlrStatusResponseSchema, 'The result, null while the lookup runs.'),
  },
  'POST /senderId': {
    summary: 'Register a sender',
    description: 'A name goes to review; to a number a PIN is sent, and for that alone an idempotency key counts.',
    permission: 'POST /senderId',
    body: {
      name: 'Sender',
      schema: senderIdRequestSchema,
      example: {
        type: 'AlphaNumeric',
        name: 'Bakery',
        category: 'Brand',
        categoryDescription: 'Orders that are ready',
      },
    },
    answer: {
      status: 200,
      description: 'The id of the sender.',
      content: { 'text/plain': { name: 'SenderId', schema: senderIdResponseSchema } },
    },
    once: true,
  },
  'POST /senderId/confirm/{id}': {
    summary: 'Confirm a number as sender',
    description: 'Takes the PIN that was sent to the number.',
    permission: 'POST /senderId/confirm',
    path: idPath('sender'),
    body: { name: 'SenderPin', schema: senderConfirmRequestSchema, example: { code: '12345' } },
    answer: {
      status: 200,
      description: 'The number is confirmed.',
      content: { 'text/plain': { name: 'Confirmed', schema: z.literal('OK') } },
    },
  },
  'GET /operators/{id}': {
    summary: 'Read an operator',
    description: 'Its name, its country and its network codes.',
    permission: 'GET /operators',
    path: idPath('operator'),
    answer: json('Operator', operatorResponseSchema, 'The operator.'),
  },
  'GET /mccmnc/{country}': {
    summary: 'List the network codes of a country',
    description: 'Mobile country code and mobile network code of each operator.',
    permission: 'GET /mccmnc',
    path: countryPath,
    query: pageQuerySchema,
    answer: json('NetworkCodes', mccMncResponseSchema, 'One page.'),
  },
  'GET /prefixes/{country}': {
    summary: 'List the mobile prefixes of a country',
    description: 'With the operator of each.',
    permission: 'GET /prefixes',
    path: countryPath,
    query: pageQuerySchema,
    answer: json('Prefixes', prefixesResponseSchema, 'One page.'),
  },
  'POST /numbers/correct': {
    summary: 'Correct phone numbers',
    description: 'Reads up to a hundred numbers as they were written and tells each in E.164, or that it is none.',
    permission: 'POST /numbers/correct',
    body: { name: 'Numbers', schema: correctNumbersRequestSchema, example: [{ number: '8 612 34567', country: 'LT' }] },
    answer: json('CorrectedNumbers', correctNumbersResponseSchema, 'One entry for each number, in order.'),
  },
} as const satisfies Record<string, RouteDefinition>

/** Method and path of one route. */
export type RouteName = keyof typeof ROUTES

/** The route under the name by which a server knows it: `GET /hlr/:id`; undefined for others. A HEAD is its GET. */
export function routeOf(method: string, url: string): RouteDefinition | undefined {
  const name = `${method === 'HEAD' ? 'GET' : method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`
  return Object.hasOwn(ROUTES, name) ? ROUTES[name as RouteName] : undefined
}
