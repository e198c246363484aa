import { inputRequired } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Registry } from '../src/protocol/methods.ts'
import { answerOf } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'

const requestedSchema = { type: 'object' as const, properties: { ok: { type: 'boolean' as const } } }
const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Hi' } }]
const tool = { name: 'look', inputSchema: { type: 'object' as const } }
const method = 'elicitation/create' as const
// A form of before there were others says no mode.
const form = { method, params: { message: 'May I?', requestedSchema } }
const QUESTIONS = {
  form,
  'form by its name': { method, params: { mode: 'form' as const, message: 'May I?', requestedSchema } },
  page: inputRequired.elicitUrl({ message: 'Look', url: 'https://tool.example/a' }),
  sample: inputRequired.createMessage({ messages, maxTokens: 5 }),
  'sample with tools': inputRequired.createMessage({ messages, maxTokens: 5, tools: [tool] }),
  'sample with a choice of tools': inputRequired.createMessage({
    messages,
    maxTokens: 5,
    toolChoice: { mode: 'none' },
  }),
  roots: inputRequired.listRoots(),
}
type Question = keyof typeof QUESTIONS

const counted = { count: 0 }

// A registry whose one method asks what it is told to ask.
const REGISTRY: Registry = {
  info: { name: 'asking', version: '1' },
  instructions: '',
  capabilities: { tools: {} },
  cacheSeconds: 1,
  methods: {
    'tools/call': { handle: ({ name }) => inputRequired({ inputRequests: { it: QUESTIONS[name as Question] } }) },
    'tools/list': { handle: () => inputRequired({ inputRequests: { form, roots: QUESTIONS.roots } }) },
    'resources/read': { handle: () => inputRequired({ requestState: 'later' }) },
    answered: { handle: (_params, exchange) => ({ heard: exchange.inputResponses ?? null, _meta: { own: 1 } }) },
    counted: {
      handle: () => {
        counted.count += 1
        return counted
      },
    },
  },
}

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack({ registry: REGISTRY })
  token = stack.manualToken()
})
afterAll(() => stack.close())

const declaring = (capabilities: unknown) => ({ _meta: { 'io.modelcontextprotocol/clientCapabilities': capabilities } })
const ask = (name: Question, capabilities: unknown) =>
  post(stack.url, token, modern('tools/call', { name, ...declaring(capabilities) }))

describe('a question to the person of a client (2026-07-28, MRTR)', () => {
  it.each<[Question, object]>([
    ['form', { elicitation: {} }],
    ['form', { elicitation: { form: {} } }],
    ['form', { elicitation: { form: {}, url: {} } }],
    ['form by its name', { elicitation: {} }],
    ['page', { elicitation: { url: {} } }],
    ['page', { elicitation: { form: {}, url: {} } }],
    ['sample', { sampling: {} }],
    ['sample', { sampling: { tools: {} } }],
    ['sample with tools', { sampling: { tools: {} } }],
    ['sample with a choice of tools', { sampling: { tools: {} } }],
    ['roots', { roots: {} }],
  ])('of the kind %s is put where %j is declared, and the result may not be kept', async (name, capabilities) => {
    const response = await ask(name, capabilities)
    const { result } = await answerOf(response)
    expect([response.status, result?.resultType]).toEqual([200, 'input_required'])
    expect(result.inputRequests).toEqual({ it: QUESTIONS[name] })
    expect(result).not.toHaveProperty('ttlMs')
  })

  it.each<[Question, object, object]>([
    ['form', {}, { elicitation: { form: {} } }],
    ['form', { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    ['form by its name', { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    ['page', {}, { elicitation: { url: {} } }],
    ['page', { elicitation: {} }, { elicitation: { url: {} } }],
    ['page', { elicitation: { form: {} } }, { elicitation: { url: {} } }],
    ['sample', {}, { sampling: {} }],
    ['sample with tools', {}, { sampling: { tools: {} } }],
    ['sample with tools', { sampling: {} }, { sampling: { tools: {} } }],
    ['sample with a choice of tools', { sampling: {} }, { sampling: { tools: {} } }],
    ['roots', { sampling: {} }, { roots: {} }],
  ])(
    'of the kind %s is not put where only %j is declared: 400 says what is missing',
    async (name, declared, missing) => {
      const response = await ask(name, declared)
      const { error } = await answerOf(response)
      expect([response.status, error?.code]).toEqual([400, -32021])
      expect(error?.data).toEqual({ requiredCapabilities: missing })
    },
  )

  it('is not put beside another that may not be', async () => {
    const list = (capabilities: unknown) => post(stack.url, token, modern('tools/list', declaring(capabilities)))
    expect((await list({ elicitation: {} })).status).toBe(400)
    const { result } = await answerOf(await list({ elicitation: {}, roots: {} }))
    expect(result.inputRequests).toEqual({ form, roots: QUESTIONS.roots })
    // A list that asks first is not the list that everybody may keep.
    expect(result).not.toHaveProperty('ttlMs')
  })

  it('is none where a method only asks to be called again, which every client can do', async () => {
    const { result } = await answerOf(await post(stack.url, token, modern('resources/read', { uri: 'a' })))
    expect(result).toMatchObject({ resultType: 'input_required', requestState: 'later' })
    expect(result).not.toHaveProperty('ttlMs')
  })

  it('is never put in the handshake era, which has none', async () => {
    const response = await post(stack.url, token, legacy('resources/read', { uri: 'a' }))
    const { error } = await answerOf(response)
    expect([response.status, error?.code]).toEqual([500, -32603])
  })
})

describe('what a person answered', () => {
  it.each([
    ['answers by their keys', { it: { action: 'accept' } }, { it: { action: 'accept' } }],
    ['a list', [1], null],
    ['a text', 'yes', null],
    ['nothing', undefined, null],
  ])('is heard as far as it is an object: %s', async (_name, inputResponses, heard) => {
    const { result } = await answerOf(await post(stack.url, token, modern('answered', { inputResponses })))
    expect(result.heard).toEqual(heard)
  })
})

describe('a result', () => {
  it('keeps what it says of itself beside what the server says of itself (2026-07-28, basic)', async () => {
    const { result } = await answerOf(await post(stack.url, token, modern('answered')))
    expect(result._meta).toEqual({ own: 1, 'io.modelcontextprotocol/serverInfo': { name: 'asking', version: '1' } })
  })

  it('is told as it is now, though an earlier one was the same object', async () => {
    for (const count of [1, 2]) {
      const { result } = await answerOf(await post(stack.url, token, modern('counted')))
      expect(result.count).toBe(count)
    }
  })
})
