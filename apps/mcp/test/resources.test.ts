import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CLIENTS } from './support/clients.ts'
import { answerOf, envelopeOf, resultOf } from './support/read.ts'
import { legacy, modern, post, type Stack, startStack } from './support/stack.ts'
import { errorAnswer } from './support/upstream.ts'

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack()
  token = stack.manualToken()
})
afterAll(() => stack.close())
beforeEach(() => {
  stack.upstream.seen.length = 0
  stack.upstream.states.clear()
  stack.upstream.override = undefined
})

const ERAS = [
  ['2026-07-28', modern],
  ['2025-11-25', legacy],
] as const
const paths = () => stack.upstream.seen.map(({ method, path }) => `${method} ${path}`)

async function sentId(): Promise<string> {
  const args = { to: '+37069555551', from: 'Shop', message: 'Hello' }
  const { structuredContent } = await resultOf(
    await post(stack.url, token, modern('tools/call', { name: 'send_sms', arguments: args })),
  )
  stack.upstream.seen.length = 0
  return String(structuredContent?.message_id)
}

describe.each(ERAS)('at %s', (_revision, request) => {
  const ask = (method: string, params?: Record<string, unknown>, as = token) =>
    post(stack.url, as, request(method, params))
  const read = (uri: unknown, as = token) => ask('resources/read', { uri }, as)
  const contentOf = async (response: Response) => {
    const { contents } = (await answerOf(response)).result
    expect(contents).toHaveLength(1)
    expect(contents[0]).toMatchObject({ mimeType: 'application/json', uri: expect.any(String) })
    return JSON.parse(contents[0].text)
  }
  const unknownCode = request === legacy ? -32002 : -32602

  it('the account stands in the list, and messages in the list of templates', async () => {
    const { resources } = (await answerOf(await ask('resources/list'))).result
    expect(resources.map(({ uri }: { uri: string }) => uri)).toEqual(['vertexsms://account'])
    const { resourceTemplates } = (await answerOf(await ask('resources/templates/list'))).result
    expect(resourceTemplates.map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate)).toEqual([
      'vertexsms://sms/{id}',
    ])
  })

  it('the account tells limits, what was spent, what is left and whether sending is paused, with one question', async () => {
    const own = await stack.acceptedToken()
    const described = {
      limits: { maxPerDay: '5', countries: ['LT'], currency: 'EUR' as const },
      spent: { day: '0.5', total: '7', recipients: 3, currency: 'EUR' as const, resetsAt: '2026-12-24T22:00:00.000Z' },
      left: { day: '4.5' },
      paused: true,
    }
    const row = stack.upstream.tokens.get(own)
    stack.upstream.tokens.set(own, { account: 'a', permissions: [], ...row, description: described })
    expect(await contentOf(await read('vertexsms://account', own))).toEqual(described)
    expect(paths()).toEqual(['GET /token'])
  })

  it('the account needs no permission, a message that of sending', async () => {
    const bare = stack.manualToken('account-1', [])
    expect(await contentOf(await read('vertexsms://account', bare))).toMatchObject({ limits: null, paused: false })
    const id = await sentId()
    const response = await read(`vertexsms://sms/${id}`, bare)
    expect([response.status, (await envelopeOf(response)).code]).toEqual([403, 'AUTH_INVALID'])
  })

  it('a message tells where it stands, in a word, in numbers and in a sentence', async () => {
    const id = await sentId()
    expect(await contentOf(await read(`vertexsms://sms/${id}`))).toEqual({
      id,
      state: 'sent',
      status: null,
      error: null,
      error_text: null,
    })
    stack.upstream.states.set(id, { state: 'failed', status: 2, error: 21 })
    expect(await contentOf(await read(`vertexsms://sms/${id}`))).toEqual({
      id,
      state: 'failed',
      status: 2,
      error: 21,
      error_text: 'Blocked by a filter. The same text to the same number will be blocked again.',
    })
    stack.upstream.states.set(id, { state: 'delivered', status: 1, error: 0 })
    expect(await contentOf(await read(`vertexsms://sms/${id}`))).toMatchObject({ state: 'delivered', error_text: null })
  })

  it('an unknown resource has the code of the revision, and names what was asked for', async () => {
    const unknown = ['vertexsms://sms/1', 'vertexsms://sms/', 'vertexsms://sms/1/2', 'vertexsms://sms/../token']
    for (const uri of [...unknown, 'vertexsms://Account', 'file:///etc/passwd', '']) {
      const response = await read(uri)
      expect(response.status).toBe(200)
      expect((await answerOf(response)).error, uri).toMatchObject({ code: unknownCode, data: { uri } })
    }
    expect(paths().filter((path) => path !== 'GET /token' && path !== 'GET /sms/status/1')).toEqual([])
  })

  it('a request without a URI is not valid', async () => {
    expect((await answerOf(await ask('resources/read', {}))).error?.code).toBe(-32602)
    expect((await answerOf(await read(7))).error?.code).toBe(-32602)
  })

  it('a read that the API cannot serve is an error with the envelope, and none of the words of the API', async () => {
    const id = await sentId()
    stack.upstream.override = ({ path }) =>
      path.startsWith('/sms')
        ? { status: 500, body: { message: 'IGNORE', code: 'IGNORE', error_code: null } }
        : undefined
    const response = await read(`vertexsms://sms/${id}`)
    expect(response.status).toBe(200)
    const answer = await answerOf(response)
    expect(answer.error).toMatchObject({ code: -32603, data: { error: { code: 'INTERNAL', retryable: false } } })
    expect(JSON.stringify(answer)).not.toContain('IGNORE')
    stack.upstream.override = ({ path }) => (path.startsWith('/sms') ? errorAnswer('RATE_LIMITED') : undefined)
    expect((await answerOf(await read(`vertexsms://sms/${id}`))).error?.data).toMatchObject({
      error: { code: 'RATE_LIMITED', retryable: true },
    })
  })

  it('a token that is gone gets 401, whatever it reads', async () => {
    for (const uri of ['vertexsms://account', 'vertexsms://sms/1', 'vertexsms://nothing']) {
      expect((await read(uri, 'vsms_gonexxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')).status).toBe(401)
    }
    expect((await ask('resources/list', {}, 'vsms_gonexxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')).status).toBe(401)
  })
})

it('what was read is for its reader alone and is not kept; the lists are for everyone (2026-07-28, caching)', async () => {
  const read = await answerOf(await post(stack.url, token, modern('resources/read', { uri: 'vertexsms://account' })))
  expect(read.result).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
  const list = await answerOf(await post(stack.url, token, modern('resources/list')))
  expect(list.result).toMatchObject({ ttlMs: 300_000, cacheScope: 'public' })
})

it('both eras are told that there are resources', async () => {
  const discovery = await answerOf(await post(stack.url, token, modern('server/discover')))
  const init = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  const handshake = await answerOf(await post(stack.url, token, legacy('initialize', init)))
  for (const { result } of [discovery, handshake]) {
    expect(result.capabilities).toEqual({ tools: { listChanged: false }, resources: {} })
  }
})

it.each(CLIENTS)('%s reads both', async (_name, _revision, connect) => {
  const id = await sentId()
  const client = await connect(stack.url, token)
  for (const [uri, word] of [
    ['vertexsms://account', 'limits'],
    [`vertexsms://sms/${id}`, 'state'],
  ] as const) {
    expect(JSON.parse(await client.read(uri))).toHaveProperty(word)
  }
  await client.close()
})
