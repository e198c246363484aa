import { TOOL_NAMES } from '@vertexsms/contract/scopes'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { expect } from 'vitest'
import type { CallOutcome, IndependentClient, ListedTool, ToolResult } from './clients/client.ts'
import { rememberSecret } from './secrets.ts'

/** What differs from one round of calls to the next: numbers and names that belong to this round alone. */
export interface Round {
  /** The person's own number, which becomes a sender; E.164 with the plus sign. */
  readonly ownNumber: string
  readonly recipient: string
  readonly senderName: string
  readonly message: string
  /** The id under which {@link ownNumber} waits for its PIN, once it was registered. */
  pendingSenderId?: unknown
}

/** Arguments that each tool accepts as they stand, for calls that must not get as far as the tool. */
export const SAMPLE_ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  send_sms: { to: '+37061234567', from: 'Vertex', message: 'This must not arrive' },
  get_sms_rates: { country: 'LT' },
  register_sender_id: { name: 'Vertex', category: 'Company', categoryDescription: 'A company' },
  register_msisdn_sender: { msisdn: '+37061234567' },
  confirm_msisdn_sender: { senderId: '1', code: '12345' },
  lookup_hlr: { msisdn: '+37061234567' },
  get_operator: { operatorId: 1 },
  get_mcc_mnc_list: { country: 'LT' },
  get_mobile_prefixes: { country: 'LT' },
  correct_phone_number: { numbers: [{ number: '061234567', country: 'LT' }] },
}

let rounds = 0

/** A round with values of its own within this run; `seed` keeps the test files apart. */
export function newRound(seed: number): Round {
  rounds += 1
  const own = seed * 100 + rounds
  const round: Round = {
    ownNumber: `+3706${String(1_000_000 + own)}`,
    recipient: `+3706${String(2_000_000 + own)}`,
    senderName: `Vertex${own}`,
    message: `Round ${own}: the parcel waits behind the blue door`,
  }
  rememberSecret('phone number', round.ownNumber.slice(1))
  rememberSecret('phone number', round.recipient.slice(1))
  rememberSecret('message text', round.message)
  return round
}

/** Reads the PIN that "arrived" on a number. */
export type PinReader = (msisdn: string) => Promise<string>

type Structured = Record<string, unknown>

/** The structured result of a call that must succeed, validated against the tool's own output schema. */
export type CallTool = (name: string, args: Record<string, unknown>) => Promise<Structured>

/** How each tool is called with real arguments, and what must hold of its answer beyond its schema. */
const CALLS: Readonly<Record<string, (call: CallTool, round: Round, readPin: PinReader) => Promise<void>>> = {
  send_sms: async (call, { recipient, message, senderName }) => {
    const sent = await call('send_sms', { to: recipient, from: senderName, message })
    expect(sent).toMatchObject({ status: 'sent', parts: 1 })
    expect(String(sent.message_id)).toMatch(/^\d+$/)
  },
  get_sms_rates: async (call) => {
    const card = await call('get_sms_rates', { country: 'LT' })
    expect(card).toMatchObject({ country: 'LT', country_name: 'Lithuania' })
    expect(card.rates).toEqual(
      expect.arrayContaining([expect.objectContaining({ rate_eur: expect.stringMatching(/^\d+\.\d+$/), mcc: '246' })]),
    )
  },
  register_sender_id: async (call, { senderName }) => {
    const sender = await call('register_sender_id', {
      name: senderName,
      category: 'Company',
      categoryDescription: 'The company that sends the parcels',
    })
    expect(String(sender.sender_id)).toMatch(/^\d+$/)
  },
  register_msisdn_sender: async (call, round) => {
    const sender = await call('register_msisdn_sender', { msisdn: round.ownNumber })
    expect(sender).toMatchObject({ status: 'pending_confirmation' })
    round.pendingSenderId = sender.sender_id
  },
  confirm_msisdn_sender: async (call, { ownNumber, pendingSenderId }, readPin) => {
    const code = await readPin(ownNumber)
    const confirmed = await call('confirm_msisdn_sender', { senderId: pendingSenderId, code })
    expect(confirmed).toMatchObject({ sender_id: pendingSenderId, status: 'confirmed' })
  },
  lookup_hlr: async (call, { recipient }) => {
    const found = await call('lookup_hlr', { msisdn: recipient })
    expect(found).toMatchObject({ country: 'LT', mcc: '246' })
  },
  get_operator: async (call) => {
    const operatorId = await someOperator(call)
    const operator = await call('get_operator', { operatorId })
    expect(operator).toMatchObject({ country: 'LT', mcc: '246' })
    expect(operator.name).toMatch(/\S/)
  },
  get_mcc_mnc_list: async (call) => {
    expect(await someOperator(call)).toBeGreaterThan(0)
  },
  get_mobile_prefixes: async (call) => {
    const rows = listIn(await call('get_mobile_prefixes', { country: 'LT' }))
    expect(rows.length).toBeGreaterThan(0)
    expect(rows).toEqual(
      expect.arrayContaining([expect.objectContaining({ prefix: expect.stringMatching(/^\+?\d+$/) })]),
    )
  },
  correct_phone_number: async (call) => {
    const corrected = await call('correct_phone_number', {
      numbers: [
        { number: '8 (612) 34-567', country: 'LT' },
        { number: '020 7946 0018', country: 'GB' },
      ],
    })
    expect(corrected).toMatchObject({ count: 2 })
    expect(corrected.results).toEqual([
      expect.objectContaining({
        mobile: true,
        number_type: 'mobile',
        number_e164: expect.stringMatching(/^\+?37061234567$/),
      }),
      expect.objectContaining({ mobile: false, number_type: 'landline' }),
    ])
  },
}

