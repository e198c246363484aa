// Where a browser may be sent: each way to name an address of one’s own, and how it is refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, connect, exchange, post, register, start, type TestClient } from '../support/client.ts'
import { hiddenField, type Person } from '../support/person.ts'
import { type Stack, startStack } from '../support/stack.ts'

let stack: Stack
let web: TestClient
let native: TestClient
beforeAll(async () => {
  stack = await startStack()
  web = await register(stack, { redirect_uris: ['https://app.example/cb'] })
  native = await register(stack, {
    redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]/cb', 'https://localhost/cb', 'com.example.app:/cb'],
  })
})
afterAll(() => stack?.close())

/** Every way in which an address that looks like the registered one is not it. */
const TRICKS: readonly [string, string][] = [
  ['userinfo before the host', 'https://app.example@evil.example/cb'],
  ['userinfo with the host as password', 'https://x:app.example@evil.example/cb'],
  ['a suffix host', 'https://app.example.evil.example/cb'],
  ['a prefix host', 'https://evilapp.example/cb'],
  ['a subdomain', 'https://x.app.example/cb'],
  ['a backslash for a slash', 'https://evil.example\\@app.example/cb'],
  ['a backslash in the path', 'https://app.example\\cb'],
  ['another case of the path', 'https://app.example/CB'],
  ['another case of the host', 'https://APP.example/cb'],
  ['a percent-encoded path', 'https://app.example/%63b'],
  ['dot segments', 'https://app.example/x/../cb'],
  ['encoded dot segments', 'https://app.example/%2e%2e/cb'],
  ['a longer path', 'https://app.example/cb/../../evil'],
  ['a path parameter', 'https://app.example/cb;x'],
  ['an added query', 'https://app.example/cb?next=https://evil.example'],
  ['a fragment', 'https://app.example/cb#x'],
  ['an explicit default port', 'https://app.example:443/cb'],
  ['another port', 'https://app.example:8443/cb'],
  ['plain http', 'http://app.example/cb'],
  ['a trailing slash', 'https://app.example/cb/'],
  ['a trailing dot', 'https://app.example./cb'],
  ['a tab', 'https://app.example/\tcb'],
  ['a line break', 'https://app.example/cb\r\nSet-Cookie: a=b'],
  ['a null byte', 'https://app.example/cb\0'],
  ['a look-alike letter', 'https://\u0430pp.example/cb'],
  ['a full-width dot', 'https://app\uff0eexample/cb'],
  ['no scheme', '//app.example/cb'],
  ['a script', 'javascript:alert(1)//https://app.example/cb'],
  ['data', 'data:text/html,https://app.example/cb'],
]

/** Deep links of known clients and launchers, which open, start or install what they say. */
const DEEP_LINKS = [
  'cursor://anysphere.cursor-deeplink/mcp/install?name=x&config=e30%3D',
  'CURSOR://Anysphere.Cursor-Deeplink/mcp/install',
  'cursor://anysphere.cursor-deep%6cink/mcp/install',
  'vscode:extension/someone.something',
  'vscode:mcp/install?%7B%7D',
  'vscode://file//evil.example/share',
  'vscode://vscode-remote/ssh-remote+evil.example/x',
  'vscode://vscode.git/clone?url=https://evil.example/x.git',
  'vscode-insiders:extension/someone.something',
  'goose://extension?cmd=npx&arg=evil',
  'lmstudio://add_mcp?name=x&config=e30%3D',
  'raycast://extensions/someone/something/command?arguments=%7B%7D',
  'warp://action/new_tab?path=/',
  'zed://file/etc/passwd',
  'claude://claude.ai/new?q=prompt',
  'cursor:',
  'cursor:///oauth/callback',
  'microsoft.windows.camera:',
  'com.epicgames.launcher://apps/x',
]

