import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, exchange, register, start, type TestClient } from '../support/client.ts'
import { type Stack, startStack } from '../support/stack.ts'

let stack: Stack
let web: TestClient
let native: TestClient
let confidential: TestClient
beforeAll(async () => {
  stack = await startStack()
  web = await register(stack, { redirect_uris: ['https://app.example/cb'] })
  native = await register(stack, { redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]/cb', 'com.example.app:/cb'] })
  confidential = await register(stack, {
    redirect_uris: ['http://localhost:8080/cb'],
    token_endpoint_auth_method: 'client_secret_post',
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
    expect([stack.issuer, 'https://app.example']).toContain(view.url.origin)
    expect(view.url.href).not.toContain('evil.example')
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

describe('a loopback redirect', () => {
  it.each(['http://127.0.0.1:50123/cb', 'http://127.0.0.1/cb', 'http://[::1]:40000/cb'])(
    'may use any port: %s (RFC 8252 §7.3)',
    async (redirectUri) => {
      const { id } = await stack.account()
      const client = { ...native, redirectUri }
      const flow = await start(client)
      await exchange(client, flow, await approve(await stack.person(id), flow))
    },
  )

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

  it('has a fixed port for a confidential client (OAuth 2.1 §2.3.1)', async () => {
    const view = await (await stack.person()).open(
      (await start(confidential, { redirect_uri: 'http://localhost:9090/cb' })).url,
    )
    expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
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
    'https://localhost/cb',
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
