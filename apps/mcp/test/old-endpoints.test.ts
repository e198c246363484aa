import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Stack, startStack } from './support/stack.ts'

/** An authorization server that registers and exchanges whatever it is sent. */
const seen: { method: string; url: string; type: string | undefined; body: string }[] = []
let server: Server
let issuer: string
let stack: Stack
let origin: string
beforeAll(async () => {
  server = createServer(async (request: IncomingMessage, response) => {
    const { method = '', url = '', headers } = request
    seen.push({ method, url, type: headers['content-type'], body: await text(request) })
    const answers: Record<string, unknown> = {
      '/oauth/register': { client_id: 'client-7', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
      '/.well-known/oauth-authorization-server': {
        issuer,
        authorization_endpoint: `${issuer}/oauth/authorize`,
        token_endpoint: `${issuer}/oauth/token`,
        registration_endpoint: `${issuer}/oauth/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      },
      '/oauth/token': { access_token: 'the-token', token_type: 'Bearer' },
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[url] ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  stack = await startStack({ env: { ISSUER_URL: issuer } })
  origin = new URL(stack.url).origin
})
beforeEach(() => {
  seen.length = 0
})
afterAll(async () => {
  await stack.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const REDIRECT = 'http://127.0.0.1:7777/callback'
const send = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: 'manual', ...init })

type OldFetch = (input: string | URL, init?: RequestInit) => Promise<Response>

/** As a client of before RFC 9728 asks: it knows no resource metadata, and follows redirects like any fetch. */
const oldFetch: OldFetch = async (input, { redirect: _, ...init } = {}) =>
  String(input).includes('oauth-protected-resource') ? new Response('', { status: 404 }) : fetch(input, init)

/** One that reads no metadata at all goes to the default paths. */
const oldestFetch: OldFetch = async (input, init) =>
  String(input).includes('/.well-known/') ? new Response('', { status: 404 }) : oldFetch(input, init)

interface Kept {
  client?: OAuthClientInformationMixed
  tokens?: OAuthTokens
  url?: URL
  verifier?: string
}

function createProvider(): OAuthClientProvider & { kept: Kept } {
  const kept: Kept = {}
  return {
    kept,
    redirectUrl: REDIRECT,
    clientMetadata: { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void Object.assign(kept, { client }),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void Object.assign(kept, { tokens }),
    redirectToAuthorization: (url) => void Object.assign(kept, { url }),
    saveCodeVerifier: (verifier) => void Object.assign(kept, { verifier }),
    codeVerifier: () => kept.verifier ?? '',
  }
}

describe('a client that takes the MCP server for its authorization server (2025-03-26, authorization)', () => {
  it.each([
    ['reads metadata', oldFetch, () => issuer],
    ['knows only the default paths', oldestFetch, () => origin],
  ])('that %s registers, sends the person on and gets its token', async (_name, fetchFn, sentTo) => {
    const provider = createProvider()
    const run = (more = {}) => auth(provider, { serverUrl: stack.url, fetchFn, ...more })
    expect(await run()).toBe('REDIRECT')
    expect(provider.kept.client).toMatchObject({ client_id: 'client-7' })
    expect(provider.kept.url?.origin).toBe(sentTo())
    const page = await fetch(provider.kept.url ?? '')
    expect(page.url).toBe(`${issuer}/oauth/authorize${provider.kept.url?.search}`)

    expect(await run({ authorizationCode: 'the-code' })).toBe('AUTHORIZED')
    expect(provider.kept.tokens).toMatchObject({ access_token: 'the-token' })
    const exchange = seen.find(({ url }) => url === '/oauth/token')
    expect(exchange).toMatchObject({ method: 'POST', type: expect.stringContaining('x-www-form-urlencoded') })
    expect(Object.fromEntries(new URLSearchParams(exchange?.body))).toMatchObject({
      code: 'the-code',
      code_verifier: provider.kept.verifier,
    })
  })
})

describe('the way on', () => {
  it.each(['?a=1&b=%26&b=2&c=%0d%0ax', '?x=1?y=2', '?&', ''])('keeps the query %j to the letter', async (query) => {
    expect((await send(`/authorize${query}`)).headers.get('location')).toBe(`${issuer}/oauth/authorize${query}`)
  })

  it.each(['oauth-authorization-server', 'openid-configuration'])(
    'leads from the document %s to the one of the authorization server',
    async (name) => {
      const response = await send(`/.well-known/${name}`)
      expect([response.status, response.headers.get('location')]).toEqual([307, `${issuer}/.well-known/${name}`])
      expect((await send(`/.well-known/${name}/mcp`)).status).toBe(404)
    },
  )

  it.each([
    '/authorize?redirect_uri=https://evil.example',
    '/authorize?//evil.example',
    '/authorize?https://evil.example/',
    '/authorize?@evil.example',
  ])('leads to the authorization server alone, for %s too', async (path) => {
    const location = new URL(
      (await send(path, { headers: { 'x-forwarded-host': 'evil.example' } })).headers.get('location') ?? '',
    )
    expect([location.origin, location.pathname]).toEqual([issuer, '/oauth/authorize'])
  })

  it.each(['//evil.example/authorize', '/authorize/', '/authorize/x', '/authorize%2f..', '/AUTHORIZE', '/token/../x'])(
    'does not begin at %s',
    async (path) => {
      const response = await send(path)
      expect([response.status, response.headers.get('location')]).toEqual([404, null])
    },
  )

  it.each([
    ['GET', '/token'],
    ['GET', '/register'],
    ['DELETE', '/authorize'],
  ])('is not for %s %s', async (method, path) => {
    expect((await send(path, { method })).status).toBe(404)
  })

  it('takes a POST of any type and keeps its method', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const response = await send('/register', { method: 'POST', headers: { 'content-type': type }, body: '{"a"' })
      expect([response.status, response.headers.get('location')]).toEqual([307, `${issuer}/oauth/register`])
      expect(response.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('is open to pages of every origin', async () => {
    const preflight = await send('/token', { method: 'OPTIONS', headers: { origin: 'https://anyone.example' } })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    const response = await send('/token', { method: 'POST', headers: { origin: 'https://anyone.example' } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })
})
