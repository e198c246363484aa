import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refusal } from '../src/caller/refusal.ts'
import type { Exchange } from '../src/protocol/exchange.ts'
import type { Registry } from '../src/protocol/methods.ts'
import { envelopeOf, eventsOf, failureOf, type WireResult } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'

// A registry whose one method is held by the test.
let begun: (exchange: Exchange) => void
let release: () => void
let held: Promise<void>
let refusal: Refusal | undefined
const REGISTRY: Registry = {
  info: { name: 'slow', version: '1' },
  instructions: '',
  capabilities: { tools: {} },
  cacheSeconds: 1,
  methods: {
    'tools/call': {
      async handle(_params, exchange) {
        begun(exchange)
        await held
        if (refusal !== undefined) throw refusal
        return { content: [] }
      },
    },
  },
}

let stack: Stack
let token: string
let started: Promise<Exchange>
beforeAll(async () => {
  stack = await startStack({ registry: REGISTRY })
  token = await stack.acceptedToken()
})
beforeEach(() => {
  refusal = undefined
  started = new Promise((resolve) => {
    begun = resolve
  })
  held = new Promise((resolve) => {
    release = resolve
  })
})
afterEach(() => {
  release()
  vi.useRealTimers()
})
afterAll(() => stack.close())

const asking = { name: 'x', _meta: { progressToken: 'p' } }
const ERAS = [
  ['modern', modern('tools/call', asking)],
  ['handshake', legacy('tools/call', asking)],
] as const

// fetch always says what it accepts, and keeps its connection.
function raw(body: object, accept: string | undefined): ClientRequest {
  const modernHeaders = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'x' }
  const request = httpRequest(stack.url, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(accept !== undefined && { accept }),
      ...(body === ERAS[0][1] && modernHeaders),
    },
  })
  return request.end(JSON.stringify(body))
}

describe('an event stream', () => {
  it('says that it is one and may be neither kept nor buffered, and carries the id of its request', async () => {
    const response = post(stack.url, token, ERAS[0][1], { 'x-request-id': '0b7a9f6e-9c0e-4a55-8a8e-0d4e1b2c3d4e' })
    const exchange = await started
    expect(exchange.streaming).toBe(false)
    exchange.progress(1, 2)
    expect(exchange.streaming).toBe(true)
    release()
    const { status, headers } = await response
    expect(status).toBe(200)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': '0b7a9f6e-9c0e-4a55-8a8e-0d4e1b2c3d4e',
    })
  })

  it('tells progress as JSON-RPC, with a message where there is one, and then the answer', async () => {
    const response = post(stack.url, token, ERAS[0][1])
    const exchange = await started
    exchange.progress(1, 2)
    exchange.progress(2, 2, 'Done')
    release()
    const [first, second, answer] = await eventsOf(await response)
    const progress = { progressToken: 'p', total: 2 }
    const method = 'notifications/progress'
    expect(first).toEqual({ jsonrpc: '2.0', method, params: { ...progress, progress: 1 } })
    expect(second).toEqual({ jsonrpc: '2.0', method, params: { ...progress, progress: 2, message: 'Done' } })
    expect(answer).toMatchObject({ id: 1, result: { content: [] } })
  })

  it('tells only progress that is further than before (2025-11-25, progress)', async () => {
    const response = post(stack.url, token, ERAS[0][1])
    const exchange = await started
    for (const done of [1, 1, 0, 2, 2]) exchange.progress(done, 2)
    release()
    const told = (await eventsOf(await response)).slice(0, -1)
    expect(told.map(({ params }) => (params as { progress: number }).progress)).toEqual([1, 2])
  })

  it.each([
    ['asked to be told nothing', legacy('tools/call', { name: 'x' }), '*/*'],
    ['takes JSON alone', ERAS[1][1], 'application/json'],
    ['takes no event stream', ERAS[1][1], 'application/json, text/event-stream;q=0'],
    ['takes none in the one encoding it has', ERAS[1][1], 'application/json, text/event-stream; charset=utf-16'],
    ['takes nothing but JSON', ERAS[1][1], 'application/json, */*; q=0.000'],
  ])('is not opened for a client that %s (RFC 9110 §12.4.2)', async (_name, body, accept) => {
    const answered = post(stack.url, token, body, { accept })
    ;(await started).progress(1, 2)
    release()
    expect((await answered).headers.get('content-type')).toMatch(/^application\/json/)
  })

  it('can be read by a page that may call', async () => {
    const origin = 'http://localhost:6274'
    const answered = post(stack.url, token, ERAS[0][1], { origin })
    ;(await started).progress(1, 2)
    release()
    expect((await answered).headers.get('access-control-allow-origin')).toBe(origin)
  })

  it.each([
    undefined,
    '*/*',
    'text/*;q=0.1',
    'text/event-stream',
    'application/json, Text/Event-Stream',
    'application/json, text/event-stream; charset=UTF-8',
  ])('is opened for a client that accepts %s (RFC 9110 §8.3.1)', async (accept) => {
    const answered = once(raw(ERAS[1][1], accept), 'response')
    ;(await started).progress(1, 2)
    release()
    const [response] = (await answered) as [IncomingMessage]
    response.resume()
    expect(response.headers['content-type']).toBe('text/event-stream')
  })

  it.each([true, false])(
    'ends with a failure where its request is refused after it was opened: %s',
    async (isOpened) => {
      refusal = new Refusal('RATE_LIMITED', { retryAfterSeconds: 7 })
      const answered = post(stack.url, token, ERAS[0][1])
      const exchange = await started
      if (isOpened) exchange.progress(1, 2)
      release()
      const response = await answered
      expect(response.status).toBe(isOpened ? 200 : 429)
      if (!isOpened) {
        expect([response.headers.get('retry-after'), response.headers.get('cache-control')]).toEqual(['7', 'no-store'])
        return expect((await envelopeOf(response)).code).toBe('RATE_LIMITED')
      }
      const events = await eventsOf(response)
      expect(events).toHaveLength(2)
      expect(failureOf(events[1]?.result as WireResult).code).toBe('RATE_LIMITED')
    },
  )

  it('is kept open by a comment every fifteen seconds until its answer, after which no clock runs for it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const response = post(stack.url, token, ERAS[0][1])
    const clocks = vi.getTimerCount()
    ;(await started).progress(1, 2)
    expect(vi.getTimerCount()).toBe(clocks + 1)
    vi.advanceTimersByTime(15_000)
    vi.advanceTimersByTime(15_000)
    release()
    const text = await (await response).text()
    expect(text.match(/^: keep-alive$/gm)).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(clocks)
  })
})