/** Schemes that a browser, the system or an installer acts on, and such as look like a reverse domain name. */
const FOREIGN_SCHEMES = [
  'ms-appinstaller',
  'search',
  'search-ms',
  'microsoft-edge',
  'itms-services',
  'itms-apps',
  'jnlp',
  'jnlps',
  'ms-word',
  'ms-excel',
  'ms-settings',
  'ms-officecmd',
  'googlechrome',
  'googlechromes',
  'steam',
  'slack',
  'zoommtg',
  'tel',
  'sms',
  'market',
  'myapp',
  'web+app',
  'cursorx',
  'x-apple.systempreferences',
  'x.y',
  'com..example',
  'com.example.',
  'com.-example',
  'com.ex+ample',
]

describe('an open redirect', () => {
  it.each(TRICKS)(
    'is not to be had with %s: the browser stays with us (RFC 9700 §4.1.3, OAuth 2.1 §2.3.1)',
    async (_name, redirectUri) => {
      const view = await (await stack.person()).open((await start(web, { redirect_uri: redirectUri })).url)
      expect(view.url.origin).toBe(stack.issuer)
      expect(view.status).toBe(400)
      expect(view.headers.get('location')).toBeNull()
    },
  )

  it.each([
    ['no redirect URI where several are registered', { redirect_uri: null }],
    ['an unknown client', { client_id: 'nobody', redirect_uri: 'https://evil.example/' }],
  ])('is not to be had with %s (RFC 6749 §4.1.2.1)', async (_name, params) => {
    const view = await (await stack.person()).open((await start(native, params)).url)
    expect(view.url.origin).toBe(stack.issuer)
    expect(view.status).toBe(400)
  })

  it('is not to be had with two redirect URIs: the error goes to the registered one (RFC 6749 §3.1)', async () => {
    const flow = await start(web, { redirect_uri: ['https://evil.example/', 'https://app.example/cb'] })
    const view = await (await stack.person()).open(flow.url)
    expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
    // The link to the other language comes back to this very address, and is no way there.
    const ways = [...view.html.matchAll(/(?:href|action|content)="([^"]*)"/g)].map(([, way = '']) => way)
    expect(ways.some((way) => way.startsWith('https://app.example/cb?error=invalid_request'))).toBe(true)
    expect(ways.filter((way) => /^(\d+;url=)?(https?:)?\/\/evil/.test(way))).toEqual([])
  })

  it('is not to be had through an error either: an error of another parameter does not reach an unregistered address (RFC 9700 §4.11.2)', async () => {
    const view = await (await stack.person()).open(
      (await start(web, { redirect_uri: 'https://evil.example/', response_type: 'token', scope: 'nonsense' })).url,
    )
    expect(view.url.origin).toBe(stack.issuer)
  })

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'is not to be had through sign-in with return_to %s (RFC 9700 §4.11)',
    async (target) => {
      const { id } = await stack.account()
      const view = await (await stack.person(id)).get(`/sign-in?return_to=${encodeURIComponent(target)}`)
      expect(new URL(view.headers.get('location') ?? '/', stack.issuer).origin).toBe(stack.issuer)
    },
  )
})

