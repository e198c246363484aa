import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answerOf, envelopeOf, type WireAnswer } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'
import { ALL_PERMISSIONS, errorAnswer } from './support/upstream.ts'

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack({ env: { RATE_LIMITS: 'on', CALLS_PER_MINUTE: '60' } })
})
afterAll(() => stack.close())
beforeEach(() => {
  token = stack.manualToken()
  stack.upstream.seen.length = 0
  stack.upstream.override = undefined
})

const call = (name: string, args: unknown, id: string | number) => legacy('tools/call', { name, arguments: args }, id)
const operator = (id: string | number) => call('get_operator', { operatorId: 7 }, id)
const sms = (id: string | number) => call('send_sms', { to: '+37069555555', from: 'Shop', message: 'Hi' }, id)
const NOTE = { jsonrpc: '2.0', method: 'notifications/initialized' }
const send = (batch: unknown[], headers?: Record<string, string>, as = token) => post(stack.url, as, batch, headers)
const answersOf = async (batch: unknown[]) => {
  const response = await send(batch)
  expect(response.status).toBe(200)
  const answers = (await response.json()) as WireAnswer[]
  return new Map(answers.map((answer) => [answer.id, answer]))
}
const paths = () => stack.upstream.seen.map(({ method, path }) => `${method} ${path}`)

describe('a batch (2025-03-26, basic)', () => {
  it('is answered in one array: results, errors and failures by their ids, nothing for notifications', async () => {
    const answers = await answersOf([
      legacy('ping', {}, 1),
      NOTE,
      operator('two'),
      legacy('nope/nope', {}, 3),
      call('get_operator', {}, 4),
      { jsonrpc: '2.0', id: 5, result: {} },
    ])
    expect([...answers.keys()]).toEqual([1, 'two', 3, 4])
    expect(answers.get(1)?.result).toEqual({})
    expect(answers.get('two')?.result.structuredContent).toMatchObject({ operator_id: 7 })
    expect(answers.get(3)?.error?.code).toBe(-32601)
    expect(answers.get(4)?.result.isError).toBe(true)
  })

  it('may name its revision in the header, and no other', async () => {
    expect((await send([legacy('ping')], { 'mcp-protocol-version': '2025-03-26' })).status).toBe(200)
    for (const version of ['2025-11-25', '2025-06-18', '2024-11-05']) {
      const response = await send([legacy('ping')], { 'mcp-protocol-version': version })
      expect(response.status).toBe(400)
      const message = 'Bad Request: send one message per request'
      expect((await answerOf(response)).error).toEqual({ code: -32600, message })
    }
  })

  it('without a request in it is accepted with 202', async () => {
    const response = await send([NOTE, { jsonrpc: '2.0', id: 1, result: {} }])
    expect([response.status, await response.text()]).toEqual([202, ''])
  })

  it('of twenty messages is answered, of twenty-one refused', async () => {
    const pings = (count: number) => Array.from({ length: count }, (_, id) => legacy('ping', {}, id))
    expect((await send(pings(20))).status).toBe(200)
    expect((await send(pings(21))).status).toBe(400)
  })

  it.each([
    ['nothing', []],
    ['something that is no message', [legacy('ping'), 7]],
    ['a batch', [[legacy('ping')]]],
    ['a request of the modern revision', [legacy('ping'), modern('tools/list')]],
  ])('that holds %s is refused whole with 400', async (_name, batch) => {
    const response = await send(batch)
    expect([response.status, ((await response.json()) as WireAnswer).error?.code]).toEqual([400, -32600])
    expect(paths()).toEqual(['GET /token'])
  })

  it('holds no handshake (2025-03-26, lifecycle)', async () => {
    const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
    const answers = await answersOf([legacy('initialize', params, 1), legacy('ping', {}, 2)])
    expect(answers.get(1)?.error?.code).toBe(-32600)
    expect(answers.get(2)?.result).toEqual({})
  })

  it('counts each of its requests against the limit of the connection', async () => {
    for (let round = 0; round < 3; round++) {
      expect((await send(Array.from({ length: 20 }, (_, id) => legacy('ping', {}, id)))).status).toBe(200)
    }
    expect((await send([legacy('ping')])).status).toBe(429)
  })
})

describe('one HTTP status for all of a batch', () => {
  it('is 401 for a token that is gone, before anything is done', async () => {
    const gone = await stack.acceptedToken()
    stack.upstream.tokens.delete(gone)
    const response = await send([operator(1), sms(2)], {}, gone)
    expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_INVALID'])
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(paths()).toEqual(['GET /token'])
  })

  it('is 401 when the token is deleted while it is under way, and what acts is then not begun', async () => {
    stack.upstream.override = ({ path }) => {
      if (path.startsWith('/operators/')) stack.upstream.tokens.delete(token)
      return undefined
    }
    const response = await send([sms(1), operator(2), legacy('ping', {}, 3)])
    expect(response.status).toBe(401)
    expect(paths()).toEqual(['GET /token', 'GET /operators/7'])
  })

  it('is 403 when one call lacks its permission, and what acts is then not begun', async () => {
    const reading = ALL_PERMISSIONS.filter((permission) => !permission.includes('/operators'))
    const response = await send([sms(1), operator(2)], {}, stack.manualToken('account-1', reading))
    expect(response.status).toBe(403)
    expect(paths()).toEqual(['GET /token', 'GET /operators/7'])
  })

  it('stays 200 when a call fails otherwise, which is told in its own answer', async () => {
    stack.upstream.override = ({ path }) => (path.startsWith('/operators/') ? errorAnswer('UNAVAILABLE') : undefined)
    const answers = await answersOf([operator(1), legacy('ping', {}, 2)])
    expect(answers.get(1)?.result.isError).toBe(true)
    expect(answers.get(2)?.result).toEqual({})
  })
})

describe('what acts in a batch', () => {
  it('is done once, after everything else was answered', async () => {
    const answers = await answersOf([sms(1), operator(2)])
    expect(answers.get(1)?.result.structuredContent).toMatchObject({ status: 'sent' })
    expect(paths()).toEqual(['GET /token', 'GET /operators/7', 'POST /sms/batch'])
  })

  it('may be one call: of two none is made, because a lost answer would make a client repeat both', async () => {
    const answers = await answersOf([sms(1), operator(2), call('lookup_hlr', { msisdn: '+37069555555' }, 3)])
    expect([1, 3].map((id) => answers.get(id)?.error?.code)).toEqual([-32600, -32600])
    expect(answers.get(2)?.result.structuredContent).toMatchObject({ operator_id: 7 })
    expect(paths()).toEqual(['GET /token', 'GET /operators/7'])
  })
})
