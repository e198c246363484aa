// The edge of the protocol in both eras, request by request: headers, envelopes, bodies, origins and their refusals.
import { connect } from 'node:net'
import { isJSONRPCErrorResponse } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, resultOf } from './support/read.ts'
import { legacy, MODERN, modern, post, type Stack, startStack } from './support/stack.ts'

let stack: Stack
let token: string
beforeAll(async () => {
  stack = await startStack({ env: { ALLOWED_ORIGINS: 'https://app.example' } })
  token = stack.manualToken()
})
afterAll(() => stack.close())

const send = (body: unknown, headers?: Record<string, string | undefined>) => post(stack.url, token, body, headers)
const LIST = modern('tools/list')
const CALL = modern('tools/call', { name: 'get_operator', arguments: { operatorId: 7 } })
const errorOf = async (response: Response) => [response.status, (await answerOf(response)).error?.code]

describe('the modern revision', () => {
  it('is discovered with its version, capabilities, instructions and cache hints (2026-07-28, server/discover)', async () => {
    const { result } = await answerOf(await send(modern('server/discover')))
    expect(result).toMatchObject({
      supportedVersions: [MODERN],
      capabilities: { tools: { listChanged: false } },
      instructions: expect.stringContaining('get_sms_rates'),
      resultType: 'complete',
      ttlMs: 300_000,
      cacheScope: 'public',
    })
    expect(result._meta['io.modelcontextprotocol/serverInfo']).toMatchObject({
      name: 'vertexsms',
      title: 'VertexSMS',
      websiteUrl: 'https://vertexsms.com/en/mcp/authentication',
      icons: [{ src: `${stack.issuer.url}/assets/icon.svg` }, { src: `${stack.issuer.url}/assets/icon.png` }],
    })
  })

  it('stamps resultType, and ttlMs and cacheScope on lists (2026-07-28, basic)', async () => {
    expect((await answerOf(await send(LIST))).result).toMatchObject({
      resultType: 'complete',
      ttlMs: 300_000,
      cacheScope: 'public',
    })
    const call = await resultOf(await send(CALL))
    expect(call.resultType).toBe('complete')
    expect(call).not.toHaveProperty('ttlMs')
  })

  it.each([
    ['no version', { 'mcp-protocol-version': undefined }, 'the MCP-Protocol-Version header is missing'],
    ['another version', { 'mcp-protocol-version': '2025-06-18' }, 'the protocol version or the method differs'],
    ['no method', { 'mcp-method': undefined }, 'the Mcp-Method header is missing'],
    ['another method', { 'mcp-method': 'tools/list' }, 'the Mcp-Method header names another method'],
    ['no name', { 'mcp-name': undefined }, 'the Mcp-Name header is missing'],
    ['another name', { 'mcp-name': 'send_sms' }, 'the Mcp-Name header names something else'],
    ['a name in broken base64', { 'mcp-name': '=?base64?%%%?=' }, 'the Mcp-Name header names something else'],
  ])(
    'answers headers with %s with 400 and -32020, and says so (2026-07-28, streamable-http)',
    async (_name, headers, what) => {
      // From here on its envelope is known.
      expect((await send(CALL)).status).toBe(200)
      const response = await send(CALL, headers)
      const { error } = await answerOf(response)
      expect(response.status).toBe(400)
      expect(error).toEqual({
        code: -32020,
        message: `Bad Request: the request headers and the body disagree: ${what}`,
      })
    },
  )

  it('takes a name in base64', async () => {
    const name = `=?base64?${Buffer.from('get_operator').toString('base64')}?=`
    expect((await resultOf(await send(CALL, { 'mcp-name': name }))).isError).toBeUndefined()
  })

  it.each(['=?base64?bm9wZQ==', 'bm9wZQ==?=', 'no,pe', 'nope,nope'])(
    'takes a name as it stands that only looks like base64 or like a header sent twice: %s',
    async (name) => {
      expect(await errorOf(await send(modern('tools/call', { name, arguments: {} })))).toEqual([200, -32602])
    },
  )

  it('does not look at a name where the method has none', async () => {
    expect((await send(LIST, { 'mcp-name': '=?base64?%%%?=' })).status).toBe(200)
  })

  it.each([
    ['no header', undefined, [200, -32602]],
    ['a header', 'get_operator', [200, -32602]],
    ['one in broken base64', '=?base64?%%%?=', [400, -32020]],
  ])('answers a call without a name under %s', async (_name, name, wanted) => {
    const response = await send(modern('tools/call', { arguments: {} }), { 'mcp-name': name })
    expect(await errorOf(response)).toEqual(wanted)
  })

  it('answers an unknown revision with 400 and -32022, naming the supported ones (2026-07-28, versioning)', async () => {
    const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } }
    const response = await send(modern('tools/list', meta), { 'mcp-protocol-version': '2099-01-01' })
    const { error } = await answerOf(response)
    expect(response.status).toBe(400)
    expect(error).toEqual({
      code: -32022,
      message: 'Unsupported protocol version',
      data: { supported: [MODERN], requested: '2099-01-01' },
    })
  })

  it.each([
    ['without an envelope', legacy('tools/list')],
    ['with a broken one', modern('tools/list', { _meta: { 'io.modelcontextprotocol/clientCapabilities': 7 } })],
  ])('answers an unknown revision in the header alike, %s', async (_name, body) => {
    const { error } = await answerOf(await send(body, { 'mcp-protocol-version': '2099-01-01' }))
    expect(error).toEqual({
      code: -32022,
      message: 'Unsupported protocol version',
      data: { supported: [MODERN], requested: '2099-01-01' },
    })
  })

  it('says what a broken envelope lacks under the header of any revision that is served, and first what is no message', async () => {
    const broken = modern('tools/list', { _meta: { 'io.modelcontextprotocol/clientCapabilities': 7 } })
    for (const version of [MODERN, '2025-11-25', undefined]) {
      expect(await errorOf(await send(broken, { 'mcp-protocol-version': version }))).toEqual([400, -32602])
    }
    const noMessage = { ...LIST, more: 1 }
    expect(await errorOf(await send(noMessage, { 'mcp-protocol-version': '2099-01-01' }))).toEqual([400, -32600])
  })

  it.each(['nope/nope', 'initialize', 'ping', 'tasks/get', 'logging/setLevel'])(
    'answers the method %s with 404 and -32601 (2026-07-28, streamable-http)',
    async (method) => {
      const response = await send(modern(method, {}, 'the-id'))
      const { id, error } = await answerOf(response)
      expect([response.status, id, error]).toEqual([404, 'the-id', { code: -32601, message: 'Method not found' }])
    },
  )

  it('answers an unknown tool with -32602 (2026-07-28, server/tools)', async () => {
    const { error } = await answerOf(await send(modern('tools/call', { name: 'nope', arguments: {} })))
    expect(error).toEqual({ code: -32602, message: 'Unknown tool' })
  })

  it.each([
    ['without client capabilities', { 'io.modelcontextprotocol/clientCapabilities': undefined }],
    ['with client capabilities that are no object', { 'io.modelcontextprotocol/clientCapabilities': 7 }],
    ['with client information that is no object', { 'io.modelcontextprotocol/clientInfo': 7 }],
  ])('answers an envelope %s with 400 and -32602 (2026-07-28, basic)', async (_name, meta) => {
    expect(await errorOf(await send(modern('tools/list', { _meta: meta })))).toEqual([400, -32602])
  })

  it('judges every envelope, also after one that differs in a single member was taken', async () => {
    const clientInfo = (version: unknown) =>
      modern('tools/list', { _meta: { 'io.modelcontextprotocol/clientInfo': { name: 'c', version } } })
    for (let round = 0; round < 2; round++) {
      expect((await send(clientInfo('1'))).status).toBe(200)
      expect(await errorOf(await send(clientInfo(1)))).toEqual([400, -32602])
    }
  })

  it.each([
    ['no params', undefined, -32602],
    ['params without an envelope', {}, -32602],
    ['a number for an envelope', { _meta: 7 }, -32600],
    ['an envelope without a revision', { _meta: { progressToken: 1 } }, -32602],
  ])('refuses its version header over %s', async (_name, params, code) => {
    const headers = { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/list' }
    expect(await errorOf(await send(legacy('tools/list', params), headers))).toEqual([400, code])
  })

  it('refuses an envelope of a handshake revision, under its own header and under that of another', async () => {
    const old = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2025-06-18' } }
    expect((await send(LIST)).status).toBe(200)
    expect(await errorOf(await send(modern('tools/list', old)))).toEqual([400, -32020])
    const own = { 'mcp-protocol-version': '2025-06-18' }
    expect(await errorOf(await send(modern('tools/list', old), own))).toEqual([400, -32022])
  })

  it('accepts a notification with 202, whose header names no other method', async () => {
    const { id: _, ...notification } = modern('notifications/cancelled', { requestId: 1 })
    expect((await send(notification)).status).toBe(202)
    expect(await errorOf(await send(notification, { 'mcp-method': 'tools/list' }))).toEqual([400, -32020])
  })
})