describe('an error before the person has seen a page of ours', () => {
  /** Everything that is wrong with a request besides its client and its redirect. */
  const WRONG: readonly [string, Record<string, string | readonly string[] | null>][] = [
    ['an unknown scope', { scope: 'nonsense' }],
    ['a scope of wrong characters', { scope: 'a"b' }],
    ['a wrong resource', { resource: 'https://evil.example/mcp' }],
    ['a resource that is no URI', { resource: 'x' }],
    ['no PKCE', { code_challenge: null, code_challenge_method: null }],
    ['the plain method of PKCE', { code_challenge_method: 'plain' }],
    ['a malformed challenge', { code_challenge: 'x' }],
    ['prompt=none', { prompt: 'none' }],
    ['prompt=none with another', { prompt: 'none login' }],
    ['no response type', { response_type: null }],
    ['a wrong response type', { response_type: 'token' }],
    ['an unknown response type', { response_type: 'nonsense' }],
    ['a response mode of others', { response_mode: 'form_post' }],
    ['a response mode that sends a fragment', { response_mode: 'fragment' }],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['a request URI', { request_uri: 'https://evil.example/r' }],
    ['a pushed request that is not there', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }],
    ['a repeated parameter', { state: ['a', 'b'] }],
    ['a repeated scope', { scope: ['a', 'b'] }],
  ]

  it.each(WRONG)('shows a page with a link instead of leaving: %s (RFC 9700 §4.11.2)', async (_name, params) => {
    const { id } = await stack.account()
    for (const person of [await stack.person(), await stack.person(id)]) {
      const view = await person.get((await start(web, params)).url)
      expect([view.status, view.headers.get('location')]).toEqual([400, null])
      const [, href = ''] = /href="(https:[^"]+)"/.exec(view.html) ?? []
      expect(href).toMatch(/^https:\/\/app\.example\/cb[?#]error=/)
      expect(view.html).not.toContain('http-equiv="refresh"')
    }
  })

  it.each(WRONG)('goes straight to an app on the same computer: %s (RFC 8252 §7.3)', async (_name, params) => {
    const local = { ...native, redirectUri: 'http://127.0.0.1:50999/cb' }
    const view = await (await stack.person()).open((await start(local, params)).url)
    expect([view.url.origin, `${view.url.search}${view.url.hash}`]).toEqual([
      'http://127.0.0.1:50999',
      expect.stringMatching(/[?#]error=/),
    ])
  })

  it('shows a page where the answer would open a program (RFC 8252 §7.1)', async () => {
    const program = { ...native, redirectUri: 'com.example.app:/cb' }
    const view = await (await stack.person()).get((await start(program, { prompt: 'none' })).url)
    expect([view.status, view.headers.get('location')]).toEqual([400, null])
    expect(view.html).toContain('href="com.example.app:/cb?error=login_required')
  })

  it('shows a page for a pushed request too (RFC 9126 §4)', async () => {
    const flow = await start(web, { prompt: 'none' })
    const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(flow.url.searchParams))
    expect(pushed.status).toBe(201)
    const query = new URLSearchParams({
      client_id: web.client.client_id,
      request_uri: String(pushed.body.request_uri),
    })
    const view = await (await stack.person()).get(`/oauth/authorize?${query}`)
    expect([view.status, view.headers.get('location')]).toEqual([400, null])
  })

  it('shows a page when only the headers are asked for', async () => {
    const { url } = await start(web, { prompt: 'none' })
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })

  it('is not to be had, nor a row, at an address that only looks like the endpoint, past its limits and rules (RFC 9700 §4.11.2)', async () => {
    const before = await stack.db.oidcArtifact.count()
    for (const asked of [{ request: 'x', response_mode: 'form_post' }, { state: 'x'.repeat(5000) }]) {
      const { url } = await start(web, asked)
      const response = await fetch(url.href.replace('/authorize?', '/authorize/?'), { redirect: 'manual' })
      expect(response.status).toBe(404)
      expect(await response.text()).not.toContain('app.example')
    }
    expect(await stack.db.oidcArtifact.count()).toBe(before)
  })

  describe('of a client that the account signed in in this browser has connected', () => {
    const asked = async (client: TestClient, person: Person) =>
      (await person.get((await start(client, { prompt: 'none' })).url)).headers.get('location')
    const CONSENT_REQUIRED = /^https:\/\/app\.example\/cb\?error=(login|consent)_required/

    it('goes straight there, as long as the connection lives', async () => {
      const { id } = await stack.account()
      const person = await stack.person(id)
      await connect(web, person)
      expect(await asked(web, person)).toMatch(CONSENT_REQUIRED)

      const live = { accountId: id, endedAt: null }
      const now = Date.now()
      await stack.db.connection.updateMany({ where: live, data: { expiresAt: new Date(now - 1000) } })
      expect(await asked(web, person)).toBeNull()
      await stack.db.connection.updateMany({ where: live, data: { expiresAt: new Date(now + 100_000) } })
      expect(await asked(web, person)).toMatch(CONSENT_REQUIRED)
      await stack.db.connection.updateMany({ where: live, data: { endedAt: new Date(now) } })
      expect(await asked(web, person)).toBeNull()
    })

    it('shows a page in every other browser, to another account, and for another client', async () => {
      const { id } = await stack.account()
      const person = await stack.person(id)
      await connect(web, person)
      const other = await stack.account()
      const stranger = await register(stack, { redirect_uris: ['https://app.example/cb'] })
      expect(await asked(web, await stack.person())).toBeNull()
      expect(await asked(web, await stack.person(other.id))).toBeNull()
      expect(await asked(stranger, person)).toBeNull()
      await person.post('/sign-out', [['csrf', hiddenField((await person.get('/settings/api')).html, 'csrf')]])
      expect(await asked(web, person)).toBeNull()
    })
  })

  it('is not hidden from a person who decided: a denial goes to the app (RFC 6749 §4.1.2.1)', async () => {
    const { id } = await stack.account()
    const back = await approve(await stack.person(id), await start(web), { decision: 'deny' })
    expect([back.origin, back.searchParams.get('error')]).toEqual(['https://app.example', 'access_denied'])
  })
})

