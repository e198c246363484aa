import { once } from 'node:events'
import { connect } from 'node:net'
import { JSON_DEPTH_MAX } from '@vertexsms/service/json'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTools } from '../src/tools/index.ts'
import { answerOf, envelopeOf, failureOf, resultOf } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack()
  token = await stack.acceptedToken()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
})

const call = (name: string, args: unknown) => modern('tools/call', { name, arguments: args })
const SEND = { to: '+37069555555', from: 'Shop', message: 'Hi' }
const paths = () => stack.upstream.seen.map(({ path }) => path)

describe('a token that nobody vouches for', () => {
  const body = call('send_sms', { ...SEND, scheduled: 'x' })

  it('is asked about before anything that came with it is looked at', async () => {
    const unknown = `vsms_${'u'.repeat(43)}`
    for (const sent of [body, '{', `[${'['.repeat(200_000)}`, call('nope', {})]) {
      const response = await post(stack.url, unknown, sent, { 'mcp-protocol-version': undefined })
      expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_INVALID'])
    }
    expect(paths()).toEqual(Array(4).fill('/token'))
  })

  it.each([
    ['no credentials', undefined],
    ['what cannot be a token', 'x'],
    ['an access token that does not verify', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA'],
    ['an unknown token', `vsms_${'v'.repeat(43)}`],
  ])('hears so before a byte of its body has come: %s', async (_what, value) => {
    expect(await answerToHead('POST /mcp', value)).toMatch(/^HTTP\/1\.1 401 /)
  })

  it('is asked about once, and then its tools make their own call alone', async () => {
    const own = stack.manualToken()
    const operator = call('get_operator', { operatorId: 7 })
    for (const _ of [1, 2]) expect((await resultOf(await post(stack.url, own, operator))).isError).toBeUndefined()
    expect(paths()).toEqual(['/token', '/operators/7', '/operators/7'])
  })

  it.each([
    ['a word', 'x'],
    ['a token that goes on', `vsms_${'u'.repeat(65)}`],
    ['a header that is all token', 'a'.repeat(15_000)],
    ['a JWT longer than any of ours', `${'a'.repeat(4096)}.b.c`],
    ['four parts', 'a.b.c.d'],
  ])('is not even asked about where it cannot be one of ours: %s', async (_what, value) => {
    const response = await post(stack.url, value, body)
    expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_INVALID'])
    expect(paths()).toEqual([])
  })
})

describe('a stranger', () => {
  it.each([
    ['OPTIONS /mcp', 204],
    ['OPTIONS /.well-known/oauth-protected-resource/mcp', 204],
    ['POST /.well-known/oauth-protected-resource/mcp', 405],
    ['POST /register', 307],
    ['POST /other', 404],
    ['PUT /mcp/other', 404],
  ])('hears before a byte of its body has come what %s is answered with', async (line, status) => {
    for (const type of ['application/json', 'text/plain']) {
      expect(await answerToHead(line, undefined, type)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    }
  })
})

// Each repeated to the size of a body: white space of every kind, marks, digits, separators, letters of our patterns.
const PUMPS = [
  ...[' ', '\t', '\n', '\u00a0', '\u3000', '\u0301', '\u0f71\u0f74', '\ufdfa', '0', '9', '٣', '１', 'A', 'z', '😀'],
  ...['-', '‑', '.', '(0)', '+', '%', '/', ',', ':', 'https://a', '2026-12-24 '],
]

describe('text that is pumped up', () => {
  it('costs the server nothing, in whichever argument it comes and whatever stands around it', async () => {
    // The server is in this process, and neighbours make only the clock go on.
    const before = process.cpuUsage()
    const tried = new Set<string>()
    for (const { name, listing } of createTools()) {
      for (const field of Object.keys(listing.inputSchema.properties ?? {})) {
        if (tried.has(field)) continue
        tried.add(field)
        for (const pump of PUMPS) {
          const text = pump.repeat(Math.floor(20_000 / pump.length))
          const args = { [field]: field === 'numbers' ? [{ number: text, country: text }] : text }
          await (await post(stack.url, token, legacy('tools/call', { name, arguments: args }))).text()
        }
      }
    }
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(30_000)
    // One such text took seconds, and the whole server with it.
    for (const pumped of [
      { scheduled: `2026-12-24${' '.repeat(200_000)}09:00` },
      { to: `+370${'\u0301\u0323'.repeat(60_000)}` },
    ]) {
      const tookMs: number[] = []
      for (let round = 0; round < 3; round++) {
        const from = performance.now()
        const answer = await post(stack.url, token, call('send_sms', { ...SEND, ...pumped }))
        expect(failureOf(await resultOf(answer)).code).toBe('INVALID_INPUT')
        tookMs.push(performance.now() - from)
      }
      expect(Math.min(...tookMs)).toBeLessThan(1_000)
    }
  }, 60_000)

  it('is told its limit, and a text at the limit passes', async () => {
    const fail = async (args: object) => failureOf(await resultOf(await post(stack.url, token, call('send_sms', args))))
    expect((await fail({ ...SEND, to: '+'.repeat(65) })).message).toMatch(/`to`: must have at most 64 characters/)
    expect((await fail({ ...SEND, message: 'x'.repeat(5001) })).message).toMatch(/`message`: must have 1 to 5000/)
    expect((await fail({ ...SEND, scheduled: '2'.repeat(65) })).message).toMatch(/`scheduled`: must have at most 64/)
    const spaced = '+3 7 0 - 6 9 5 - 5 5 5 - 5 5  '.padStart(64)
    const longest = { ...SEND, to: spaced, message: 'x'.repeat(5000) }
    expect((await resultOf(await post(stack.url, token, call('send_sms', longest)))).isError).toBeUndefined()
  })
})

describe('a body that is nested', () => {
  const deep = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as object
  const withCapabilities = (levels: number) =>
    modern('tools/list', { _meta: { 'io.modelcontextprotocol/clientCapabilities': { experimental: deep(levels) } } })

  it('beyond the limit is refused, wherever the depth is', async () => {
    const deepText = (text: string) => text.replace('"DEEP"', `${'['.repeat(7_000)}${']'.repeat(7_000)}`)
    for (const body of [
      modern('tools/call', { name: 'get_operator', arguments: { operatorId: 'DEEP' } }),
      modern('tools/list', { _meta: { 'io.modelcontextprotocol/clientCapabilities': { experimental: 'DEEP' } } }),
      legacy('initialize', { protocolVersion: '2025-11-25', capabilities: 'DEEP', clientInfo: {} }),
      { jsonrpc: '2.0', method: 'notifications/x', params: { a: 'DEEP' } },
      ['DEEP'],
    ]) {
      const response = await post(stack.url, token, deepText(JSON.stringify(body)))
      expect(response.status).toBe(400)
      expect((await answerOf(response)).error).toEqual({ code: -32600, message: expect.stringContaining('nested') })
    }
  })

  it('or has too many values is refused, and one within the limits is served', async () => {
    const many = await post(stack.url, token, legacy('ping', { a: Array(6_000).fill(0) }))
    expect([many.status, (await answerOf(many)).error?.code]).toEqual([400, -32600])
    expect((await post(stack.url, token, withCapabilities(JSON_DEPTH_MAX - 5))).status).toBe(200)
    expect((await post(stack.url, token, legacy('ping', { a: Array(4_000).fill(0) }))).status).toBe(200)
  })
})

describe('a body that names a member twice', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'send_sms' }

  it.each([
    ['an argument', '"to":', '"to":"+37060000000","to":'],
    ['an argument, once in escapes', '"to":', '"\\u0074o":"+37060000000","to":'],
    ['the name of the tool', '"name":"send_sms"', '"name":"get_operator","name":"send_sms"'],
    ['the id', '"id":1', '"id":2,"id":1'],
  ])(
    'is refused, so that nobody is shown another message than the one that is sent: %s',
    async (_what, once, twice) => {
      const sent = JSON.stringify(call('send_sms', SEND))
      expect(sent).toContain(once)
      const response = await post(stack.url, token, sent.replace(once, twice), headers)
      expect([response.status, (await answerOf(response)).error]).toEqual([
        400,
        { code: -32600, message: expect.stringContaining('twice') },
      ])
      expect(paths()).toEqual(['/token'])
    },
  )

  it('is told from one whose objects have members of the same names', async () => {
    const list = { numbers: [1, 2].map((last) => ({ number: `+3706955555${last}`, country: 'LT' })) }
    expect((await resultOf(await post(stack.url, token, call('correct_phone_number', list)))).isError).toBeUndefined()
  })
})