describe('the handshake revisions', () => {
  const hello = (protocolVersion: string) =>
    legacy('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'c', version: '1' } })

  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'agree on %s, without a session',
    async (version) => {
      const response = await send(hello(version))
      expect(response.headers.get('mcp-session-id')).toBeNull()
      expect((await answerOf(response)).result).toMatchObject({
        protocolVersion: version,
        serverInfo: { name: 'vertexsms' },
        capabilities: { tools: { listChanged: false } },
        instructions: expect.any(String),
      })
    },
  )

  // SDK 1.18 knows an icon from a draft, of another shape, and gives up the handshake when it meets one of ours.
  it.each([
    ['2024-11-05', ['name', 'version']],
    ['2025-03-26', ['name', 'version']],
    ['2025-06-18', ['name', 'title', 'version']],
    ['2025-11-25', ['icons', 'name', 'title', 'version', 'websiteUrl']],
  ])('tell of the server what %s knows of one, and no more (lifecycle)', async (version, members) => {
    const { serverInfo } = (await answerOf(await send(hello(version)))).result
    expect(Object.keys(serverInfo).sort()).toEqual(members)
  })

  const clientInfo = { name: 'c', version: '1' }
  it.each([
    ['no params', undefined, 'protocolVersion must be a string'],
    ['no version', { capabilities: {}, clientInfo }, 'protocolVersion must be a string'],
    [
      'capabilities that are a list',
      { protocolVersion: 'x', capabilities: [], clientInfo },
      'capabilities must be an object',
    ],
    ['no client', { protocolVersion: 'x', capabilities: {} }, 'clientInfo must have a name and a version'],
    [
      'a client without a name',
      { protocolVersion: 'x', capabilities: {}, clientInfo: { version: '1' } },
      'clientInfo must have a name and a version',
    ],
    [
      'a client without a version',
      { protocolVersion: 'x', capabilities: {}, clientInfo: { name: 'c' } },
      'clientInfo must have a name and a version',
    ],
  ])('refuse a handshake with %s, and say so (2025-11-25, lifecycle)', async (_name, params, what) => {
    const response = await send(legacy('initialize', params))
    expect(response.status).toBe(200)
    const error = { code: -32602, message: `Invalid params for initialize: ${what}` }
    expect(await answerOf(response)).toEqual({ jsonrpc: '2.0', id: 1, error })
  })

  it.each(['2024-10-07', '2099-01-01', 'x'])('offer the newest to a client that asks for %s', async (version) => {
    expect((await answerOf(await send(hello(version)))).result.protocolVersion).toBe('2025-11-25')
  })

  it('take a request whose `_meta` says things of its own', async () => {
    const response = await send(legacy('ping', { _meta: { 'example.com/trace': 'x' } }))
    expect((await answerOf(response)).result).toEqual({})
  })

  it('agree whatever revision the header of the first request names, but for the modern one', async () => {
    const greet = (version: string) => send(hello('2025-11-25'), { 'mcp-protocol-version': version })
    for (const version of ['2025-06-18', '1999-01-01']) expect((await greet(version)).status).toBe(200)
    expect(await errorOf(await greet(MODERN))).toEqual([400, -32020])
  })

  it('answer ping, and take requests with a known version header or none', async () => {
    expect((await answerOf(await send(legacy('ping')))).result).toEqual({})
    for (const version of ['2025-06-18', '2025-11-25', undefined]) {
      const response = await send(legacy('tools/list'), { 'mcp-protocol-version': version })
      expect((await answerOf(response)).result.tools).toHaveLength(10)
    }
  })

  it('refuse an unknown version header with 400 (2025-06-18, transports)', async () => {
    const response = await send(legacy('tools/list'), { 'mcp-protocol-version': '2020-01-01' })
    const { error } = await answerOf(response)
    expect([response.status, error?.code]).toEqual([400, -32000])
    expect(error?.message).toContain('supported versions: 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05, 2026-07-28')
  })

  it.each(['notifications/initialized', 'notifications/cancelled', 'notifications/unknown'])(
    'accept %s with 202',
    async (method) => {
      const response = await send({ jsonrpc: '2.0', method, params: { requestId: 1 } })
      expect([response.status, await response.text()]).toEqual([202, ''])
    },
  )

  it('answer an unknown method in a 200 with -32601', async () => {
    expect(await errorOf(await send(legacy('nope/nope')))).toEqual([200, -32601])
  })
})

