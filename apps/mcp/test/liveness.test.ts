import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answerOf, envelopeOf, resultOf } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'
import { errorAnswer } from './support/upstream.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
  stack.upstream.override = undefined
})

const call = (name: string, args: unknown) => ({ name, arguments: args })
const INIT = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }

const requests: [string, (url: string, token: string) => Promise<Response>][] = [
  ['tools/call', (url, token) => post(url, token, modern('tools/call', call('get_operator', { operatorId: 7 })))],
  ['tools/call with bad arguments', (url, token) => post(url, token, modern('tools/call', call('get_operator', {})))],
  [
    'tools/call with arguments that are no object',
    (url, token) => post(url, token, modern('tools/call', call('get_operator', 'x'))),
  ],
  ['tools/call of an unknown tool', (url, token) => post(url, token, modern('tools/call', call('nope', {})))],
  ['tools/call without a name', (url, token) => post(url, token, modern('tools/call', {}))],
  [
    'tools/call of the handshake era',
    (url, token) => post(url, token, legacy('tools/call', call('get_operator', { operatorId: 7 }))),
  ],
  ['tools/list', (url, token) => post(url, token, modern('tools/list'))],
  ['tools/list of the handshake era', (url, token) => post(url, token, legacy('tools/list'))],
  ['resources/list', (url, token) => post(url, token, modern('resources/list'))],
  ['resources/read', (url, token) => post(url, token, legacy('resources/read', { uri: 'vertexsms://account' }))],
  [
    'resources/read of an unknown resource',
    (url, token) => post(url, token, modern('resources/read', { uri: 'vertexsms://nothing' })),
  ],
  ['server/discover', (url, token) => post(url, token, modern('server/discover'))],
  ['initialize', (url, token) => post(url, token, legacy('initialize', INIT))],
  ['ping', (url, token) => post(url, token, legacy('ping'))],
  ['an unknown method', (url, token) => post(url, token, modern('nope/nope'))],
  ['a notification', (url, token) => post(url, token, { jsonrpc: '2.0', method: 'notifications/initialized' })],
  ['a posted answer', (url, token) => post(url, token, { jsonrpc: '2.0', id: 1, result: {} })],
  ['a batch', (url, token) => post(url, token, [legacy('ping')])],
  [
    'an unsupported revision',
    (url, token) => post(url, token, legacy('ping'), { 'mcp-protocol-version': '1999-01-01' }),
  ],
  ['headers that disagree', (url, token) => post(url, token, modern('tools/list'), { 'mcp-method': 'ping' })],
  ['broken JSON', (url, token) => post(url, token, '{')],
  ['a body that is too large', (url, token) => post(url, token, 'x'.repeat(300_000))],
  ['what is no media type', (url, token) => post(url, token, 'x', { 'content-type': 'nothing' })],
  ['another media type', (url, token) => post(url, token, 'x', { 'content-type': 'text/plain' })],
  ['GET', (url, token) => fetch(url, { headers: { authorization: `Bearer ${token}` } })],
  ['DELETE', (url, token) => fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })],
]

