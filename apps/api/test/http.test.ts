// What all routes have in common on the wire: unknown addresses and methods, bodies, headers, and what is refused before a route sees it.
import { createConnection } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const errorBody = (code: string) => ({ message: expect.any(String), code, error_code: null })

/** What is answered to these very bytes. */
function exchange(bytes: string): Promise<string> {
  const { port } = new URL(world.node.url)
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), '127.0.0.1', () => socket.write(bytes))
    let text = ''
    // What of it nobody read may make the end a reset, after the answer.
    socket.on('error', () => {})
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text))
  })
}

test('an unknown address is 404, with or without a token', async () => {
  for (const path of ['/', '/nothing', '/sms/1/other', '/rates/x', '/hlr/1/2', '/Token']) {
    for (const token of [world.token, null]) {
      const { status, body } = await world.node.call(`GET ${path}`, { token })
      expect([status, body]).toEqual([404, errorBody('NOT_FOUND')])
    }
  }
})

test.each([
  ['GET /sms', 'POST'],
  ['DELETE /sms', 'POST'],
  ['PUT /sms/cost', 'POST'],
  ['POST /rates', 'GET, HEAD'],
  ['POST /rates/', 'GET, HEAD'],
  ['POST /token', 'GET, HEAD'],
  ['GET /hlr', 'POST'],
  ['DELETE /hlr/1', 'GET, HEAD'],
  ['PATCH /operators/1', 'GET, HEAD'],
  ['GET /senderId/confirm/1', 'POST'],
  ['OPTIONS /token', 'GET, HEAD'],
])('%s is 405 and says what is allowed (RFC 9110 section 15.5.6)', async (request, allow) => {
  const { status, headers, body } = await world.node.call(request, { token: world.token })
  expect([status, body]).toEqual([405, errorBody('METHOD_NOT_ALLOWED')])
  expect(headers.get('allow')?.split(', ').sort().join(', ')).toBe(allow)
})

test('a body that is no JSON, or not said to be, is refused', async () => {
  const post = (raw: string, type?: string) =>
    world.node.call('POST /sms', {
      token: world.token,
      raw,
      headers: type ? { 'content-type': type } : { 'content-type': '' },
    })
  for (const raw of ['{', '', 'null', '"x"', '[]', '{"__proto__":{"a":1}}', '1']) {
    expect((await post(raw, 'application/json')).body, raw).toEqual(errorBody('INVALID_INPUT'))
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/xml']) {
    const { status, body } = await post('{}', type)
    expect([status, body]).toEqual([415, errorBody('UNSUPPORTED_MEDIA_TYPE')])
  }
})

test('a body that is encoded is refused as such, and one that can be read is read (RFC 9110 §8.4)', async () => {
  const post = (body: Blob, coding: string) =>
    fetch(`${world.node.url}/sms`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-encoding': coding,
        'x-vertexsms-token': world.token,
      },
      body,
    })
  const refused = await post(new Blob([Uint8Array.from(gzipSync('{}'))]), 'gzip')
  expect([refused.status, await refused.json()]).toEqual([
    415,
    { ...errorBody('UNSUPPORTED_MEDIA_TYPE'), message: 'Send the body as it is, without a Content-Encoding.' },
  ])
  for (const [body, coding] of [
    ['{', 'Identity'],
    ['{}', 'gzip'],
    ['{}', 'utf-8'],
  ] as const) {
    expect(await (await post(new Blob([body]), coding)).json()).toEqual(errorBody('INVALID_INPUT'))
  }
})