describe('a redirect that was registered when the rules were others', () => {
  it.each(['ms-word:cb', 'search://cb', 'http://app.example/cb'])(
    'is not used, not even in an error: %s (RFC 8252 §7.1)',
    async (redirectUri) => {
      const old = await register(stack, { redirect_uris: ['com.example.app:/cb'] })
      const where = { id: old.client.client_id }
      const { payload } = await stack.db.oidcClient.findUniqueOrThrow({ where })
      // Registered anew under its old address: found clients are kept for a minute.
      const id = `${where.id}-old`
      const data = { ...(payload as object), redirect_uris: [redirectUri] }
      await stack.db.oidcClient.create({ data: { id, payload: data, createdAt: new Date() } })
      const client = { ...old, client: { client_id: id }, redirectUri }
      const person = await stack.person()
      const requests: Record<string, null>[] = [{}, { redirect_uri: null }, { redirect_uri: null, response_type: null }]
      for (const params of requests) {
        const view = await person.get((await start(client, params)).url)
        expect([view.status, view.headers.get('location')]).toEqual([400, null])
        expect(view.html).not.toContain(redirectUri)
      }
    },
  )
})

describe('a loopback redirect', () => {
  it.each([
    'http://127.0.0.1:50123/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:40000/cb',
    'https://localhost/cb',
    'https://localhost:8443/cb',
  ])('may use any port, with TLS or without: %s (RFC 8252 §7.3)', async (redirectUri) => {
    const { id } = await stack.account()
    const client = { ...native, redirectUri }
    const flow = await start(client)
    await exchange(client, flow, await approve(await stack.person(id), flow))
  })

  it.each([
    ['localhost for 127.0.0.1', 'http://localhost:5000/cb'],
    ['a suffix host', 'http://127.0.0.1.evil.example/cb'],
    ['userinfo', 'http://127.0.0.1:5000@evil.example/cb'],
    ['another path', 'http://127.0.0.1:5000/other'],
    ['https', 'https://127.0.0.1:5000/cb'],
    ['an impossible port', 'http://127.0.0.1:99999/cb'],
    ['a decimal address', 'http://2130706433/cb'],
    ['a hexadecimal address', 'http://0x7f.1/cb'],
    ['a short address', 'http://127.1/cb'],
    ['a mapped address', 'http://[::ffff:127.0.0.1]/cb'],
    ['a long IPv6 form', 'http://[0:0:0:0:0:0:0:1]/cb'],
    ['a zone', 'http://[::1%25eth0]/cb'],
    ['the unspecified address', 'http://0.0.0.0/cb'],
    ['a query', 'http://127.0.0.1:5000/cb?x=1'],
    ['another host of the range', 'http://127.0.0.2/cb'],
  ])('is not stretched to %s (RFC 8252 §8.3, RFC 9700 §4.1.3)', async (_name, redirectUri) => {
    const view = await (await stack.person()).open((await start(native, { redirect_uri: redirectUri })).url)
    expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
  })

  describe('of a confidential client', () => {
    const ask = async (registered: string, asked: string) => {
      const metadata = { redirect_uris: [registered], token_endpoint_auth_method: 'client_secret_basic' }
      const secretive = await register(stack, metadata)
      const { id } = await stack.account()
      return (await stack.person(id)).open((await start(secretive, { redirect_uri: asked })).url)
    }

    it.each([
      ['http://127.0.0.1:8080/cb', 'http://127.0.0.1:9090/cb'],
      ['http://[::1]/cb', 'http://[::1]:9090/cb'],
    ])('may use any port of its address: %s as %s (RFC 8252 §7.3)', async (registered, asked) => {
      expect((await ask(registered, asked)).html).toContain('name="scope"')
    })

    it.each([
      ['http://localhost:8080/cb', 'http://localhost:9090/cb'],
      ['http://127.0.0.1:8080/cb', 'http://127.0.0.1:9090/other'],
      ['http://127.0.0.1:8080/cb', 'http://[::1]:9090/cb'],
      ['https://app.example/cb', 'https://app.example:8443/cb'],
    ])('is not stretched further: %s to %s (OAuth 2.1 §2.3.1)', async (registered, asked) => {
      const view = await ask(registered, asked)
      expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
    })
  })

  it.each(['com.example.app:/cb2', 'com.example.app://cb', 'com.example.app.evil:/cb', 'COM.example.app:/cb'])(
    'and a private-use one is not stretched to %s (RFC 8252 §7.1)',
    async (redirectUri) => {
      const view = await (await stack.person()).open((await start(native, { redirect_uri: redirectUri })).url)
      expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
    },
  )
})