describe.each(['tools/list', 'resources/list', 'resources/templates/list'])('%s', (method) => {
  it('refuses a cursor, since none was given out (2025-11-25, pagination), and takes none for the first page', async () => {
    for (const request of [modern, legacy]) {
      for (const cursor of ['2', 7, {}])
        expect(await errorOf(await send(request(method, { cursor })))).toEqual([200, -32602])
      for (const cursor of [null, '', undefined]) {
        expect((await answerOf(await send(request(method, { cursor })))).error).toBeUndefined()
      }
    }
  })
})

it('an id in any script comes back whole, before a list that is kept as text and before every other result', async () => {
  for (const request of [modern, legacy]) {
    for (const method of [
      'tools/list',
      'tools/list',
      'resources/list',
      request === modern ? 'server/discover' : 'ping',
    ]) {
      for (const id of ['plain', 'ąžuolas 🌳', 'é"\\']) {
        const response = await send(request(method, undefined, id))
        const text = await response.text()
        expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(text))
        expect(JSON.parse(text)).toMatchObject({ id, result: expect.any(Object) })
      }
    }
  }
})

describe('a body', () => {
  it.each([
    ['nothing', ''],
    ['half an object', '{"jsonrpc":"2.0"'],
    ['a poisoned prototype', '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{"x":1}}'],
    ['a poisoned prototype in escapes', '{"jsonrpc":"2.0","id":1,"method":"ping","\\u005f_proto__":{"x":1}}'],
    ['a poisoned constructor', '{"jsonrpc":"2.0","id":1,"method":"ping","constructor":{"prototype":{"x":1}}}'],
  ])('of %s gets 400 and -32700', async (_name, body) => {
    expect(await errorOf(await send(body))).toEqual([400, -32700])
  })

  it.each([
    ['a string', '"x"'],
    ['null', 'null'],
    ['no version', '{"id":1,"method":"ping"}'],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['an id in fractions', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":7}'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['params that are a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
    ['params that are a text', '{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}'],
    ['params that are null', '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}'],
    ['_meta that is a number', JSON.stringify(legacy('ping', { _meta: 7 }))],
    ['_meta that is a list', JSON.stringify(legacy('ping', { _meta: [] }))],
    ['_meta that is null', JSON.stringify(legacy('ping', { _meta: null }))],
    ['a member that JSON-RPC does not know', '{"jsonrpc":"2.0","id":1,"method":"ping","more":1}'],
    ['one in the modern revision', { ...LIST, more: 1 }],
    ['a progress token that is an object', JSON.stringify(legacy('ping', { _meta: { progressToken: {} } }))],
    ['one in the modern revision', modern('tools/list', { _meta: { progressToken: {} } })],
  ])('with %s gets 400 and -32600', async (_name, body) => {
    // An envelope that is known does not excuse it.
    expect((await send(LIST)).status).toBe(200)
    expect(await errorOf(await send(body))).toEqual([400, -32600])
  })

  it.each([
    ['a text', { jsonrpc: '1.0', id: 'one', method: 'ping' }, 'one'],
    ['a number', { jsonrpc: '1.0', id: 7, method: 'ping' }, 7],
    ['a number that is not exact', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', undefined],
    ['an object', { jsonrpc: '2.0', id: {}, method: 'ping' }, undefined],
    ['none', { jsonrpc: '1.0', method: 'ping' }, undefined],
    ['a text without a method', { jsonrpc: '1.0', id: 'one' }, undefined],
    ['one in a list', [{ jsonrpc: '1.0', id: 'one', method: 'ping' }], undefined],
  ])('that is refused is answered under its id where it has one: %s', async (_name, body, id) => {
    const answer = await answerOf(await send(body))
    expect([answer.id, answer.error?.code]).toEqual([id, -32600])
  })

  it('of 256 KiB is read, and one byte more gets 413', async () => {
    const wrap = (size: number) => {
      const frame = JSON.stringify(legacy('ping', { x: '' }))
      return frame.replace('""', `"${'x'.repeat(size - frame.length)}"`)
    }
    expect((await send(wrap(256 * 1024))).status).toBe(200)
    expect((await send(wrap(256 * 1024 + 1))).status).toBe(413)
  })

  it('nested a hundred thousand deep is refused', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const response = await send(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_operator","arguments":{"operatorId":${deep}}}}`,
    )
    expect([response.status, (await answerOf(response)).error?.code]).toEqual([400, -32600])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'json', undefined])(
    'of type %s gets 415',
    async (type) => {
      const response = await fetch(stack.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'content-type': type }) },
        body: new TextEncoder().encode(JSON.stringify(legacy('ping'))),
      })
      expect([response.status, (await answerOf(response)).error?.message]).toEqual([
        415,
        'Unsupported Media Type: send application/json',
      ])
    },
  )

  it('that says it is not compressed is read', async () => {
    for (const coding of ['identity', 'Identity']) {
      expect((await send(legacy('ping'), { 'content-encoding': coding })).status, coding).toBe(200)
    }
  })

  it('that says it is compressed gets 415, and is told so', async () => {
    const response = await send(legacy('ping'), { 'content-encoding': 'gzip' })
    expect([response.status, (await answerOf(response)).error?.message]).toEqual([
      415,
      'Unsupported Media Type: send the body as it is, without a Content-Encoding',
    ])
  })

  it('may say application/json with a charset', async () => {
    expect((await send(legacy('ping'), { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(200)
  })
})

// fetch joins a header given twice before it is sent; a proxy that adds what is already there does not.
describe('an error of the edge', () => {
  const origin = 'https://evil.example'
  const refused: [string, number, () => Promise<Response>][] = [
    ['of a foreign page', 403, () => send(LIST, { origin })],
    ['that is not JSON', 400, () => send('{')],
    ['that is no message', 400, () => send('"x"')],
    ['with an id that is none', 400, () => send({ jsonrpc: '2.0', id: null, method: 'ping' })],
    ['of another type', 415, () => send(LIST, { 'content-type': 'text/plain' })],
    ['that is too large', 413, () => send(`"${'x'.repeat(256 * 1024)}"`)],
    ['by GET', 405, () => fetch(stack.url, { headers: { authorization: `Bearer ${token}` } })],
  ]
  it.each(refused)(
    'has no id for a request %s: null is none (2025-11-25 and 2026-07-28, basic)',
    async (_name, status, ask) => {
      const response = await ask()
      const answer: unknown = await answerOf(response)
      expect([response.status, isJSONRPCErrorResponse(answer)]).toEqual([status, true])
      expect(answer).not.toHaveProperty('id')
    },
  )

  it.each([0, 7, '', 'x'])('has the id %j of a request that could be read', async (id) => {
    for (const body of [
      { id, method: 'ping' },
      { ...LIST, id, more: 1 },
    ]) {
      expect((await answerOf(await send(body))).id).toBe(id)
    }
  })
})

describe('a header that is sent twice', () => {
  const version = (value: string) => `mcp-protocol-version: ${value}`
  const twice = (line: string) => [line, line]
  const ping = legacy('ping')

  it.each([
    ['the version of a modern request', LIST, [...twice(version(MODERN)), 'mcp-method: tools/list']],
    ['its method', LIST, [version(MODERN), ...twice('mcp-method: tools/list')]],
    ['its name', CALL, [version(MODERN), 'mcp-method: tools/call', ...twice('mcp-name: get_operator')]],
    ['the version of one of the handshake era', ping, twice(version('2025-06-18'))],
  ])('alike is one: %s (RFC 9110 §5.3)', async (_name, body, lines) => {
    expect(await rawStatus('localhost', body, lines)).toBe(200)
  })

  it.each([
    ['the version', LIST, [version(MODERN), version('2025-06-18'), 'mcp-method: tools/list']],
    ['the method', LIST, [version(MODERN), 'mcp-method: tools/list', 'mcp-method: ping']],
    ['the name', CALL, [version(MODERN), 'mcp-method: tools/call', 'mcp-name: get_operator', 'mcp-name: send_sms']],
    ['the version of the handshake era', ping, [version('2025-06-18'), version('2025-11-25')]],
  ])('with two values is refused: %s', async (_name, body, lines) => {
    expect(await rawStatus('localhost', body, lines)).toBe(400)
  })
})

describe('where a request comes from', () => {
  it.each([
    'https://evil.example',
    'null',
    'http://localhost.evil.example',
    'https://app.example.evil',
    'http://[::2]',
    'http://localhost/path',
    'http://localhost?x',
    'http://evil.example@localhost',
    'app://localhost',
    'ws://localhost',
  ])('a page of %s gets 403 before its credentials are looked at (2025-11-25, transports)', async (origin) => {
    const response = await send(LIST, { origin })
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })

  it.each(['https://app.example', 'http://localhost:6274', 'http://127.0.0.1:1', 'http://localhost:4001'])(
    'a page of %s may call, and read the answer and its challenge',
    async (origin) => {
      const refused = await post(stack.url, null, LIST, { origin })
      expect(refused.status).toBe(401)
      expect(refused.headers.get('access-control-allow-origin')).toBe(origin)
      expect(refused.headers.get('access-control-expose-headers')).toMatch(
        /www-authenticate, mcp-session-id, mcp-protocol-version, retry-after/,
      )
      expect((await send(LIST, { origin })).status).toBe(200)
    },
  )

  it('a preflight of an allowed page lists what clients send, one of a foreign page gets 403', async () => {
    const ask = (origin: string) =>
      fetch(stack.url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    const response = await ask('https://app.example')
    expect(response.status).toBe(204)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'POST, GET, DELETE, OPTIONS',
      // Ten minutes, in which no other request asks again.
      'access-control-max-age': '600',
      vary: 'origin',
    })
    const allowed = response.headers.get('access-control-allow-headers')
    for (const name of [
      'authorization',
      'content-type',
      'mcp-protocol-version',
      'mcp-method',
      'mcp-name',
      'mcp-session-id',
      'last-event-id',
      'traceparent',
      'tracestate',
      'baggage',
    ]) {
      expect(allowed).toContain(name)
    }
    expect((await ask('https://evil.example')).status).toBe(403)
  })

  it('a page that is refused names the setting that lets it in, and repeats nothing of the request', async () => {
    const { error } = await answerOf(await send(LIST, { origin: 'https://evil.example' }))
    expect(error?.message).toContain('ALLOWED_ORIGINS')
    expect(error?.message).not.toMatch(/evil|ALLOWED_HOSTS/)
  })

  it('a host name that is refused names the settings that let it in, and is not repeated', async () => {
    const { error } = JSON.parse((await raw('evil.example')).split('\r\n\r\n')[1] ?? '')
    expect(error.message).toMatch(/ALLOWED_HOSTS.*MCP_RESOURCE_URL/)
    expect(error.message).not.toMatch(/evil|ALLOWED_ORIGINS/)
  })

  it('a host that is named twice is what is told of, not the body', async () => {
    const answer = await raw('localhost\r\nhost: localhost')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error).toEqual({
      code: -32000,
      message: 'Bad Request: send the Host header once',
    })
  })

  it.each([
    ['http://evil.example/mcp', 'localhost', 403],
    ['http://localhost/mcp', 'evil.example', 200],
  ])('under the target %s and the host name %s it gets %i (RFC 9112 §3.2.2)', async (target, host, status) => {
    const answer = await raw(host, LIST, LIST_HEADERS, stack, target)
    expect(answer.split(' ')[1]).toBe(String(status))
  })

  it.each([
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['localhost:1@evil.example', 403],
    ['localhost:4001', 200],
    ['127.0.0.1', 200],
    ['[::1]:4001', 200],
    ['localhost:port', 403],
    ['', 403],
  ])('under the host name %s it gets %i (DNS rebinding)', async (host, status) => {
    // The second time it is known.
    expect([await rawStatus(host), await rawStatus(host)]).toEqual([status, status])
  })
})

