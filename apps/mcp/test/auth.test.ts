// Who may call: the metadata that leads to a token, and each way in which a request has none that is good. One file, because each
// is told from the others by its status and its challenge.
import { request } from 'node:http'
import { ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS } from '@vertexsms/contract/api-token'
import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TokenShape } from './support/issuer.ts'
import { answerOf, envelopeOf } from './support/read.ts'
import { EDGE_SECRET, legacy, modern, post, type Stack, startStack } from './support/stack.ts'

const LIST = modern('tools/list')
const now = () => Math.floor(Date.now() / 1000)

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())
afterEach(() => vi.useRealTimers())
beforeEach(() => {
  stack.upstream.seen.length = 0
  stack.upstream.override = undefined
})

const origin = () => stack.url.replace('/mcp', '')
const challengeOf = (response: Response) => response.headers.get('www-authenticate')
const METADATA = 'resource_metadata="http://localhost:4001/.well-known/oauth-protected-resource/mcp"'

describe('the metadata of the protected resource', () => {
  const paths = ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']

  it.each(paths)(
    'stands at %s with the four members of the public page and nothing else (RFC 9728 §3)',
    async (path) => {
      const response = await fetch(origin() + path, { headers: { origin: 'https://anyone.example' } })
      expect(response.status).toBe(200)
      const text = await response.text()
      const { issuer } = stack
      expect(text).toBe(
        `{"resource":"http://localhost:4001/mcp","authorization_servers":["${issuer.url}"],"bearer_methods_supported":["header"],"scopes_supported":["sms:send","sms:rates","sender:write","hlr:lookup","numbers:read"]}`,
      )
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      expect(response.headers.get('cache-control')).toBe('public, max-age=300')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
    },
  )

  it.each(paths)('answers HEAD and OPTIONS at %s', async (path) => {
    const head = await fetch(origin() + path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const options = await fetch(origin() + path, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
  })

  it.each(paths)('tells pages of every origin too how to ask at %s (RFC 9110 §15.5.6)', async (path) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await fetch(origin() + path, { method, headers: { origin: 'https://anyone.example' } })
      const { status, headers } = answer
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(await answer.json()).toEqual({ error: 'invalid_request', error_description: 'Send GET.' })
    }
    expect((await fetch(`${origin()}${path}/x`, { method: 'POST' })).status).toBe(404)
  })

  it('never lists offline_access (2026-07-28, authorization)', async () => {
    const text = await (await fetch(`${origin()}${paths[0]}`)).text()
    expect(text).not.toContain('offline_access')
  })
})

describe('a request without credentials', () => {
  it('gets 401 with the public envelope, member for member, and a challenge without an error (RFC 6750 §3.1)', async () => {
    const response = await post(stack.url, null, LIST)
    expect(response.status).toBe(401)
    expect(challengeOf(response)).toBe(`Bearer ${METADATA}, scope="${SCOPE_NAMES.join(' ')}"`)
    expect(await response.json()).toEqual({
      error: {
        code: 'AUTH_REQUIRED',
        message: expect.stringMatching(/^A VertexSMS API token is required\. /),
        retryable: false,
        signup_url: `${stack.issuer.url}/request-access`,
        signin_url: `${stack.issuer.url}/sign-in`,
        token_url: `${stack.issuer.url}/settings/api`,
      },
    })
    expect(stack.upstream.seen).toEqual([])
  })

  it.each(['GET', 'DELETE', 'PUT', 'POST'])('gets the same 401 on %s, before any 405', async (method) => {
    const response = await fetch(stack.url, { method })
    expect(response.status).toBe(401)
    expect(challengeOf(response)).toContain(METADATA)
  })

  it.each(['', 'Bearer', 'bearer ', 'Basic YTpi', 'DPoP x', 'vsms_x', 'Bearerx y'])(
    'gets the same answer with an Authorization that holds no bearer token: %j (RFC 6750 §3.1)',
    async (authorization) => {
      const response = await post(stack.url, null, LIST, { authorization })
      expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_REQUIRED'])
      expect(challengeOf(response)).toBe(`Bearer ${METADATA}, scope="${SCOPE_NAMES.join(' ')}"`)
      expect(stack.upstream.seen).toEqual([])
    },
  )

  it('gets 401 with a token in the query string (OAuth 2.1 §5.1)', async () => {
    const token = stack.manualToken()
    const response = await post(`${stack.url}?access_token=${token}`, null, LIST)
    expect(response.status).toBe(401)
    expect(stack.upstream.seen).toEqual([])
  })

  it.each(['access_token', 'Access_Token', 'at', 'AT', 'token', 'api_key', 'apiKey', 'key', 'a%70i_token'])(
    'gets 401 with a token in the query string as %s even beside a good header',
    async (name) => {
      const token = stack.manualToken()
      const response = await post(`${stack.url}?x=1&${name}=${token}`, token, LIST)
      expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_INVALID'])
      expect(stack.upstream.seen).toEqual([])
    },
  )

  it.each(['x=access_token', 'tokens=x', 'profile=key'])('may have a query string without one: %s', async (query) => {
    expect((await post(`${stack.url}?${query}`, stack.manualToken(), LIST)).status).toBe(200)
  })
})

