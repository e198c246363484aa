import { SCOPE_NAMES } from '@vertexsms/contract/scopes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const PATHS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

describe('server metadata', () => {
  it('is byte for byte the same at both well-known paths (RFC 8414 §3, OIDC Discovery §4)', async () => {
    const [first, second] = await Promise.all(PATHS.map(async (path) => (await fetch(stack.issuer + path)).text()))
    expect(first).toBe(second)
  })

  it('names every endpoint under the issuer and what clients choose by (RFC 8414 §2)', async () => {
    const document = await (await fetch(stack.issuer + PATHS[0])).json()
    expect(document).toMatchObject({
      issuer: stack.issuer,
      authorization_endpoint: `${stack.issuer}/oauth/authorize`,
      token_endpoint: `${stack.issuer}/oauth/token`,
      registration_endpoint: `${stack.issuer}/oauth/register`,
      revocation_endpoint: `${stack.issuer}/oauth/revoke`,
      introspection_endpoint: `${stack.issuer}/oauth/introspect`,
      pushed_authorization_request_endpoint: `${stack.issuer}/oauth/par`,
      jwks_uri: `${stack.issuer}/oauth/jwks`,
      scopes_supported: [...SCOPE_NAMES, 'offline_access'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
    expect(JSON.stringify(document)).not.toMatch(/implicit|"id_token"|plain|null/)
  })

  it('names the algorithms of client assertions for each endpoint that takes them (RFC 8414 §2)', async () => {
    for (const path of PATHS) {
      const document = await (await fetch(stack.issuer + path)).json()
      const endpoints = Object.keys(document).flatMap(
        (member) => /^(.+)_auth_methods_supported$/.exec(member)?.[1] ?? [],
      )
      expect(endpoints).toEqual(['token_endpoint', 'revocation_endpoint', 'introspection_endpoint'])
      for (const endpoint of endpoints) {
        expect(document[`${endpoint}_auth_methods_supported`]).toContain('private_key_jwt')
        expect(document[`${endpoint}_auth_signing_alg_values_supported`]).toEqual(['ES256', 'RS256', 'PS256', 'EdDSA'])
      }
    }
  })

  it('leads developers to the page that says how to connect, which asks for no sign-in (RFC 8414 §2)', async () => {
    const { service_documentation } = await (await fetch(stack.issuer + PATHS[0])).json()
    const answer = await fetch(service_documentation, { redirect: 'manual' })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<h1>Connect</h1>')])
  })

  it('does not take its addresses from the request (RFC 8414 §3.3)', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }
    for (const path of [...PATHS, '/oauth/jwks']) {
      expect(await (await fetch(stack.issuer + path, { headers })).text()).not.toContain('evil.example')
    }
    const login = await fetch(`${stack.issuer}/oauth/authorize?client_id=nobody`, { headers, redirect: 'manual' })
    expect(await login.text()).not.toContain('evil.example')
  })

  it('is cacheable for a while and readable from every origin', async () => {
    for (const path of [...PATHS, '/oauth/jwks']) {
      const response = await fetch(stack.issuer + path, { headers: { origin: 'https://inspector.example' } })
      expect(response.headers.get('cache-control')).toBe('public, max-age=300')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      const preflight = await fetch(stack.issuer + path, { method: 'OPTIONS' })
      expect(preflight.status).toBe(204)
    }
  })

  it('publishes the public half of the keys and nothing more (RFC 7517 §9.2)', async () => {
    const { keys } = (await (await fetch(`${stack.issuer}/oauth/jwks`)).json()) as { keys: Record<string, unknown>[] }
    expect(keys).toHaveLength(1)
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  it('lets browser clients register, exchange and revoke across origins', async () => {
    for (const path of ['/oauth/register', '/oauth/token', '/oauth/revoke', '/oauth/par']) {
      const preflight = await fetch(stack.issuer + path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://inspector.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      })
      expect([path, preflight.status]).toEqual([path, 204])
      expect(preflight.headers.get('access-control-allow-origin')).toMatch(/^(\*|https:\/\/inspector\.example)$/)
      expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    }
  })

  it('says what may be asked of an endpoint to whoever is no browser (RFC 9110 §9.3.7)', async () => {
    for (const path of ['/oauth/register', '/oauth/token', '/oauth/revoke', '/oauth/introspect', '/oauth/par']) {
      for (const headers of [{}, { origin: 'https://inspector.example' }]) {
        const answer = await fetch(stack.issuer + path, { method: 'OPTIONS', headers })
        const methods = answer.headers.get('access-control-allow-methods')
        expect([path, answer.status, methods]).toEqual([path, 204, 'POST'])
      }
    }
  })
})