describe('a route that takes no body', () => {
  const send = (lines: readonly string[], content = '') =>
    exchange(
      [
        'DELETE /sms/1 HTTP/1.1',
        'host: localhost',
        'connection: close',
        `x-vertexsms-token: ${world.token}`,
        ...lines,
        '',
        content,
      ].join('\r\n'),
    )
  const TYPES = ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'nonsense', '']
  const EMPTY: readonly [string, readonly string[], string][] = [
    ['no length', [], ''],
    ['the length 0', ['content-length: 0'], ''],
    ['chunks of which the last is the first', ['transfer-encoding: chunked'], '0\r\n\r\n'],
  ]

  test.each(TYPES.flatMap((type) => EMPTY.map(([how, lines, content]) => [type, how, lines, content] as const)))(
    'takes a body without content for none, said to be "%s" with %s (RFC 9112 section 6.3)',
    async (type, _how, lines, content) => {
      const answer = await send([...(type === '' ? [] : [`content-type: ${type}`]), ...lines], content)
      expect(answer).toMatch(/^HTTP\/1\.1 404 /)
      expect(answer).toContain('"There is no such message of this token."')
    },
  )

  test.each([
    ['application/json', 400],
    ['application/x-www-form-urlencoded', 415],
    ['text/plain', 415],
    ['nonsense', 415],
    ['', 415],
  ])('refuses content that is said to be "%s" and is no JSON: %i', async (type, status) => {
    const said = type === '' ? [] : [`content-type: ${type}`]
    for (const [lines, content] of [
      [['content-length: 3'], 'a=1'],
      [['transfer-encoding: chunked'], '3\r\na=1\r\n0\r\n\r\n'],
    ] as const) {
      expect(await send([...said, ...lines], content)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    }
    const headers = { 'content-type': 'application/json', 'x-vertexsms-token': world.token }
    const body = JSON.stringify('x'.repeat(70_000))
    expect((await fetch(`${world.node.url}/sms/1`, { method: 'DELETE', headers, body })).status).toBe(413)
  })

  test.each([
    ['too much', 'application/json', 99_999_999, 413],
    ['of another type', 'text/plain', 5, 415],
  ])('refuses what its headers say is %s before any of it has come', async (_what, type, length, status) => {
    const answer = await send([`content-type: ${type}`, `content-length: ${length}`])
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  test('cancels for whoever sends no content under a content type', async () => {
    const scheduled = new Date(Date.now() + 3_600_000).toISOString()
    const body = { to: '37060000001', from: 'Tests', message: 'Hello', scheduled }
    const [id] = (await world.node.call('POST /sms', { token: world.token, body })).body
    const headers = { 'content-type': 'application/json', 'x-vertexsms-token': world.token }
    expect((await fetch(`${world.node.url}/sms/${id}`, { method: 'DELETE', headers, body: '' })).status).toBe(204)
  })

  test('is none that takes one: nothing is then no JSON', async () => {
    for (const path of ['/sms', '/sms/batch', '/sms/quote', '/hlr', '/senderId', '/numbers/correct']) {
      const call = { token: world.token, raw: '', headers: { 'content-type': 'application/json' } }
      expect((await world.node.call(`POST ${path}`, call)).body).toEqual(errorBody('INVALID_INPUT'))
    }
  })

  test('goes on after a body that breaks off', async () => {
    const { port } = new URL(world.node.url)
    const lines = ['DELETE /sms/1 HTTP/1.1', 'host: localhost', `x-vertexsms-token: ${world.token}`]
    await new Promise<void>((resolve) => {
      const socket = createConnection(Number(port), '127.0.0.1', () => {
        socket.write([...lines, 'content-length: 9', '', ''].join('\r\n'), () => socket.destroy())
      })
      socket.on('close', () => resolve())
    })
    expect((await world.node.call('GET /token', { token: world.token })).status).toBe(200)
  })
})

test('a text that is no text is refused, not changed: broken UTF-8, half a surrogate pair, the null character (RFC 8259 section 8)', async () => {
  const headers = { 'content-type': 'application/json', 'x-vertexsms-token': world.token }
  const sms = (message: string) => `{"to":"37060000001","from":"Tests","message":"${message}"}`
  for (const body of [
    Buffer.from(sms('caf\xe9'), 'latin1'),
    sms('a\\ud800b'),
    sms('\\udc00\\ud800'),
    sms('a\\u0000b'),
  ]) {
    const response = await fetch(`${world.node.url}/sms`, { method: 'POST', headers, body })
    expect([response.status, await response.json()]).toEqual([400, errorBody('INVALID_INPUT')])
  }
  for (const body of [sms('café'), sms('\\ud83d\\ude00'), sms('\\\\u0000')]) {
    expect((await fetch(`${world.node.url}/sms`, { method: 'POST', headers, body })).status).toBe(200)
  }
})

test('a body over 64 KiB is refused, and without a token not even looked at', async () => {
  const raw = JSON.stringify({ message: 'x'.repeat(70_000) })
  const headers = { 'content-type': 'application/json' }
  expect(await world.node.call('POST /sms', { token: world.token, raw, headers })).toMatchObject({
    status: 413,
    body: errorBody('TOO_LARGE'),
  })
  expect(await world.node.call('POST /sms', { raw, headers })).toMatchObject({
    status: 401,
    body: errorBody('TOKEN_MISSING'),
  })
})

test('an address that cannot be read has the same error body', async () => {
  for (const path of ['/operators/%E0%A4%A', `/operators/${'9'.repeat(500)}`, '/%']) {
    const answer = await world.node.call(`GET ${path}`, { token: world.token })
    expect([400, 404], path).toContain(answer.status)
    expect(answer.body, path).toEqual({ message: expect.any(String), code: expect.any(String), error_code: null })
  }
})

test('answers are never cached, and say nothing of the software', async () => {
  const { headers } = await world.node.call('GET /token', { token: world.token })
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('server')).toBeNull()
  expect(headers.get('x-powered-by')).toBeNull()
})

test('bytes that are no HTTP end the connection and nothing else', async () => {
  expect(await exchange('\x16\x03\x01 nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/)
  expect((await world.node.call('GET /healthz')).status).toBe(200)
})

test('logs hold no token, number or text of any request', async () => {
  const node = await world.startNode()
  const secrets = ['37060012345', 'a-very-private-text', 'PrivateName', world.token, '37061239876']
  const body = {
    to: secrets[0],
    from: secrets[2],
    message: secrets[1],
    dlrUrl: 'https://example.com/?number=37061239876',
  }
  await node.call('POST /sms', { token: world.token, body })
  await node.call('POST /sms', { token: world.token, body: { ...body, coding: 9 } })
  await node.call('POST /sms', {
    token: world.token,
    raw: JSON.stringify(body).slice(0, -1),
    headers: { 'content-type': 'application/json' },
  })
  await node.call('POST /hlr', { token: world.token, body: { msisdn: secrets[0] } })
  await node.call(`GET /hlr/37061239876?at=${world.token}`, { token: world.token })
  await node.call(`GET /${world.token}/37060012345`)
  await node.close()
  const log = node.lines.join('\n')
  expect(log).toContain('POST')
  for (const secret of secrets) expect(log).not.toContain(secret)
})