describe('two Authorization headers', () => {
  // Exactly as they are listed: fetch would join them.
  function send(...authorization: readonly string[]): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const sent = request(stack.url, { method: 'POST' }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode))
      })
      sent.setHeader('content-type', 'application/json')
      sent.setHeader('accept', 'application/json, text/event-stream')
      sent.setHeader('authorization', authorization)
      sent.on('error', reject).end(JSON.stringify(legacy('tools/list')))
    })
  }

  it('are refused without asking the API, whatever they say; one is taken (RFC 9110 §5.3)', async () => {
    const [one, other] = [`Bearer ${await stack.accessToken()}`, `Bearer ${stack.manualToken()}`]
    for (const both of [
      [one, other],
      [one, one],
      [other, 'Basic YTpi'],
    ]) {
      expect(await send(...both)).toBe(401)
    }
    expect(stack.upstream.seen).toEqual([])
    expect([await send(one), await send(other)]).toEqual([200, 200])
  })
})

describe('an access token', () => {
  it('is taken when everything about it is right', async () => {
    const response = await post(stack.url, await stack.accessToken(), LIST)
    expect([response.status, (await answerOf(response)).result.tools]).toEqual([200, expect.any(Array)])
  })

  const wrong: [string, TokenShape | (() => TokenShape)][] = [
    ['of another issuer', { payload: { iss: 'https://evil.example' } }],
    ['without our audience', { payload: { aud: ['http://localhost:4002'] } }],
    ['with an audience that only starts like ours', { payload: { aud: ['http://localhost:4001/mcp/evil'] } }],
    ['without an audience', { without: ['aud'] }],
    ['that expired long ago', () => ({ payload: { exp: now() - ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS - 1 } })],
    ['without an expiry', { without: ['exp'] }],
    ['that is not valid yet', () => ({ payload: { nbf: now() + 600 } })],
    ['without a subject', { without: ['sub'] }],
    ['without a jti', { without: ['jti'] }],
    ['without a client', { without: ['client_id'] }],
    ['of type JWT', { header: { typ: 'JWT' } }],
    ['that is an id token', { header: { typ: 'id+jwt' } }],
    ['without a type', { header: { typ: undefined } }],
    ['under an unknown key', { header: { kid: 'other' } }],
    ['signed by someone else under our key id', { foreignKey: true }],
  ]
  it.each(wrong)('%s is refused with invalid_token, and never reaches the API (RFC 9068 §4)', async (_name, shape) => {
    const response = await post(stack.url, await stack.accessToken(typeof shape === 'function' ? shape() : shape), LIST)
    expect(response.status).toBe(401)
    expect(challengeOf(response)).toMatch(
      /^Bearer resource_metadata=.*, scope="sms:send .*", error="invalid_token", error_description="/,
    )
    expect(await envelopeOf(response)).toMatchObject({ code: 'AUTH_INVALID', vertex_error_code: null })
    expect(stack.upstream.seen).toEqual([])
  })

  it('with alg none, or HS256 under the public key, is refused (RFC 8725 §2.1)', async () => {
    const [header, payload] = (await stack.accessToken()).split('.')
    const none = `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')}.${payload}.AA`
    const secret = new TextEncoder().encode(JSON.stringify(await stack.issuer.publicJwk()))
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    const hs256 = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'key-1' })
      .sign(secret)
    for (const token of [none, hs256, `${header}.${payload}.`, `${header}.${payload}.AAAA`]) {
      expect((await post(stack.url, token, LIST)).status).toBe(401)
    }
    expect(stack.upstream.seen.filter(({ token }) => token === hs256 || token === none)).toEqual([])
  })

  it('is verified once and then remembered until it expires, while the API is asked every time', async () => {
    const token = await stack.accessToken()
    await post(stack.url, token, LIST)
    const reads = stack.issuer.reads()
    for (let round = 0; round < 5; round++) expect((await post(stack.url, token, LIST)).status).toBe(200)
    expect(stack.issuer.reads()).toBe(reads)
    expect(stack.upstream.seen.map(({ path }) => path)).toEqual(Array(6).fill('/token'))
  })

  it('that is over by this clock alone is for the API to judge, whose clock is the database', async () => {
    const token = await stack.accessToken({ payload: { exp: now() - 45 } })
    for (let round = 0; round < 2; round++) expect((await post(stack.url, token, LIST)).status).toBe(200)
    expect(stack.upstream.seen.map(({ path }) => path)).toEqual(['/token', '/token'])
  })

  it('that was remembered is refused once it has long expired', async () => {
    const token = await stack.accessToken({ payload: { exp: now() + 60 } })
    const end = (now() + 60 + ACCESS_TOKEN_CLOCK_TOLERANCE_SECONDS) * 1000
    expect((await post(stack.url, token, LIST)).status).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: end - 5_000 })
    expect((await post(stack.url, token, LIST)).status).toBe(200)
    vi.setSystemTime(end + 1_000)
    expect((await post(stack.url, token, LIST)).status).toBe(401)
  })
})

