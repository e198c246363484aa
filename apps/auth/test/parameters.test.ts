import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, post, refresh, register, start, type TestClient } from './support/client.ts'
import { checkboxes } from './support/person.ts'
import { MCP_RESOURCE, type Stack, startStack } from './support/stack.ts'

let stack: Stack
let client: TestClient
beforeAll(async () => {
  stack = await startStack()
  client = await register(stack)
})
afterAll(() => stack?.close())

/** The consent page of a signed-in person for a request to this target, or where else it led. */
async function ask(target: string | URL) {
  const { id } = await stack.account()
  const view = await (await stack.person(id)).open(target)
  return { ...view, scopes: checkboxes(view.html, 'scope') }
}

describe('the query of an authorization request', () => {
  it('goes on after a second question mark (RFC 3986 §3.4)', async () => {
    const redirectUri = 'http://127.0.0.1/cb?x=1'
    const registered = await register(stack, { redirect_uris: [redirectUri] })
    const { url } = await start(registered, { scope: 'sms:rates' })
    // As clients write it that do not encode: the scope comes after the second question mark.
    const target = url.href.replace(encodeURIComponent(redirectUri), redirectUri)
    expect(target).toContain('cb?x=1&')
    expect((await ask(target)).scopes).toEqual(['sms:rates'])
  })

  it('goes on after one in front, in a value and at its end (RFC 3986 §3.4)', async () => {
    const { url } = await start(client, { state: 'a?b', scope: 'sms:rates' })
    for (const target of [url.href.replace('?', '??'), url.href.replace('a%3Fb', 'a?b'), `${url.href}&y=?`]) {
      expect([target, (await ask(target)).scopes]).toEqual([target, ['sms:rates']])
    }
  })

  it('gives a client the state back with the question mark in it (RFC 6749 §4.1.2)', async () => {
    const { url } = await start(client, { state: 'STATE', scope: 'nonsense' })
    const { url: back } = await ask(url.href.replace('STATE', 'a?b=c?d'))
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'invalid_scope', state: 'a?b=c?d' })
  })
})

describe('parameters that mean nothing here', () => {
  const IGNORED: Record<string, string> = {
    nonce: 'n',
    max_age: '0',
    acr_values: 'urn:x',
    id_token_hint: 'not.a.token',
    login_hint: 'ada@example.com',
    claims: '{"nonsense":',
    claims_locales: 'lt',
    ui_locales: 'lt en',
    display: 'popup',
    registration: '{}',
    dpop_jkt: 'x',
    audience: 'https://api.example',
    unheard_of: 'x',
  }
  it.each([...Object.entries(IGNORED), ['prompt', 'select_account'], ['prompt', 'create consent']])(
    'are ignored without and with the openid scope: %s=%s (RFC 6749 §3.1)',
    async (name, value) => {
      for (const scope of ['sms:rates', 'openid sms:rates']) {
        const { url } = await start(client, { [name]: value, scope })
        expect([scope, (await ask(url)).scopes]).toEqual([scope, ['sms:rates']])
      }
    },
  )

  it('are ignored in a pushed request as well (RFC 9126 §2.1)', async () => {
    const { url } = await start(client, { ...IGNORED, prompt: 'select_account', scope: 'sms:rates' })
    const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(url.searchParams))
    expect(pushed.status).toBe(201)
    const query = new URLSearchParams({
      client_id: client.client.client_id,
      request_uri: String(pushed.body.request_uri),
    })
    expect((await ask(`${stack.issuer}/oauth/authorize?${query}`)).scopes).toEqual(['sms:rates'])
  })

  it('may come twice; those that mean something may not (RFC 6749 §3.1)', async () => {
    const harmless = await start(client, { nonce: ['a', 'b'], scope: 'sms:rates' })
    expect((await ask(harmless.url)).scopes).toEqual(['sms:rates'])
    for (const name of ['scope', 'state', 'code_challenge', 'prompt']) {
      const { url } = await start(client, { scope: 'sms:rates', [name]: ['consent', 'login'] })
      const answer = await ask(url)
      expect([name, answer.url.searchParams.get('error')]).toEqual([name, 'invalid_request'])
    }
  })

  it.each([
    ['request', 'eyJhbGciOiJub25lIn0.e30.', 'request_not_supported'],
    ['request_uri', 'https://a.example/r', 'request_uri_not_supported'],
    ['response_mode', 'form_post', 'unsupported_response_mode'],
    ['response_type', 'token', 'unsupported_response_type'],
  ])('do not include %s, which is refused by name', async (name, value, error) => {
    const { url } = await start(client, { [name]: value })
    const view = await ask(url)
    const answer = new URLSearchParams(view.url.search || view.url.hash.slice(1))
    expect(answer.get('error')).toBe(error)
  })
})