describe('registration of a redirect URI', () => {
  it.each([
    'https://*.example/cb',
    'https://user:pass@app.example/cb',
    'https://app.example/cb#f',
    'http://app.example/cb',
    'http://10.0.0.1/cb',
    'https://localhost.evil.example:x/cb',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://a/b',
    'about:blank',
    'view-source:https://a/',
    'intent://x#y',
    'https://app.example\\@evil.example/',
    'https://app.example/ cb',
    'https://\u0430pp.example/cb',
    '/cb',
    'app.example/cb',
    '//app.example/cb',
    'https:app.example',
    'http:/127.0.0.1/cb',
    'https://',
    `https://a.example/${'x'.repeat(2100)}`,
    'http://0x7f000001/cb',
    'http://localhost.evil.example/cb',
    'ws://127.0.0.1/cb',
    'mailto:a@b.example',
    ...DEEP_LINKS,
    ...FOREIGN_SCHEMES.map((scheme) => `${scheme}://callback`),
    ...FOREIGN_SCHEMES.map((scheme) => `${scheme.toUpperCase()}:callback`),
  ])('is refused for %s (RFC 9700 §4.1.3, RFC 8252 §8)', async (redirectUri) => {
    const response = await fetch(`${stack.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://fine.example/cb', redirectUri] }),
    })
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_redirect_uri',
    ])
  })
})

describe("an app's own scheme", () => {
  it.each([
    'com.example.app:/cb',
    'com.example.app://cb',
    'io.github.someone.tool:/cb',
    'org.x-y.app2:/cb',
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'vscode://vscode.github-authentication/did-authenticate',
    'vscode-insiders://x/y',
    'windsurf://x/y',
    'claude://x/y',
    'claude://claude.ai/mcp-auth-callback/sdk',
    'vscode://saoudrizwan.claude-dev/mcp-auth/callback/x',
    'raycast://oauth?package_name=Extension',
    'com.raycast:/oauth?package_name=Extension',
    'cursor://cb',
  ])('may be %s (RFC 8252 §7.1)', async (redirectUri) => {
    const client = await register(stack, { redirect_uris: [redirectUri] })
    const { id } = await stack.account()
    const flow = await start(client)
    await exchange(client, flow, await approve(await stack.person(id), flow))
  })
})