describe('a client that goes away before its answer', () => {
  async function leave(body: object, doing: (exchange: Exchange) => void): Promise<Exchange> {
    const socketClosed = new Promise<void>((resolve) => {
      stack.app.server.once('connection', (socket) => void once(socket, 'close').then(() => resolve()))
    })
    const request = raw(body, 'application/json, text/event-stream')
    request.on('error', () => {})
    const exchange = await started
    doing(exchange)
    request.destroy()
    await socketClosed
    return exchange
  }

  it.each([
    ['modern', ERAS[0][1], true],
    ['handshake', ERAS[1][1], false],
  ] as const)('cancels its request in the %s era or not, as that says', async (_era, body, isCancelled) => {
    const exchange = await leave(body, ({ signal }) => expect(signal.aborted).toBe(false))
    expect(exchange.signal.aborted).toBe(isCancelled)
  })

  it('cancels nothing once it has its answer', async () => {
    const socketClosed = new Promise<void>((resolve) => {
      stack.app.server.once('connection', (socket) => void once(socket, 'close').then(() => resolve()))
    })
    const answered = once(raw(ERAS[0][1], '*/*'), 'response')
    const exchange = await started
    release()
    const [response] = (await answered) as [IncomingMessage]
    response.resume()
    await once(response, 'close')
    response.socket.destroy()
    await socketClosed
    expect(exchange.signal.aborted).toBe(false)
  })

  it('has cancelled it for a handler that looks only afterwards', async () => {
    const exchange = await leave(ERAS[0][1], () => {})
    expect(exchange.signal.aborted).toBe(true)
  })

  it('is told nothing more, and no clock runs for its stream', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const clocks = vi.getTimerCount()
    const exchange = await leave(ERAS[0][1], (one) => one.progress(1, 3))
    exchange.progress(2, 3)
    expect(vi.getTimerCount()).toBe(clocks)
    const before = stack.logLines.length
    release()
    await post(stack.url, token, modern('ping'))
    expect(stack.logLines.slice(before)).toEqual([])
  })

  it('gets no stream opened for it afterwards', async () => {
    const exchange = await leave(ERAS[1][1], () => {})
    exchange.progress(1, 2)
    expect(exchange.streaming).toBe(false)
  })
})