/** The list among the members of a result that is "list + paging". */
function listIn(result: Structured): Structured[] {
  const list = Object.values(result).find((member) => Array.isArray(member))
  return (list ?? []) as Structured[]
}

async function someOperator(call: CallTool): Promise<number> {
  const rows = listIn(await call('get_mcc_mnc_list', { country: 'LT' }))
  const row = rows.find((candidate) => candidate.mcc === '246')
  return Number(row?.operator_id ?? row?.operatorId)
}

/**
 * Calls the named tools with real arguments and checks every answer: against the output schema that `tools/list`
 * gave, by an independent validator, and against what the arguments ask for.
 */
export async function callWithRealArguments(
  client: IndependentClient,
  names: readonly string[],
  round: Round,
  readPin: PinReader,
): Promise<void> {
  const validators = compile(await client.listTools())
  const called = new Set<string>()
  const call: CallTool = async (name, args) => {
    called.add(name)
    return structured(name, await client.callTool(name, args), validators)
  }
  for (const name of inWorkingOrder(names)) await CALLS[name]?.(call, round, readPin)
  expect([...called].sort()).toEqual(expect.arrayContaining([...names].sort()))
}

/** Senders before the message that names one. */
function inWorkingOrder(names: readonly string[]): readonly string[] {
  const first = ['register_sender_id', 'register_msisdn_sender', 'confirm_msisdn_sender']
  return [...first, ...TOOL_NAMES.filter((name) => !first.includes(name))].filter((name) => names.includes(name))
}

function compile(tools: readonly ListedTool[]): Map<string, ValidateFunction> {
  const ajv = new Ajv2020({ strict: true, allErrors: true })
  formats.default(ajv)
  return new Map(
    tools.map((tool) => {
      if (tool.outputSchema === undefined) throw new Error(`${tool.name} has no output schema.`)
      return [tool.name, ajv.compile(tool.outputSchema)]
    }),
  )
}

function structured(name: string, outcome: CallOutcome, validators: Map<string, ValidateFunction>): Structured {
  const result = succeeded(name, outcome)
  const validate = validators.get(name)
  if (validate === undefined) throw new Error(`${name} is not listed.`)
  if (!validate(result.structuredContent)) {
    throw new Error(`${name} breaks its own output schema: ${JSON.stringify(validate.errors)}`)
  }
  expect(result.content.some(({ type, text }) => type === 'text' && text)).toBe(true)
  return result.structuredContent as Structured
}

/** The result of a call that must have succeeded; throws with what came instead. */
export function succeeded(name: string, outcome: CallOutcome): ToolResult {
  if (outcome.kind !== 'result') throw new Error(`${name} was refused: ${JSON.stringify(outcome)}`)
  if (outcome.result.isError) throw new Error(`${name} failed: ${JSON.stringify(outcome.result.content)}`)
  return outcome.result
}