describe('where the clock of this machine was set back', () => {
  it('a key that is published afterwards is found at once, and one that is none is looked for no more often (RFC 9068 §4)', async () => {
    const other = await startStack()
    vi.useFakeTimers({ toFake: ['Date'] })
    const right = Date.now()
    vi.setSystemTime(right + 3_600_000)
    const early = await other.accessToken()
    expect((await post(other.url, early, LIST)).status).toBe(200)
    vi.setSystemTime(right)
    await other.issuer.rotate()
    expect((await post(other.url, await other.accessToken(), LIST)).status).toBe(200)
    expect(other.issuer.reads()).toBe(2)
    for (let round = 0; round < 3; round++) {
      const response = await post(other.url, await other.accessToken({ header: { kid: `none-${round}` } }), LIST)
      expect(response.status).toBe(401)
    }
    expect(other.issuer.reads()).toBe(2)
    expect((await post(other.url, await other.accessToken(), LIST)).status).toBe(200)
    await other.close()
  })
})

describe('a token made by hand', () => {
  it('is passed on as it is, with our secret and the address of the client', async () => {
    const token = stack.manualToken()
    expect((await post(stack.url, token, LIST)).status).toBe(200)
    expect(stack.upstream.seen).toEqual([
      { method: 'GET', path: '/token', token, edgeSecret: EDGE_SECRET, address: '127.0.0.1', body: undefined },
    ])
  })

  it('does not let the caller choose the address', async () => {
    await post(stack.url, stack.manualToken(), LIST, {
      'x-forwarded-for': '10.1.2.3',
      'x-vertexsms-client-address': '10.1.2.3',
    })
    expect(stack.upstream.seen[0]?.address).toBe('127.0.0.1')
  })

  it.each(['Bearer a b', 'Bearer tök', 'Bearer "x"', `Bearer ${'x'.repeat(5000)}`])(
    'in the odd form %j is refused without asking the API',
    async (authorization) => {
      const response = await post(stack.url, null, LIST, {
        authorization: Buffer.from(authorization).toString('latin1'),
      })
      expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_INVALID'])
      expect(challengeOf(response)).toContain('error="invalid_token"')
      expect(stack.upstream.seen).toEqual([])
    },
  )

  it('that the API does not know gets 401 invalid_token', async () => {
    const response = await post(stack.url, 'vsms_unknownxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', legacy('tools/list'))
    expect([response.status, (await envelopeOf(response)).code]).toEqual([401, 'AUTH_INVALID'])
    expect(challengeOf(response)).toContain('error="invalid_token"')
  })
})

describe('when the signing keys cannot be read', () => {
  it('an access token gets 503, never 401, and a token made by hand still works', async () => {
    const other = await startStack()
    const token = await other.accessToken()
    await other.issuer.stop()
    const response = await post(other.url, token, LIST)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(challengeOf(response)).toBeNull()
    expect(await envelopeOf(response)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true })
    expect((await post(other.url, other.manualToken(), LIST)).status).toBe(200)
    expect((await fetch(other.url.replace('/mcp', '/readyz'))).status).toBe(503)
    await other.app.close()
    await other.upstream.stop()
  })
})