describe('text that is no text', () => {
  const BAD = ['a\0b', '\ud800', 'a\udc00b']

  it('in an argument is a failure of the call that names the argument', async () => {
    for (const bad of BAD) {
      for (const field of ['to', 'from', 'message', 'scheduled', 'correctBy', 'priority', 'coding']) {
        const failure = failureOf(
          await resultOf(await post(stack.url, token, call('send_sms', { ...SEND, [field]: bad }))),
        )
        expect(failure).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(`\`${field}\``) })
      }
      const list = call('correct_phone_number', { numbers: [{ number: bad, country: 'LT' }] })
      expect(failureOf(await resultOf(await post(stack.url, token, list))).message).toContain('numbers[0].number')
      const unknown = failureOf(await resultOf(await post(stack.url, token, call('get_operator', { [bad]: 1 }))))
      expect(unknown.code).toBe('INVALID_INPUT')
    }
    expect(paths().filter((path) => path !== '/token')).toEqual([])
  })

  it('anywhere else is -32602', async () => {
    for (const bad of BAD) {
      for (const body of [
        modern('tools/list', { cursor: bad }),
        legacy('ping', { _meta: { progressToken: bad } }),
        legacy('initialize', { protocolVersion: bad, capabilities: {}, clientInfo: { name: 'c', version: '1' } }),
        legacy('ping', { [bad]: 1 }),
        legacy(bad),
        legacy('ping', {}, bad),
      ]) {
        const response = await post(stack.url, token, body, { 'mcp-protocol-version': undefined })
        expect([response.status, (await answerOf(response)).error?.code]).toEqual([400, -32602])
      }
    }
  })

  it('is told from text of every language, whole pairs and spelled-out escapes, which pass', async () => {
    const answer = await post(stack.url, token, call('send_sms', { ...SEND, message: 'ąčę 😀 \\u0000 e\u0301' }))
    expect((await resultOf(answer)).isError).toBeUndefined()
    expect(stack.upstream.seen[0]?.body).toMatchObject({ message: 'ąčę 😀 \\u0000 e\u0301' })
  })
})

// What comes back for the head of a request whose body does not come.
async function answerToHead(line: string, credential?: string, type = 'application/json'): Promise<string> {
  const { hostname, port } = new URL(stack.url)
  const credentials = credential === undefined ? [] : [`authorization: Bearer ${credential}`]
  const head = [`${line} HTTP/1.1`, `host: ${hostname}`, ...credentials, `content-type: ${type}`]
  const socket = connect(Number(port), hostname)
  // Its body is cut short: the end may be a reset, after the answer.
  socket.on('error', () => {})
  try {
    socket.write(`${[...head, 'content-length: 200000'].join('\r\n')}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString()
  } finally {
    socket.destroy()
  }
}
