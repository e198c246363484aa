// Clients known by a document of theirs: fetching, caching, changing and refusing it, over one server of documents.
import { randomBytes } from 'node:crypto'
import { POOL_SIZE } from '@vertexsms/db/client'
import { testDatabase } from '@vertexsms/db/testing'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { createOutbound, OutboundError } from '@vertexsms/service/outbound'
import { sampleOf } from '@vertexsms/service/sample'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../src/service-limits.ts'
import {
  answer,
  approve,
  connect,
  discover,
  exchange,
  post,
  refresh,
  register,
  start,
  type TestClient,
} from './support/client.ts'
import { later, realTime } from './support/clock.ts'
import { Outside, type Served, startHost } from './support/documents.ts'
import { type Stack, startStack } from './support/stack.ts'

const outside = new Outside()
let stack: Stack
beforeAll(async () => {
  stack = await startStack({ outbound: outside, poolSize: POOL_SIZE })
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

async function documentClient(url: string, redirectUri: string): Promise<TestClient> {
  return { server: await discover(stack), client: { client_id: url }, auth: oauth.None(), redirectUri }
}

/** Documents as their hosts serve them, rebuilt from field reports, and the redirect the client comes back with. */
const DOCUMENTS = [
  {
    name: 'claude.ai',
    url: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    document: {
      client_name: 'Claude',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'https://claude.ai/api/mcp/auth_callback',
  },
  {
    name: 'Claude Code, without a type and from any port',
    url: 'https://claude.ai/oauth/claude-code-client-metadata',
    document: {
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://localhost:58135/callback',
  },
  {
    name: 'VS Code, with grants we do not have',
    url: 'https://vscode.dev/oauth/client-metadata.json',
    document: {
      client_name: 'Visual Studio Code',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:33418/', 'http://127.0.0.1/', 'https://vscode.dev/redirect'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'openid',
    },
    uses: 'http://127.0.0.1:51000/',
  },
  {
    name: 'OpenCode',
    url: 'https://opencode.ai/oauth/client.json',
    document: {
      client_name: 'OpenCode',
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://127.0.0.1:20777/mcp/oauth/callback',
  },
] as const

describe('client ID metadata documents', () => {
  it.each(DOCUMENTS)('lead $name to working tokens', async ({ url, document, uses }) => {
    outside.serve(url, { client_id: url, ...document })
    const client = await documentClient(url, uses)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const flow = await start(client)
    const page = await person.open(flow.url)
    expect(page.html).toContain(new URL(url).host)
    const tokens = await connect(client, person)
    expect(tokens.scope.split(' ')).toHaveLength(5)
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('lead ChatGPT to working tokens with its private_key_jwt (RFC 7523)', async () => {
    const url = 'https://chatgpt.com/oauth/client.json'
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    outside.serve('https://chatgpt.com/oauth/jwks.json', {
      keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }],
    })
    outside.serve(url, {
      client_id: url,
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
    })
    const client = await documentClient(url, 'https://chatgpt.com/connector_platform_oauth_redirect')
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    const assertion = (jti: string) =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .setIssuer(url)
        .setSubject(url)
        .setAudience(stack.issuer)
        .setJti(jti)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey)
    const fields = async (jti: string) => ({
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: client.redirectUri,
      code_verifier: flow.verifier,
      client_assertion: await assertion(jti),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    const withoutKey = await post(`${stack.issuer}/oauth/token`, {
      ...(await fields('a')),
      client_assertion: '',
      client_id: url,
    })
    expect(withoutKey.body.error).toMatch(/invalid_client|invalid_request/)
    const good = await fields('b')
    expect((await post(`${stack.issuer}/oauth/token`, good)).status).toBe(200)
    expect((await post(`${stack.issuer}/oauth/token`, good)).body.error).toBe('invalid_client')
  })

  it('make a new connection with each approval: many installs share one document', async () => {
    const [{ url, document, uses }] = DOCUMENTS
    outside.serve(url, { client_id: url, ...document })
    const client = await documentClient(url, uses)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const first = await connect(client, person)
    await connect(client, person)
    expect(await stack.db.connection.count({ where: { accountId: id, endedAt: null } })).toBe(2)
    expect((await refresh(client, first.refresh)).scope).toBe(first.scope)
  })

  const base = { client_name: 'X', redirect_uris: ['https://x.example/cb'], token_endpoint_auth_method: 'none' }
  it.each([
    ['names another client_id', { ...base, client_id: 'https://y.example/c' }],
    ['has no client_id', base],
    ['has no name', { ...base, client_id: 'self', client_name: undefined }],
    ['has no redirect URI', { ...base, client_id: 'self', redirect_uris: [] }],
    [
      'has a redirect URI of a forbidden scheme',
      { ...base, client_id: 'self', redirect_uris: ['javascript:alert(1)'] },
    ],
    ['wants a shared secret', { ...base, client_id: 'self', token_endpoint_auth_method: 'client_secret_post' }],
    ['holds a secret', { ...base, client_id: 'self', client_secret: 'hush' }],
    ['is not JSON', '<html>'],
    ['is a list', '[]'],
  ])('cannot be used, and nothing leaves, when the document %s', async (name, document) => {
    const url = `https://refused.example/${encodeURIComponent(name)}`
    const body =
      typeof document === 'string'
        ? document
        : { ...document, ...('client_id' in document && document.client_id === 'self' && { client_id: url }) }
    outside.serve(url, body)
    const view = await (await stack.person()).open((await start(await documentClient(url, 'https://x.example/cb'))).url)
    expect(view.url.origin).toBe(stack.issuer)
    expect(view.status).toBe(503)
    expect(view.html).toContain('metadata document')
  })

  it('cannot be used when the document is not in UTF-8, and can with a byte order mark (RFC 8259 §8.1)', async () => {
    const shown = async (url: string, body: Uint8Array) => {
      outside.serve(url, body)
      return (await stack.person()).open((await start(await documentClient(url, 'https://x.example/cb'))).url)
    }
    const bytesOf = (url: string, name: string, encoding: BufferEncoding) =>
      Buffer.from(JSON.stringify({ ...base, client_id: url, client_name: name }), encoding)
    const latin = 'https://spelled.example/latin-1'
    expect((await shown(latin, bytesOf(latin, 'Café', 'latin1'))).status).toBe(503)
    const marked = 'https://spelled.example/marked'
    const withMark = Buffer.concat([Buffer.from('\ufeff'), bytesOf(marked, 'Café', 'utf8')])
    expect((await shown(marked, withMark)).url.pathname).toBe('/sign-in')
  })

  it('are cached as their headers say, between one minute and one day (RFC 9111 §5.2.2)', async () => {
    const cases = [
      [{}, 60],
      [{ 'cache-control': 'max-age=5' }, 60],
      [{ 'cache-control': 'public, max-age=600' }, 600],
      [{ 'cache-control': 'max-age=9999999' }, 86_400],
      [{ 'cache-control': 'no-store' }, 60],
      [{ 'cache-control': 'no-store, max-age=600' }, 60],
      [{ 'cache-control': 'max-age=600, No-Cache' }, 60],
      [{ 'cache-control': 'private, max-age=600' }, 60],
      [{ 'cache-control': 'max-age=60, s-maxage=600' }, 600],
      [{ 'cache-control': 'max-age=600', age: '200' }, 400],
    ] as const
    for (const [index, [headers, seconds]] of cases.entries()) {
      const url = `https://cached.example/${index}`
      outside.serve(url, { ...base, client_id: url }, { headers })
      const client = await documentClient(url, 'https://x.example/cb')
      const person = await stack.person()
      const count = () => outside.asked.filter((asked) => asked === url).length
      await person.open((await start(client)).url)
      await later(seconds - 2, stack)
      await person.open((await start(client)).url)
      expect([headers, count()]).toEqual([headers, 1])
      await later(4, stack)
      await person.open((await start(client)).url)
      expect([headers, count()]).toEqual([headers, 2])
      await realTime(stack)
    }
  })

  it('are cached by the clock of the database, whatever that of a node says', async () => {
    const test = await testDatabase()
    const options = { test, outbound: outside, settings: { OPERATOR_KEY: randomBytes(32).toString('base64url') } }
    const nodes = [await startStack(options), await startStack(options)]
    try {
      const url = 'https://clocks.example/client'
      outside.serve(url, { ...base, client_id: url }, { headers: { 'cache-control': 'max-age=600' } })
      const count = () => outside.asked.filter((asked) => asked === url).length
      for (const { issuer } of nodes) {
        await post(`${issuer}/oauth/token`, { grant_type: 'refresh_token', client_id: url, refresh_token: 'x' })
        await test.followDate(601_000)
      }
      expect(count()).toBe(2)
    } finally {
      for (const node of nodes) await node.close()
      await test.close()
    }
  })

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.client+json'])(
    'that are served as %s are read (draft §4.1)',
    async (type) => {
      const url = `https://types.example/${encodeURIComponent(type)}`
      outside.serve(url, { ...base, client_id: url }, { headers: { 'content-type': type } })
      const person = await stack.person()
      const opened = await person.open((await start(await documentClient(url, 'https://x.example/cb'))).url)
      expect(opened.url.pathname).not.toBe('/oauth/authorize')
    },
  )

  it.each([undefined, null, ''])('whose method of authentication is %s are of a public client', async (method) => {
    const url = `https://methods.example/client-${method}`
    outside.serve(url, { ...base, client_id: url, token_endpoint_auth_method: method })
    const client = await documentClient(url, 'https://x.example/cb')
    const { id } = await stack.account()
    expect((await connect(client, await stack.person(id))).scope.split(' ')).toHaveLength(5)
  })

  it('that cannot be fetched are not asked for again at once', async () => {
    const url = 'https://down.example/client'
    const client = await documentClient(url, 'https://x.example/cb')
    const person = await stack.person()
    for (let attempt = 0; attempt < 3; attempt += 1) await person.open((await start(client)).url)
    expect(outside.asked.filter((asked) => asked === url)).toHaveLength(1)
    await later(61, stack)
    outside.serve(url, { ...base, client_id: url })
    expect((await person.open((await start(client)).url)).url.pathname).not.toBe('/oauth/authorize')
  })

  it('that could not be fetched are asked for again where the clock was set back meanwhile', async () => {
    const url = 'https://set-back.example/client'
    const client = await documentClient(url, 'https://x.example/cb')
    const person = await stack.person()
    outside.serve(url, new Error('down'))
    expect((await person.open((await start(client)).url)).url.pathname).toBe('/oauth/authorize')
    await later(-3_600, stack)
    outside.serve(url, { ...base, client_id: url })
    expect((await person.open((await start(client)).url)).url.pathname).not.toBe('/oauth/authorize')
  })

  it('are fetched again where the clock of a node alone was set back since it kept them', async () => {
    const url = 'https://set-back.example/kept'
    const client = await documentClient(url, 'https://x.example/cb')
    const person = await stack.person()
    outside.serve(url, { ...base, client_id: url })
    const right = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: right + 3_600_000 })
    await person.open((await start(client)).url)
    vi.setSystemTime(right)
    await later(61, stack)
    await person.open((await start(client)).url)
    expect(outside.asked.filter((asked) => asked === url)).toHaveLength(2)
  })

  /** Everything a host can do but say that the document is gone. */
  const TROUBLES: readonly [string, (url: string) => Served | Error][] = [
    ['is down', () => new Error('down')],
    ['has no sound certificate', () => new OutboundError('UNREACHABLE', 'no answer')],
    ['does not answer in time', () => new OutboundError('TIMEOUT', 'no complete answer in time')],
    ['answers far too much', () => new OutboundError('TOO_LARGE', 'the answer is larger')],
    ['redirects', () => new OutboundError('REDIRECT_REFUSED', 'redirects are not followed')],
    ['moved to a private address', () => new OutboundError('ADDRESS_REFUSED', 'not public')],
    ...sampleOf([204, 400, 401, 403, 405, 406, 408, 418, 421, 429, 451, 500, 502, 503, 520], 5, process.env).map(
      (status): [string, () => Served] => [`answers ${status}`, () => ({ status, body: 'no' })],
    ),
    ['answers with a page', () => ({ body: '<html>' })],
    ['answers with nothing', () => ({ body: '' })],
    ...['text/plain', 'text/html', 'application/jsonp', 'text/json', 'application/x+json+zip', ''].map(
      (type): [string, (url: string) => Served] => [
        `serves it as ${type || 'nothing'}`,
        (url) => ({ headers: { 'content-type': type }, body: { ...base, client_id: url } }),
      ],
    ),
    ['serves another document', () => ({ body: { ...base, client_id: 'https://y.example/c' } })],
    ['serves a document without redirects', (url) => ({ body: { ...base, client_id: url, redirect_uris: [] } })],
    ['serves a document with a secret', (url) => ({ body: { ...base, client_id: url, client_secret: 'hush' } })],
    ...[
      ['that signs and has no keys', {}],
      ['with its keys in two places', { jwks: { keys: [] }, jwks_uri: 'https://keys.example/jwks.json' }],
      ['with a key that is no public one', { jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }],
      [
        'that signs by a secret',
        { jwks_uri: 'https://keys.example/jwks.json', token_endpoint_auth_signing_alg: 'HS256' },
      ],
    ].map(([what, keys]): [string, (url: string) => Served] => [
      `serves a document ${what}`,
      (url) => ({
        body: { ...base, client_id: url, token_endpoint_auth_method: 'private_key_jwt', ...Object(keys) },
      }),
    ]),
  ]

  it.each(TROUBLES)('serve for days while their host %s, so that connections go on', async (name, trouble) => {
    const url = `https://flaky.example/${encodeURIComponent(name)}`
    outside.serve(url, { ...base, client_id: url })
    const client = await documentClient(url, 'https://x.example/cb')
    const { id } = await stack.account()
    const person = await stack.person(id)
    const tokens = await connect(client, person)
    outside.served.set(url, trouble(url))
    outside.asked.length = 0
    await later(6 * 86_400, stack)
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
    expect(outside.asked).toEqual([url])
    await later(2 * 86_400, stack)
    const answer = await post(`${stack.issuer}/oauth/token`, {
      grant_type: 'refresh_token',
      client_id: url,
      refresh_token: 'x',
    })
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable'])
  })

  it.each(TROUBLES)('that were never had are a passing trouble when their host %s', async (name, trouble) => {
    const url = `https://never.example/${encodeURIComponent(name)}`
    outside.served.set(url, trouble(url))
    for (const path of ['/oauth/token', '/oauth/revoke', '/oauth/par', '/oauth/introspect']) {
      const fields = { grant_type: 'refresh_token', client_id: url, refresh_token: 'x', token: 'x' }
      const answer = await post(`${stack.issuer}${path}`, fields)
      expect([path, answer.status, answer.body.error]).toEqual([path, 503, 'temporarily_unavailable'])
      const seconds = Number(answer.headers.get('retry-after'))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
      expect(answer.headers.get('access-control-expose-headers')).toBe('retry-after')
    }
    const page = await (await stack.person()).get((await start(await documentClient(url, 'https://x.example/cb'))).url)
    expect([page.status, page.headers.get('location')]).toEqual([503, null])
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(page.html).toContain('metadata document')
  })

  it.each([404, 410])('that were withdrawn with %s end the client at once, and stay withdrawn', async (status) => {
    const url = `https://gone.example/${status}`
    outside.serve(url, { ...base, client_id: url })
    const client = await documentClient(url, 'https://x.example/cb')
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    outside.serve(url, 'gone', { status })
    await later(120, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_client' })
    outside.serve(url, 'broken', { status: 500 })
    await later(120, stack)
    const broken = await post(`${stack.issuer}/oauth/token`, {
      grant_type: 'refresh_token',
      client_id: url,
      refresh_token: tokens.refresh,
    })
    expect(broken.status).toBe(503)
    outside.serve(url, { ...base, client_id: url })
    await later(120, stack)
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('stay withdrawn, though another node asked for them before, and is answered only after', async () => {
    const test = await testDatabase()
    let arrive = (): void => {}
    let goOn = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const passed = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const slow = new Outside()
    slow.fetch = async (url) => {
      const answer = await outside.fetch(url)
      arrive()
      await passed
      return answer
    }
    const settings = { OPERATOR_KEY: randomBytes(32).toString('base64url') }
    const one = await startStack({ test, settings, outbound: outside })
    const other = await startStack({ test, settings, outbound: slow })
    const errorAt = async ({ issuer }: Stack) => {
      const fields = { grant_type: 'refresh_token', client_id: url, refresh_token: 'x' }
      return (await post(`${issuer}/oauth/token`, fields)).body.error
    }
    const url = 'https://nodes.example/client'
    try {
      outside.serve(url, { ...base, client_id: url })
      expect(await errorAt(one)).toBe('invalid_grant')
      await later(120, one)
      const late = errorAt(other)
      await arrived
      outside.serve(url, 'gone', { status: 410 })
      expect(await errorAt(one)).toBe('invalid_client')
      goOn()
      // It asked while there was one.
      expect(await late).toBe('invalid_grant')
      for (const node of [one, other]) expect(await errorAt(node)).toBe('invalid_client')
    } finally {
      goOn()
      await realTime(one)
      for (const node of [one, other]) await node.close()
      await test.close()
    }
  })

  it.each([404, 410])('that were withdrawn with %s while a person decides end what was asked', async (status) => {
    const url = `https://leaves.example/${status}`
    outside.serve(url, { ...base, client_id: url })
    const { id } = await stack.account()
    const person = await stack.person(id)
    const page = await person.open((await start(await documentClient(url, 'https://x.example/cb'))).url)
    outside.serve(url, 'gone', { status })
    await later(120, stack)
    const ended = [await person.get(page.url), await answer(person, page)]
    expect(ended.map((view) => [view.status, view.html.includes('This request has ended')])).toEqual([
      [400, true],
      [400, true],
    ])
    expect(await stack.db.connection.count({ where: { clientId: url } })).toBe(0)
  })

  it('that take back the place of the answer while a person decides end what was asked', async () => {
    const url = 'https://moves.example/client'
    outside.serve(url, { ...base, client_id: url })
    const { id } = await stack.account()
    const person = await stack.person(id)
    const page = await person.open((await start(await documentClient(url, 'https://x.example/cb'))).url)
    outside.serve(url, { ...base, client_id: url, redirect_uris: ['https://x.example/other'] })
    await later(120, stack)
    for (const view of [await person.get(page.url), await answer(person, page)]) {
      expect([view.status, view.html.includes('This request has ended')]).toEqual([400, true])
    }
    expect(await stack.db.connection.count({ where: { clientId: url } })).toBe(0)
  })

  it('that cannot be had just now while a person decides keep what was asked waiting', async () => {
    const url = 'https://absent.example/client'
    outside.serve(url, { ...base, client_id: url })
    const { id } = await stack.account()
    const person = await stack.person(id)
    const page = await person.open((await start(await documentClient(url, 'https://x.example/cb'))).url)
    // The copy had to make room for others.
    await stack.db.oidcClient.deleteMany({ where: { id: url } })
    outside.serve(url, 'broken', { status: 500 })
    await later(120, stack)
    for (const view of [await person.get(page.url), await answer(person, page)]) {
      expect([view.status, view.headers.get('retry-after'), view.html.includes('This request has ended')]).toEqual([
        503,
        '1',
        false,
      ])
    }
    outside.serve(url, { ...base, client_id: url })
    await later(120, stack)
    expect((await person.get(page.url)).status).toBe(200)
  })

  it('are fetched once for many requests at once', async () => {
    const url = 'https://busy.example/client'
    outside.serve(url, { ...base, client_id: url })
    const client = await documentClient(url, 'https://x.example/cb')
    const person = await stack.person()
    await Promise.all(Array.from({ length: 10 }, async () => person.open((await start(client)).url)))
    expect(outside.asked.filter((asked) => asked === url)).toHaveLength(1)
  })
})

describe('the key set of a client', () => {
  const jwks = 'https://keys.example/jwks.json'

  /** A client that signs its requests, and how many times its host was asked for the keys. */
  async function signingClient(name: string, on = stack, keysUrl = `${jwks}?${name}`) {
    const url = `https://keys.example/${name}`
    outside.serve(url, {
      client_id: url,
      client_name: 'Signs',
      redirect_uris: ['https://keys.example/cb'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: keysUrl,
    })
    const pairs = new Map<string, CryptoKey>()
    async function publish(...kids: string[]) {
      const keys = []
      for (const kid of kids) {
        const { privateKey, publicKey } = await generateKeyPair('ES256')
        pairs.set(kid, privateKey)
        keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' })
      }
      outside.serve(keysUrl, { keys })
    }
    async function revoke(kid: string) {
      const { privateKey: unknown } = await generateKeyPair('ES256')
      const assertion = await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(url)
        .setSubject(url)
        .setAudience(on.issuer)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(pairs.get(kid) ?? unknown)
      return post(`${on.issuer}/oauth/revoke`, {
        token: 'x',
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      })
    }
    const asked = () => outside.asked.filter((one) => one === keysUrl).length
    return { keysUrl, publish, revoke, asked }
  }

  it('is asked for once a minute, however many unknown keys come', async () => {
    const { publish, revoke, asked } = await signingClient('storm')
    await publish('a')
    expect((await revoke('a')).status).toBe(200)
    const storm = await Promise.all(Array.from({ length: 30 }, (_, index) => revoke(`unknown-${index}`)))
    expect(new Set(storm.map(({ body }) => body.error))).toEqual(new Set(['invalid_client']))
    expect(asked()).toBe(1)
  })

  it('is asked for again where the clock was set back since it was', async () => {
    const { publish, revoke, asked } = await signingClient('set-back')
    await publish('a')
    expect((await revoke('a')).status).toBe(200)
    await publish('b')
    await later(-3_600, stack)
    expect((await revoke('b')).status).toBe(200)
    expect(asked()).toBe(2)
  })

  it('is known anew a minute after it changed', async () => {
    const { publish, revoke, asked } = await signingClient('rotated')
    await publish('a')
    expect((await revoke('a')).status).toBe(200)
    await publish('b')
    await later(61, stack)
    expect((await revoke('b')).status).toBe(200)
    expect((await revoke('a')).body.error).toBe('invalid_client')
    expect(asked()).toBe(2)
  })

  it.each([
    ['fails', new Error('down')],
    ['answers 500', { status: 500, body: 'no' }],
    ['answers 404', { status: 404, body: 'no' }],
    ['answers with a page', { body: '<html>' }],
    ['answers with no keys', { body: {} }],
    ['answers with keys that are none', { body: { keys: [1] } }],
    ['answers with no object', { body: 'null' }],
    [
      'answers with keys nested deep',
      { body: `{"keys":[{"kty":"EC","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}` },
    ],
    ['answers with more keys than anybody has', { body: { keys: Array.from({ length: 21 }, () => ({ kty: 'EC' })) } }],
    ['answers with a key that is costly to try', { body: { keys: [{ kty: 'RSA', n: 'q', e: 'f'.repeat(342) }] } }],
    ['answers with a key of 16384 bits', { body: { keys: [{ kty: 'RSA', n: 'q'.repeat(2731), e: 'AQAB' }] } }],
    ['answers with keys in text that is none', { body: '{"keys":[{"kty":"EC","kid":"\\ud800"}]}' }],
  ])('that %s is a passing trouble, asked for once a minute', async (name, trouble: Served | Error) => {
    const { keysUrl, revoke, asked } = await signingClient(`broken-${name.replaceAll(' ', '-')}`)
    outside.served.set(keysUrl, trouble)
    const answers = await Promise.all(Array.from({ length: 20 }, () => revoke('a')))
    for (const { status, body, headers } of answers) {
      expect([status, body.error, headers.get('retry-after')]).toEqual([503, 'temporarily_unavailable', '60'])
    }
    expect(asked()).toBe(1)
  })

  /** As if this client had been seen before, and connected where `lastUsedAt` says so. */
  async function store(on: Stack, name: string, lastUsedAt: Date | null) {
    const id = `https://keys.example/${name}`
    const payload = { ...(outside.served.get(id) as Served & { body: object }).body }
    const freshUntil = new Date(Date.now() + 3_600_000)
    await on.db.oidcClient.create({ data: { id, payload, createdAt: new Date(), lastUsedAt, freshUntil } })
  }

  /** Counts what others did in this minute. */
  async function counted(on: Stack, name: 'documentClient' | 'keySetHost', subject: string, hits: number) {
    const windowAt = new Date(Math.floor(Date.now() / 60_000) * 60_000)
    const key = `${name}:${Buffer.from(hashToken(subject)).toString('base64url')}`
    await on.db.rateCounter.create({ data: { key, windowAt, hits, expiresAt: new Date(Date.now() + 60_000) } })
  }

  async function limitedStack() {
    const limited = await startStack({ outbound: outside, settings: { RATE_LIMITS: 'on' } })
    // All in one window of the limit, a minute on.
    vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 + 1000 })
    await limited.followDate()
    return limited
  }

  it('is asked for at a measured pace of its host, however many made-up clients name paths there', async () => {
    const limited = await limitedStack()
    try {
      await counted(limited, 'keySetHost', 'keys.example', LIMITS.keySetHost.hits - 3)
      let asked = 0
      for (let index = 0; index < 5; index++) {
        const madeUp = await signingClient(`made-up-${index}`, limited)
        expect((await madeUp.revoke('a')).status).toBe(503)
        asked += madeUp.asked()
      }
      expect(asked).toBe(3)

      const connected = await signingClient('connected', limited)
      await connected.publish('a')
      await store(limited, 'connected', new Date())
      // Who is refused because of that pace keeps the keys from nobody else who names them, before or at once.
      const stranger = await signingClient('stranger', limited, connected.keysUrl)
      expect((await stranger.revoke('a')).status).toBe(503)
      const [refused, served] = await Promise.all([stranger.revoke('a'), connected.revoke('a')])
      expect([refused.status, served.status, connected.asked()]).toEqual([expect.any(Number), 200, 1])
    } finally {
      await limited.close()
    }
  })

  it('costs the address that makes us ask, once for many requests at a time, before it costs its host', async () => {
    const limited = await limitedStack()
    try {
      const hits = async (name: string) =>
        (await limited.db.rateCounter.findMany({ where: { key: { startsWith: `${name}:` } } })).map((row) => row.hits)
      const burst = await signingClient('burst', limited)
      await burst.publish('a')
      await store(limited, 'burst', null)
      const answers = await Promise.all(Array.from({ length: 20 }, () => burst.revoke('a')))
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      expect([await hits('documentClient'), await hits('keySetHost'), burst.asked()]).toEqual([[1], [1], 1])

      await limited.db.rateCounter.deleteMany()
      await counted(limited, 'documentClient', '127.0.0.1', LIMITS.documentClient.hits)
      const statuses = []
      for (const [name, lastUsedAt] of [
        ['flooding', null],
        ['long-connected', new Date()],
      ] as const) {
        const one = await signingClient(name, limited)
        await one.publish('a')
        await store(limited, name, lastUsedAt)
        statuses.push((await one.revoke('a')).status, one.asked())
      }
      expect([statuses, await hits('keySetHost')]).toEqual([[503, 0, 200, 1], []])
    } finally {
      await limited.close()
    }
  })

  it('is used without a key in it that is too large to be tried (RFC 7517 §5)', async () => {
    const { keysUrl, publish, revoke } = await signingClient('large')
    await publish('a')
    const { body } = outside.served.get(keysUrl) as { body: { keys: object[] } }
    outside.serve(keysUrl, { keys: [{ kty: 'RSA', n: 'q'.repeat(1366), e: 'AQAB' }, ...body.keys] })
    expect((await revoke('a')).status).toBe(200)
  })

  it('serves for a day while its host fails', async () => {
    const { keysUrl, publish, revoke } = await signingClient('stale')
    await publish('a')
    expect((await revoke('a')).status).toBe(200)
    outside.served.set(keysUrl, new Error('down'))
    await later(20 * 3600, stack)
    expect((await revoke('a')).status).toBe(200)
    await later(8 * 3600, stack)
    // The library holds the keys themselves for as long as they answer; a key it does not know makes it ask.
    expect((await revoke('b')).status).toBe(503)
  })
})

describe('with documents switched off', () => {
  it('clients register, and no document is fetched, one that was stored before neither used', async () => {
    const shared = await testDatabase()
    const asked = new Outside()
    const url = 'https://off.example/client'
    asked.serve(url, {
      client_id: url,
      client_name: 'X',
      redirect_uris: ['http://127.0.0.1/cb'],
      token_endpoint_auth_method: 'none',
    })
    const OPERATOR_KEY = randomBytes(32).toString('base64url')
    const on = await startStack({ test: shared, outbound: asked, settings: { OPERATOR_KEY } })
    const off = await startStack({
      test: shared,
      outbound: asked,
      settings: { OPERATOR_KEY, CLIENT_DOCUMENTS: 'off' },
    })
    try {
      const client = { client: { client_id: url }, auth: oauth.None(), redirectUri: 'http://127.0.0.1:5000/cb' }
      const opened = await (await on.person()).open((await start({ ...client, server: await discover(on) })).url)
      expect(opened.url.pathname).toBe('/sign-in')
      asked.asked.length = 0

      const server = await discover(off)
      expect(server.client_id_metadata_document_supported).toBe(false)
      const view = await (await off.person()).open((await start({ ...client, server })).url)
      expect([view.status, view.url.pathname]).toEqual([400, '/oauth/authorize'])
      const fields = { grant_type: 'refresh_token', client_id: url, refresh_token: 'x' }
      expect((await post(`${off.issuer}/oauth/token`, fields)).body.error).toBe('invalid_client')
      expect(asked.asked).toEqual([])

      const { id } = await off.account()
      const tokens = await connect(await register(off), await off.person(id))
      expect(tokens.scope.split(' ')).toHaveLength(5)
    } finally {
      await on.close()
      await off.close()
      await shared.close()
    }
  })
})

describe('in the development setting', () => {
  it('documents may come from http://localhost, through the real guard', async () => {
    const guard = createOutbound({ allowLocalhost: true })
    const host = await startHost((_request, response) => {
      const url = `http://localhost:${host.port}/client.json`
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          client_id: url,
          client_name: 'Local',
          redirect_uris: ['http://127.0.0.1/cb'],
          token_endpoint_auth_method: 'none',
        }),
      )
    })
    const local = await startStack({ outbound: guard, settings: { OUTBOUND_ALLOW_LOCALHOST: 'on' } })
    try {
      const url = `http://localhost:${host.port}/client.json`
      const client = {
        server: await discover(local),
        client: { client_id: url },
        auth: oauth.None(),
        redirectUri: 'http://127.0.0.1:5000/cb',
      }
      const { id } = await local.account()
      const flow = await start(client)
      const tokens = await exchange(client, flow, await approve(await local.person(id), flow))
      expect(tokens.scope.split(' ')).toHaveLength(5)
    } finally {
      await local.close()
      await host.close()
      await guard.close()
    }
  })
})
