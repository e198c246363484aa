import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { answerOf, failureOf, resultOf, type WireAnswer } from './support/read.ts'
import { legacy, MODERN, modern, post, type Stack, startStack } from './support/stack.ts'

const META = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } }
const TWO = ['+37069555551', '+37069555552']

let stack: Stack
let token: string
beforeAll(async () => {
  // Two messages cost 0.08 EUR, one costs 0.04.
  stack = await startStack({ env: { APPROVAL_ABOVE_EUR: '0.05' } })
  token = stack.manualToken()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
  stack.upstream.pricePerPart = 0.04
  stack.upstream.override = undefined
})
afterEach(() => {
  vi.useRealTimers()
})

interface Round {
  args?: Record<string, unknown>
  state?: unknown
  answer?: unknown
  as?: string
}
function send({ args = {}, state, answer, as = token }: Round = {}): Promise<Response> {
  return post(
    stack.url,
    as,
    modern('tools/call', {
      name: 'send_sms',
      arguments: { to: TWO, from: 'Shop', message: 'Hello', ...args },
      ...(state === undefined ? {} : { requestState: state }),
      ...(answer === undefined ? {} : { inputResponses: { approval: answer } }),
      _meta: META,
    }),
  )
}
const YES = { action: 'accept', content: { approve: true } }
const ask = async (round?: Round): Promise<string> => (await answerOf(await send(round))).result.requestState
const sent = () => stack.upstream.seen.filter(({ path }) => path === '/sms').length
const isQuestion = ({ result }: WireAnswer) => result?.resultType === 'input_required'

it('an expensive call is answered with a question that names text, sender, recipients and price (2026-07-28, MRTR)', async () => {
  const { result } = await answerOf(await send())
  expect(result).toMatchObject({
    resultType: 'input_required',
    requestState: expect.any(String),
    inputRequests: { approval: { method: 'elicitation/create' } },
  })
  expect(result.inputRequests.approval.params.message).toBe(
    'Send "Hello" from Shop to +37069555551, +37069555552? It costs up to 0.08 EUR and cannot be undone.',
  )
  expect(sent()).toBe(0)
})

it('the call goes out once the person has said yes, and only once', async () => {
  const state = await ask()
  expect((await resultOf(await send({ state, answer: YES }))).structuredContent).toMatchObject({ status: 'sent' })
  expect(sent()).toBe(2)
  expect((await answerOf(await send({ state, answer: YES }))).error?.code).toBe(-32602)
  expect(sent()).toBe(2)
})

it('fifty answers to one question at the same time send once', async () => {
  const state = await ask()
  await Promise.all(Array.from({ length: 50 }, () => send({ state, answer: YES })))
  expect(sent()).toBe(2)
})

it.each([
  ['no', { action: 'accept', content: { approve: false } }],
  ['decline', { action: 'decline' }],
  ['cancel', { action: 'cancel' }],
  ['something else', { action: 'accept', content: { approve: 'true' } }],
])('an answer of %s sends nothing, and cannot be turned into a yes', async (_name, answer) => {
  const state = await ask()
  expect(failureOf(await resultOf(await send({ state, answer })))).toMatchObject({ code: 'APPROVAL_REQUIRED' })
  expect((await answerOf(await send({ state, answer: YES }))).error?.code).toBe(-32602)
  expect(sent()).toBe(0)
})

it.each([
  ['the text', { message: 'Hello!' }],
  ['a recipient', { to: [TWO[0], '+37069555559'] }],
  ['the sender', { from: 'Other' }],
  ['an option', { priority: 'high' }],
])('a yes does not cover a call in which %s was changed', async (_name, args) => {
  const state = await ask()
  expect(isQuestion(await answerOf(await send({ state, answer: YES, args })))).toBe(true)
  expect(sent()).toBe(0)
})

it('a yes covers the same call at a lower price, and not at a higher one', async () => {
  const state = await ask()
  stack.upstream.pricePerPart = 0.041
  expect(isQuestion(await answerOf(await send({ state, answer: YES })))).toBe(true)
  stack.upstream.pricePerPart = 0.039
  expect((await resultOf(await send({ state, answer: YES }))).structuredContent).toMatchObject({ status: 'sent' })
})

it('a yes of one caller is worth nothing to another, not even of the same account', async () => {
  const state = await ask()
  for (const as of [stack.manualToken('account-2'), stack.manualToken()]) {
    expect((await answerOf(await send({ state, answer: YES, as }))).error?.code).toBe(-32602)
  }
  expect(sent()).toBe(0)
})

it('a state that was altered, cut or made up is refused with -32602', async () => {
  const state = await ask()
  const flipped = `${state.slice(0, 20)}${state[20] === 'A' ? 'B' : 'A'}${state.slice(21)}`
  for (const forged of [flipped, state.slice(0, -4), '', 'x', 'x'.repeat(5000), 7, { a: 1 }]) {
    expect((await answerOf(await send({ state: forged, answer: YES }))).error?.code).toBe(-32602)
  }
  expect(sent()).toBe(0)
})