describe('where a request to a server of the internet comes from', () => {
  let far: Stack
  beforeAll(async () => {
    far = await startStack({ env: { MCP_RESOURCE_URL: 'https://mcp.example/mcp', ALLOWED_HOSTS: 'other.example' } })
  })
  afterAll(() => far.close())

  it.each([
    ['https://mcp.example', 200],
    ['http://mcp.example', 403],
    ['http://localhost:6274', 403],
    ['http://127.0.0.1', 403],
  ])('a page of %s gets %i', async (origin, status) => {
    expect((await post(far.url, far.manualToken(), LIST, { origin })).status).toBe(status)
  })

  it.each([
    ['mcp.example', 200],
    ['other.example:443', 200],
    ['localhost', 200],
    ['evil.example', 403],
  ])('under the host name %s it gets %i (DNS rebinding)', async (host, status) => {
    expect(await rawStatus(host, LIST, LIST_HEADERS, far)).toBe(status)
  })
})

describe('other methods and addresses', () => {
  it.each(['GET', 'DELETE', 'PUT', 'PATCH'])('%s with a good token gets 405 and what is allowed', async (method) => {
    const response = await fetch(stack.url, { method, headers: { authorization: `Bearer ${token}` } })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('/mcp/ is the same endpoint', async () => {
    expect((await post(`${stack.url}/`, token, LIST)).status).toBe(200)
    expect((await post(`${stack.url}/`, null, LIST)).status).toBe(401)
  })

  it('anything else gets 404', async () => {
    expect((await fetch(`${stack.url}/other`)).status).toBe(404)
    expect((await fetch(stack.url.replace('/mcp', '/sse'))).status).toBe(404)
  })
})

const LIST_HEADERS = [`mcp-protocol-version: ${MODERN}`, 'mcp-method: tools/list']

// fetch lets a caller neither choose the Host header nor send one twice.
async function rawStatus(host: string, message?: unknown, lines?: readonly string[], to = stack): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(await raw(host, message, lines, to))?.[1])
}

function raw(
  host: string,
  message: unknown = LIST,
  lines: readonly string[] = LIST_HEADERS,
  to = stack,
  target = '/mcp',
): Promise<string> {
  const body = JSON.stringify(message)
  const { port } = new URL(to.url)
  const bearer = to === stack ? token : to.manualToken()
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(
        `POST ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\nauthorization: Bearer ${bearer}\r\ncontent-type: application/json\r\n${lines.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    })
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