describe.each(requests)('%s', (_name, send) => {
  it('gets 401 with the envelope and the challenge as soon as the token is deleted', async () => {
    const token = await stack.accessToken()
    expect([401, 403, 503]).not.toContain((await send(stack.url, token)).status)
    expect(stack.upstream.seen).toHaveLength(1)
    stack.upstream.tokens.delete(token)
    const response = await send(stack.url, token)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(await envelopeOf(response)).toMatchObject({
      code: 'AUTH_INVALID',
      retryable: false,
      token_url: expect.any(String),
    })
  })

  it('gets 503 at once while the API is down, never 401, and works again by itself', async () => {
    const token = await stack.accessToken()
    await send(stack.url, token)
    await stack.upstream.stop()
    const tookMs: number[] = []
    for (let round = 0; round < 5; round++) {
      const started = performance.now()
      const response = await send(stack.url, token)
      tookMs.push(performance.now() - started)
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(response.headers.get('www-authenticate')).toBeNull()
      expect(await envelopeOf(response)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    }
    // Of a busy machine one is slow, and not all.
    expect(Math.min(...tookMs)).toBeLessThan(1000)
    await stack.upstream.start()
    await expect.poll(async () => (await send(stack.url, token)).status).not.toBe(503)
  })
})

describe('one API call per request', () => {
  const tools: [string, unknown, string][] = [
    ['send_sms', { to: '+37069555555', from: 'Shop', message: 'hi' }, 'POST /sms/batch'],
    ['register_sender_id', { name: 'Shop', category: 'Brand', categoryDescription: 'A shop' }, 'POST /senderId'],
    ['register_msisdn_sender', { msisdn: '+37069555555' }, 'POST /senderId'],
    ['confirm_msisdn_sender', { senderId: 123, code: '12345' }, 'POST /senderId/confirm/123'],
    ['get_operator', { operatorId: 7 }, 'GET /operators/7'],
    ['get_mcc_mnc_list', { country: 'LT' }, 'GET /mccmnc/LT?Page=1'],
    ['get_mobile_prefixes', { country: 'LT', page: 2 }, 'GET /prefixes/LT?Page=2'],
    ['correct_phone_number', { numbers: [{ number: '86', country: 'LT' }] }, 'POST /numbers/correct'],
  ]
  it.each(tools)('%s makes its route call and no other', async (name, args, route) => {
    const response = await post(stack.url, await stack.accessToken(), modern('tools/call', call(name, args)))
    expect((await resultOf(response)).isError).toBeUndefined()
    expect(stack.upstream.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([route])
  })

  it('a preflight asks nobody', async () => {
    const response = await fetch(stack.url, { method: 'OPTIONS', headers: { origin: 'http://localhost:6274' } })
    expect([response.status, stack.upstream.seen]).toEqual([204, []])
  })
})

describe('a token that lacks a permission', () => {
  const SEND = modern('tools/call', call('send_sms', { to: '+37069555555', from: 'Shop', message: 'hi' }))

  it('from OAuth gets 403 with granted and needed scopes, and is told what to do (2026-07-28, step-up)', async () => {
    const token = await stack.accessToken({ payload: { scope: 'numbers:read sms:rates' } })
    stack.upstream.tokens.set(token, { account: 'account-1', permissions: ['GET /rates'] })
    const response = await post(stack.url, token, SEND)
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", scope="sms:send sms:rates numbers:read", resource_metadata="http://localhost:4001/.well-known/oauth-protected-resource/mcp", error_description="The permission \'Send SMS on your behalf\' was not granted. Reconnect VertexSMS and tick it."',
    )
    expect(await envelopeOf(response)).toMatchObject({
      code: 'AUTH_INVALID',
      message: expect.stringContaining('reconnect VertexSMS'),
    })
  })

  it('from OAuth gets the same 403 in the handshake era', async () => {
    const token = await stack.accessToken({ payload: { scope: 'sms:rates' } })
    stack.upstream.tokens.set(token, { account: 'account-1', permissions: ['GET /rates'] })
    const response = await post(stack.url, token, legacy(SEND.method, call('get_operator', { operatorId: 7 })))
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toContain('scope="sms:rates numbers:read"')
  })

  it('made by hand gets 403 without a challenge, which would open a useless login', async () => {
    const response = await post(stack.url, stack.manualToken('account-1', ['GET /rates']), SEND)
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([403, null])
    expect((await envelopeOf(response)).message).toContain('Settings -> API')
  })

  it('is still listed every tool, and every other refusal of the API stays a result', async () => {
    const token = stack.manualToken('account-1', ['POST /sms'])
    expect((await answerOf(await post(stack.url, token, modern('tools/list')))).result.tools).toHaveLength(10)
    stack.upstream.override = () => errorAnswer('SEND_REFUSED', 24)
    expect((await post(stack.url, token, SEND)).status).toBe(200)
  })
})

describe('readiness', () => {
  it('tells the truth about the API', async () => {
    const ready = stack.url.replace('/mcp', '/readyz')
    expect((await fetch(ready)).status).toBe(200)
    await stack.upstream.stop()
    expect((await fetch(ready)).status).toBe(503)
    expect((await fetch(stack.url.replace('/mcp', '/healthz'))).status).toBe(200)
    await stack.upstream.start()
  })
})

describe('an answer to the question about the token that does not describe it', () => {
  it.each(['<html>Maintenance</html>', '', 'null', '[]', '{}', '{"account":7}'])(
    'says nothing for the token, and the request gets 503: %s',
    async (body) => {
      for (const token of [stack.manualToken(), await stack.accessToken()]) {
        stack.upstream.override = ({ path }) => (path === '/token' ? { status: 200, body } : undefined)
        const response = await post(stack.url, token, modern('tools/list'))
        expect([response.status, (await envelopeOf(response)).code]).toEqual([503, 'UPSTREAM_UNAVAILABLE'])
        stack.upstream.override = undefined
        expect((await post(stack.url, token, modern('tools/list'))).status).toBe(200)
      }
    },
  )
})
