import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Registry } from '../src/protocol/methods.ts'
import { answerOf, eventsOf, failureOf, type WireResult } from './support/read.ts'
import { legacy, MODERN, modern, post, type Stack, startStack } from './support/stack.ts'

// A registry whose methods fail in every way a method can.
const circle: Record<string, unknown> = {}
circle.circle = circle
const fail = (): never => {
  throw Object.assign(new Error('a secret of the process'), { code: 'E_OWN' })
}
const REGISTRY: Registry = {
  info: { name: 'failing', version: '1' },
  instructions: '',
  capabilities: { tools: {} },
  cacheSeconds: 1,
  methods: {
    'fail/check': { params: fail, handle: () => ({}) },
    'fail/asking': { asksApi: fail, handle: () => ({}) },
    'fail/at-once': { handle: fail },
    'fail/later': { handle: async () => fail() },
    'fail/encoding': { handle: () => ({ circle }) },
    'tools/call': {
      handle(_params, exchange) {
        exchange.notify({ method: 'notifications/message', params: { level: 'info', data: 'begun' } })
        return fail()
      },
    },
  },
}
const FAILING = ['fail/check', 'fail/asking', 'fail/at-once', 'fail/later', 'fail/encoding']

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack({ registry: REGISTRY })
  token = stack.manualToken()
})
afterAll(() => stack.close())

describe('a method that fails as nobody foresaw', () => {
  it.each(FAILING)('is answered with -32603 under its id and in no words of the failure: %s', async (method) => {
    for (const request of [modern(method, {}, 'the-id'), legacy(method, {}, 'the-id')]) {
      const response = await post(stack.url, token, request)
      expect(response.status).toBe(500)
      expect(await answerOf(response)).toEqual({
        jsonrpc: '2.0',
        id: 'the-id',
        error: { code: -32603, message: 'Internal error' },
      })
    }
  })

  it('is told in the log with its request alone: it has no tool, and a token made by hand no client', async () => {
    const before = stack.logLines.length
    await post(stack.url, token, modern('fail/later'))
    const lines = stack.logLines.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toEqual([expect.objectContaining({ msg: 'request failed', requestId: expect.any(String) })])
    for (const member of ['tool', 'clientId', 'reason']) expect(lines[0]).not.toHaveProperty(member)
    expect(JSON.stringify(lines)).not.toContain('secret')
  })

  it('is a failure of the call where it is a tool, in a 200', async () => {
    const response = await post(stack.url, token, modern('tools/call', { name: 'x' }), { accept: 'application/json' })
    expect(response.status).toBe(200)
    expect(failureOf((await answerOf(response)).result)).toMatchObject({ code: 'INTERNAL' })
  })

  it('ends the stream it has opened', async () => {
    const events = await eventsOf(await post(stack.url, token, modern('tools/call', { name: 'x' })))
    expect(events.map(({ method }) => method)).toEqual(['notifications/message', undefined])
    expect(failureOf(events[1]?.result as WireResult)).toMatchObject({ code: 'INTERNAL' })
  })
})

describe('what is kept of requests that failed', () => {
  const ROUNDS = 60
  const PADDING = ' '.repeat(200_000)
  /** A twentieth of what the bodies alone would take. */
  const KEPT_MAX_BYTES = (ROUNDS * PADDING.length) / 20

  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  async function usedBytes(): Promise<number> {
    // Buffers are freed a turn after the objects that held them.
    for (let round = 0; round < 5; round++) {
      collect()
      await wait(20)
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  // A body of 200 kB whose weight is white space, so that it reaches the failure quickly.
  const padded = (message: unknown) => JSON.stringify(message).replace('{', `{${PADDING}`)
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const deepCapabilities = (depth: number) =>
    padded(
      modern('tools/list', { _meta: { 'io.modelcontextprotocol/clientCapabilities': { experimental: 'DEEP' } } }),
    ).replace('"DEEP"', nested(depth))

  it.each<[string, string, string]>([
    ['a handler', 'fail/at-once', padded(modern('fail/at-once'))],
    ['the encoding of a result', 'fail/encoding', padded(modern('fail/encoding'))],
    ['capabilities nested 7000 deep', 'tools/list', deepCapabilities(7000)],
    ['capabilities nested 20 000 deep', 'tools/list', deepCapabilities(20_000)],
  ])('is nothing, whatever failed: %s', async (_name, method, body) => {
    const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': method }
    const send = async () => {
      const response = await post(stack.url, token, body.slice(0, 262_144), headers)
      await response.text()
      return response.status
    }
    for (let round = 0; round < 10; round++) expect(await send()).toBeGreaterThanOrEqual(400)
    const before = await usedBytes()
    for (let round = 0; round < ROUNDS; round++) await send()
    expect((await usedBytes()) - before).toBeLessThan(KEPT_MAX_BYTES)
  })
})