it('a question is good for fifteen minutes', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const state = await ask()
  vi.setSystemTime(Date.now() + 900_000)
  expect(isQuestion(await answerOf(await send({ state, answer: YES })))).toBe(true)
  expect(sent()).toBe(0)
})

it('an answer without a question, or a question without an answer, asks', async () => {
  expect(isQuestion(await answerOf(await send({ answer: YES })))).toBe(true)
  const state = await ask()
  expect(isQuestion(await answerOf(await send({ state })))).toBe(true)
  expect((await resultOf(await send({ state, answer: YES }))).isError).toBeUndefined()
})

it('a call at or below the threshold is not asked about', async () => {
  expect((await resultOf(await send({ args: { to: TWO[0] } }))).structuredContent).toMatchObject({ status: 'sent' })
})

it('a client that cannot ask is told so, in both eras, and nothing is sent', async () => {
  const params = { name: 'send_sms', arguments: { to: TWO, from: 'Shop', message: 'Hello' } }
  const urlOnly = { _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } } }
  for (const body of [
    modern('tools/call', params),
    modern('tools/call', { ...params, ...urlOnly }),
    legacy('tools/call', { ...params, _meta: META }),
  ]) {
    expect(failureOf(await resultOf(await post(stack.url, token, body)))).toMatchObject({
      code: 'APPROVAL_REQUIRED',
      retryable: false,
    })
  }
  expect(sent()).toBe(0)
})

it('the price is asked for the very requests that are sent', async () => {
  const args = { to: ['61860698', '+37069555552', '8 618 60698'], correctBy: 'LT', coding: 2, expireIn: 3600 }
  const { result } = await answerOf(await send({ args }))
  expect(result.inputRequests.approval.params.message).toContain(
    'to +37061860698, +37069555552? It costs up to 0.08 EUR',
  )
  const priced = stack.upstream.seen.filter(({ path }) => path === '/sms/cost').map(({ body }) => body)
  await resultOf(await send({ args, state: result.requestState, answer: YES }))
  const handedOver = stack.upstream.seen.filter(({ path }) => path === '/sms').map(({ body }) => body)
  expect(priced).toEqual(handedOver)
  expect(priced).toMatchObject([
    { to: '37061860698', coding: 2, expireIn: 3600 },
    { to: '37069555552', coding: 2, expireIn: 3600 },
  ])
})

it('the price of a list is the sum of all its prices, in whatever order they come', async () => {
  const to = Array.from({ length: 25 }, (_, index) => `+370695555${String(10 + index)}`)
  stack.upstream.override = async ({ path, body }) => {
    if (path !== '/sms/cost') return undefined
    // The later ones of a round answer first.
    const turns = 20 - (Number((body as { to: string }).to.slice(-2)) % 8) * 2
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    return undefined
  }
  const { result } = await answerOf(await send({ args: { to } }))
  expect(result.inputRequests.approval.params.message).toContain('and 22 more? It costs up to 1.00 EUR')
})

it.each([
  ['of another number', { to: '37069555559' }],
  ['in another currency', { currency: 'USD' }],
  ['below nothing', { totalPrice: -1, pricePerPart: -1 }],
])('a price %s is none, and nothing is asked or sent', async (_name, changes) => {
  const cost = { parts: 1, countryISO: 'LT', mccmnc: '24602', pricePerPart: 0.04, totalPrice: 0.04, currency: 'EUR' }
  stack.upstream.override = ({ path }) =>
    path === '/sms/cost' ? { status: 200, body: [{ ...cost, ...changes }] } : undefined
  expect(failureOf(await resultOf(await send()))).toMatchObject({
    code: 'APPROVAL_REQUIRED',
    message: 'The price of this call cannot be had, so nobody can approve it. Nothing was done.',
  })
  expect(sent()).toBe(0)
})

it('a token that was deleted gets 401 before any question', async () => {
  expect((await send({ as: 'vsms_deleted' })).status).toBe(401)
})

it('the v2 client asks its person and goes on by itself', async () => {
  const client = new Client(
    { name: 'asks', version: '1' },
    { versionNegotiation: { mode: { pin: MODERN } }, capabilities: { elicitation: {} } },
  )
  const asked: string[] = []
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params.message)
    return { action: 'accept', content: { approve: true } }
  })
  const headers = { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(stack.url), { requestInit: { headers } }))
  const result = await client.callTool({ name: 'send_sms', arguments: { to: TWO, from: 'Shop', message: 'Hello' } })
  expect(result.structuredContent).toMatchObject({ status: 'sent' })
  expect(asked).toHaveLength(1)
  expect(sent()).toBe(2)
  await client.close()
})

it('nothing is asked, and no price is looked up, while no threshold is configured', async () => {
  const other = await startStack()
  const own = await other.acceptedToken()
  const body = modern('tools/call', {
    name: 'send_sms',
    arguments: { to: TWO, from: 'Shop', message: 'x' },
    _meta: META,
  })
  expect((await resultOf(await post(other.url, own, body))).structuredContent).toMatchObject({
    status: 'sent',
  })
  expect(other.upstream.seen.map(({ path }) => path)).toEqual(['/sms', '/sms'])
  await other.close()
})