describe('an empty parameter', () => {
  it.each(['scope', 'resource', 'response_mode', 'prompt', 'state', 'nonce', 'request', 'request_uri'])(
    'is an absent one at the authorization endpoint: %s (RFC 6749 §3.1)',
    async (name) => {
      const { url } = await start(client, { [name]: '' })
      expect((await ask(url)).scopes).toHaveLength(5)
    },
  )

  it('beside a value is not a repetition of it (RFC 6749 §3.1)', async () => {
    const { url } = await start(client, { scope: ['', 'sms:rates'] })
    expect((await ask(url)).scopes).toEqual(['sms:rates'])
  })

  it('is absent also where a parameter is required (RFC 6749 §3.1)', async () => {
    const { url } = await start(client, { code_challenge: '' })
    expect((await ask(url)).url.searchParams.get('error')).toBe('invalid_request')
  })

  it.each(['scope', 'resource', 'client_secret', 'code', 'redirect_uri'])(
    'is an absent one at the token endpoint: %s (RFC 6749 §3.2)',
    async (name) => {
      const { id } = await stack.account()
      const tokens = await connect(client, await stack.person(id), { params: { scope: 'sms:rates' } })
      expect((await refresh(client, tokens.refresh, { [name]: '' })).scope).toBe('sms:rates')
    },
  )
})

describe('a refresh', () => {
  it.each([
    ['the scope once asked for', 'sms:send sms:rates numbers:read', 'sms:rates'],
    ['it with others that are not ours', 'openid sms:send sms:rates offline_access profile', 'sms:rates'],
    ['what was granted', 'sms:rates', 'sms:rates'],
  ])('that repeats %s is narrowed to what was granted (RFC 6749 §6)', async (_name, scope, expected) => {
    const { id } = await stack.account()
    const options = { params: { scope: 'sms:send sms:rates numbers:read' }, choice: { scopes: ['sms:rates'] } }
    const tokens = await connect(client, await stack.person(id), options)
    const next = await refresh(client, tokens.refresh, { scope })
    expect(next.scope).toBe(expected)
    expect((await refresh(client, next.refresh)).scope).toBe(expected)
  })

  it('that asks for nothing that was granted is refused and keeps its token (RFC 6749 §5.2)', async () => {
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id), { choice: { scopes: ['sms:rates'] } })
    for (const scope of ['sms:send', 'sms:send hlr:lookup', 'nonsense', 'SMS:RATES']) {
      await expect(refresh(client, tokens.refresh, { scope }), scope).rejects.toMatchObject({ error: 'invalid_scope' })
    }
    expect((await refresh(client, tokens.refresh)).scope).toBe('sms:rates')
  })
})

describe('answers to programs', () => {
  const JAVA = { accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' }

  // Percent signs change no address where nothing needs them (RFC 3986 §6.2.2.2).
  it.each(['/oauth/token', '/oauth/%74oken?x=1', '/oauth/revoke', '/oauth/introspect', '/oauth/par'])(
    'are errors as JSON at %s, whatever the program accepts (RFC 6749 §5.2)',
    async (path) => {
      const answer = await post(`${stack.issuer}${path}`, { token: 'x', client_id: 'nobody' }, JAVA)
      expect([answer.status, answer.headers.get('content-type'), answer.body.error]).toEqual([
        401,
        'application/json; charset=utf-8',
        'invalid_client',
      ])
    },
  )

  it.each([
    ['/oauth/token', 'x-www-form-urlencoded'],
    ['/oauth/revoke', 'x-www-form-urlencoded'],
    ['/oauth/par', 'x-www-form-urlencoded'],
    ['/oauth/register', 'json'],
  ])('say at %s which type a body must have that names none, or another (RFC 9110 §8.3)', async (path, type) => {
    const body = Buffer.from(type === 'json' ? '{"redirect_uris":["http://127.0.0.1/cb"]}' : 'client_id=nobody')
    for (const headers of [{}, { 'content-type': 'text/plain' }]) {
      const answer = await fetch(`${stack.issuer}${path}`, { method: 'POST', body, headers })
      expect([answer.status, await answer.json()]).toEqual([
        400,
        { error: 'invalid_request', error_description: expect.stringContaining(`only application/${type} `) },
      ])
    }
  })

  it('say nothing, in JSON, when a token is revoked, known or not (RFC 7009 §2.2)', async () => {
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    for (const token of [tokens.access, 'unknown', tokens.refresh]) {
      const body = new URLSearchParams({ token, client_id: client.client.client_id, resource: MCP_RESOURCE })
      const answer = await fetch(`${stack.issuer}/oauth/revoke`, { method: 'POST', body, headers: JAVA })
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        200,
        'application/json; charset=utf-8',
        '{}',
      ])
    }
  })
})
