import { BATCH_MAX, SENDER_CATEGORIES } from '@vertexsms/contract/rest'
import * as z from 'zod'
import { callApi } from './api.ts'

/** One of the ten tools as the contestants serve it: the same names and shapes, one upstream call each. */
export interface BenchTool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly input: z.ZodObject
  readonly output: z.ZodObject
  readonly readOnly: boolean
  run(args: Record<string, unknown>, token: string): Promise<Record<string, unknown>>
}

const PHONE = 'Phone number in international form, for example +37069912345'
const COUNTRY = 'Country, ISO 3166-1 alpha-2, for example LT'
const rows = (value: unknown): Record<string, unknown> => ({ results: value })

/**
 * Makes the ten tools, in the order of the product, each with its schemas written where it is registered, as the guides of
 * the SDKs write them.
 */
export const makeTools = (): BenchTool[] => [
  {
    name: 'send_sms',
    title: 'Send an SMS',
    description: 'Sends a text message to a phone number. It costs money and cannot be undone.',
    input: z.object({
      to: z.string().min(7).max(20).describe(PHONE),
      from: z.string().min(1).max(15).describe('Sender: a name of up to 11 characters, or a number'),
      message: z.string().min(1).max(1600).describe('The text'),
    }),
    output: z.object({
      message_id: z.string(),
      status: z.literal('sent'),
      parts: z.int(),
      destination: z.string(),
    }),
    readOnly: false,
    run: async (args, token) => {
      const [id] = (await callApi(token, 'POST', '/sms', args)) as string[]
      return { message_id: id, status: 'sent', parts: 1, destination: args.to }
    },
  },
  {
    name: 'get_sms_rates',
    title: 'SMS rates of a country',
    description: 'Prices per message part in a country, by operator.',
    input: z.object({
      country: z
        .string()
        .regex(/^[A-Z]{2}$/)
        .describe(COUNTRY),
    }),
    output: z.object({
      results: z.array(
        z.object({
          CountryName: z.string(),
          CountryCode: z.string(),
          Operator: z.string(),
          Network: z.string(),
          MCC: z.string(),
          MNC: z.string().nullable(),
          Rate: z.string(),
        }),
      ),
    }),
    readOnly: true,
    run: async (_args, token) => rows(await callApi(token, 'GET', '/rates/?format=json')),
  },
  {
    name: 'register_sender_id',
    title: 'Register a sender name',
    description: 'Asks for a sender name of letters and digits to be allowed on the account.',
    input: z.object({
      name: z.string().min(3).max(11).describe('The name'),
      category: z.enum(SENDER_CATEGORIES).describe('What the name stands for'),
      categoryDescription: z.string().min(1).max(500).describe('Why the name is yours'),
    }),
    output: z.object({ sender_id: z.string(), status: z.string() }),
    readOnly: false,
    run: async (args, token) => ({
      sender_id: await callApi(token, 'POST', '/senderId', { ...args, type: 'AlphaNumeric' }),
      status: 'pending',
    }),
  },
  {
    name: 'register_msisdn_sender',
    title: 'Register a phone number as sender',
    description: 'Sends a five-digit code to the number; confirm it with confirm_msisdn_sender.',
    input: z.object({ msisdn: z.string().min(7).max(20).describe(PHONE) }),
    output: z.object({ sender_id: z.string(), status: z.string() }),
    readOnly: false,
    run: async (args, token) => ({
      sender_id: await callApi(token, 'POST', '/senderId', { name: args.msisdn, type: 'MSISDN' }),
      status: 'pending_confirmation',
    }),
  },
  {
    name: 'confirm_msisdn_sender',
    title: 'Confirm a phone number as sender',
    description: 'Confirms a number with the code it received.',
    input: z.object({ senderId: z.string().regex(/^\d+$/), code: z.string().regex(/^\d{5}$/) }),
    output: z.object({ sender_id: z.string(), status: z.string() }),
    readOnly: false,
    run: async (args, token) => {
      await callApi(token, 'POST', `/senderId/confirm/${args.senderId}`, { code: args.code })
      return { sender_id: args.senderId, status: 'confirmed' }
    },
  },
  {
    name: 'lookup_hlr',
    title: 'Look a number up in its home register',
    description: 'Tells the operator and state of a number. It costs money per query.',
    input: z.object({ msisdn: z.string().min(7).max(20).describe(PHONE) }),
    output: z.object({
      id: z.string(),
      error: z.string(),
      imsi: z.string().nullable(),
      country: z.string().nullable(),
      operatorId: z.int().nullable(),
      operator: z.string().nullable(),
      mcc: z.string().nullable(),
      mnc: z.string().nullable(),
      ported: z.array(z.object({ operatorId: z.int(), operator: z.string(), country: z.string() })),
    }),
    readOnly: true,
    run: async (args, token) => {
      const [id] = (await callApi(token, 'POST', '/hlr', args)) as number[]
      const status = (await callApi(token, 'GET', `/hlr/${id}?wait=20`)) as { result: Record<string, unknown> }
      return status.result
    },
  },
  {
    name: 'get_operator',
    title: 'Mobile operator by id',
    description: 'Name, country and network codes of a mobile operator.',
    input: z.object({ operatorId: z.int().min(1).describe('Id of the operator, from get_mcc_mnc_list') }),
    output: z.object({ name: z.string(), country: z.string(), mcc: z.string(), mnc: z.array(z.string()) }),
    readOnly: true,
    run: async (args, token) =>
      (await callApi(token, 'GET', `/operators/${args.operatorId}`)) as Record<string, unknown>,
  },
  {
    name: 'get_mcc_mnc_list',
    title: 'Network codes of a country',
    description: 'Mobile country and network codes of a country, paged.',
    input: z.object({
      country: z
        .string()
        .regex(/^[A-Z]{2}$/)
        .describe(COUNTRY),
      page: z.int().min(1).optional().describe('Page, from 1'),
    }),
    output: z.object({
      results: z.array(z.object({ country: z.string(), mcc: z.string(), mnc: z.string(), operatorId: z.int() })),
    }),
    readOnly: true,
    run: async (args, token) => rows(await callApi(token, 'GET', `/mccmnc/${args.country}?Page=${args.page ?? 1}`)),
  },
  {
    name: 'get_mobile_prefixes',
    title: 'Mobile prefixes of a country',
    description: 'Number prefixes of the mobile networks of a country, paged.',
    input: z.object({
      country: z
        .string()
        .regex(/^[A-Z]{2}$/)
        .describe(COUNTRY),
      page: z.int().min(1).optional().describe('Page, from 1'),
    }),
    output: z.object({
      results: z.array(z.object({ country: z.string(), prefix: z.string(), operatorId: z.int() })),
    }),
    readOnly: true,
    run: async (args, token) => rows(await callApi(token, 'GET', `/prefixes/${args.country}?Page=${args.page ?? 1}`)),
  },
  {
    name: 'correct_phone_number',
    title: 'Correct phone numbers',
    description: 'Brings up to 100 numbers as people write them into international form.',
    input: z.object({
      numbers: z
        .array(
          z.object({
            number: z.string().min(1).max(40),
            country: z
              .string()
              .regex(/^[A-Z]{2}$/)
              .describe(COUNTRY),
          }),
        )
        .min(1)
        .max(BATCH_MAX),
    }),
    output: z.object({
      results: z.array(
        z.object({
          input_number: z.string(),
          country: z.string(),
          number_type: z.enum(['mobile', 'landline', 'unknown']),
          mobile: z.boolean(),
          number_e164: z.string().nullable(),
          error: z.string().nullable(),
        }),
      ),
    }),
    readOnly: true,
    run: async (args, token) => rows(await callApi(token, 'POST', '/numbers/correct', args.numbers)),
  },
]

/** The ten tools, made once. */
export const tools: readonly BenchTool[] = makeTools()

/** What a documented server registers for a request: tools and schemas made anew, unless the settings say once. */
export const documentedTools = process.env.SCHEMAS === 'once' ? () => tools : makeTools

/** The tool result of a structured value: the same JSON as text, for clients that read only text. */
export function toResult(value: Record<string, unknown>): {
  content: { type: 'text'; text: string }[]
  structuredContent: Record<string, unknown>
} {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value }
}

/** The hints of a tool, all four. */
export function annotationsOf(tool: BenchTool): Record<string, boolean> {
  const { readOnly } = tool
  return { readOnlyHint: readOnly, destructiveHint: !readOnly, idempotentHint: readOnly, openWorldHint: !readOnly }
}
