// Registering: what real clients send and what hostile ones do, one table beside the other.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, register } from './support/client.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const EC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const RSA_MODULUS = Buffer.from([0xff, ...randomBytes(254), 1]).toString('base64url')
const withKeys = (keys: readonly object[]) => ({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } })
const manyKeys = (length: number) => withKeys(Array.from({ length }, (_, kid) => ({ ...EC_KEY, kid: String(kid) })))

/** What real clients send when they register, rebuilt from field reports, and the redirect they come back with. */
const CLIENTS: readonly { name: string; metadata: Record<string, unknown>; uses: string; native: boolean }[] = [
  {
    name: 'claude.ai',
    metadata: {
      client_name: 'Claude',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'claudeai',
    },
    uses: 'https://claude.ai/api/mcp/auth_callback',
    native: false,
  },
  {
    name: 'Claude Code',
    metadata: {
      client_name: 'Claude Code',
      application_type: 'native',
      redirect_uris: ['http://localhost:3118/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://localhost:58135/callback',
    native: true,
  },
  {
    name: 'ChatGPT with a secret',
    metadata: {
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    uses: 'https://chatgpt.com/connector_platform_oauth_redirect',
    native: false,
  },
  {
    name: 'Cursor without a type',
    metadata: {
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      token_endpoint_auth_method: 'none',
    },
    uses: 'cursor://anysphere.cursor-mcp/oauth/callback',
    native: true,
  },
  {
    name: 'Cursor that says web',
    metadata: {
      client_name: 'Cursor',
      application_type: 'web',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
    },
    uses: 'https://www.cursor.com/agents/mcp/oauth/callback',
    native: true,
  },
  {
    name: 'VS Code',
    metadata: {
      client_name: 'Visual Studio Code',
      application_type: 'native',
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://127.0.0.1:40123/',
    native: true,
  },
  {
    name: 'mcp-remote with its fallback scopes',
    metadata: {
      client_name: 'MCP CLI Proxy',
      redirect_uris: ['http://localhost:4321/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'openid email profile',
      software_id: 'x',
      software_version: '1',
    },
    uses: 'http://localhost:4999/oauth/callback',
    native: true,
  },
  {
    name: 'Inspector with an empty scope',
    metadata: {
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      redirect_uris: ['http://localhost:6274/oauth/callback'],
      scope: '',
      logo_uri: '',
      tos_uri: null,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://localhost:6274/oauth/callback',
    native: true,
  },
  {
    name: 'OpenCode',
    metadata: {
      client_name: 'OpenCode',
      application_type: 'web',
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://127.0.0.1:20001/mcp/oauth/callback',
    native: true,
  },
  {
    name: 'an SDK client with the scope of its first challenge',
    metadata: {
      client_name: 'SDK',
      redirect_uris: ['http://localhost:8090/callback'],
      scope: 'sms:rates',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    uses: 'http://localhost:8090/callback',
    native: true,
  },
  {
    name: 'a client that says nothing but its redirect',
    metadata: { redirect_uris: ['http://[::1]/cb'], token_endpoint_auth_method: undefined, client_name: undefined },
    uses: 'http://[::1]:7777/cb',
    native: true,
  },
]

describe('registration (RFC 7591)', () => {
  it.each(CLIENTS)('takes $name, and leads it to working tokens', async ({ metadata, uses, native }) => {
    const registered = await register(stack, metadata)
    expect(registered.client.application_type).toBe(native ? 'native' : 'web')
    expect(JSON.stringify(registered.client)).not.toContain('null')
    expect(registered.client.scope).toBeUndefined()
    expect(registered.client.registration_access_token).toBeUndefined()
    const { id } = await stack.account()
    const client = { ...registered, redirectUri: uses }
    const tokens = await connect(client, await stack.person(id))
    expect(tokens.scope.split(' ')).toHaveLength(5)
    expect(tokens.refresh).toHaveLength(43)
  })

  it('never merges two registrations, however alike', async () => {
    const [one, two] = [await register(stack), await register(stack)]
    expect(one.client.client_id).not.toBe(two.client.client_id)
  })

  it('takes keys in every size that is in use', async () => {
    const keys = [
      EC_KEY,
      ...[2, 3, 4].map((kbit) =>
        generateKeyPairSync('rsa', { modulusLength: kbit * 1024 }).publicKey.export({ format: 'jwk' }),
      ),
    ]
    for (const metadata of [withKeys(keys), manyKeys(20)]) {
      const { client } = await register(stack, { redirect_uris: ['https://a.example/cb'], ...metadata })
      expect(client.jwks).toEqual(metadata.jwks)
    }
  })

  it('has no management endpoint (RFC 7592 is left out)', async () => {
    const { client } = await register(stack)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await fetch(`${stack.issuer}/oauth/register/${client.client_id}`, { method })
      expect([method, response.status]).toEqual([method, 404])
    }
  })

  it.each([
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['redirect URIs that are not a list', { redirect_uris: 'https://a.example/cb' }, 'invalid_redirect_uri'],
    ['a redirect URI that is not text', { redirect_uris: [1] }, 'invalid_redirect_uri'],
    ['an unknown authentication method', { token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
    ['private_key_jwt without keys', { token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
    [
      'keys over plain http',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://a.example/k' },
      'invalid_client_metadata',
    ],
    ['more keys than anybody has', manyKeys(21), 'invalid_client_metadata'],
    [
      'a key that is costly to try',
      withKeys([{ kty: 'RSA', n: RSA_MODULUS, e: RSA_MODULUS }]),
      'invalid_client_metadata',
    ],
    [
      'a key of 16384 bits',
      withKeys([{ kty: 'RSA', n: RSA_MODULUS.repeat(8).slice(0, 2731), e: 'AQAB' }]),
      'invalid_client_metadata',
    ],
    ['only the implicit grant', { grant_types: ['implicit'], response_types: ['token'] }, 'invalid_client_metadata'],
  ])('refuses %s', async (_name, metadata, error) => {
    const body = JSON.stringify({ redirect_uris: ['https://a.example/cb'], ...metadata })
    const response = await fetch(`${stack.issuer}/oauth/register`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(400)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toMatchObject({ error, error_description: expect.any(String) })
  })

  it.each([
    ['not JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['text', '"x"'],
    [
      'a member twice, of which either may be meant (RFC 8259 §4)',
      '{"redirect_uris":["https://a.example/cb"],"client_name":"a","client_n\\u0061me":"b"}',
    ],
  ])('refuses %s', async (_name, body) => {
    const response = await fetch(`${stack.issuer}/oauth/register`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_client_metadata' })
  })

  it('refuses a body over the limit, and says what that is', async () => {
    const body = JSON.stringify({ redirect_uris: ['https://a.example/cb'], client_name: 'x'.repeat(70_000) })
    const response = await fetch(`${stack.issuer}/oauth/register`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(413)
    expect(await response.json()).toEqual({
      error: 'invalid_request',
      error_description: 'the request body may have 32768 bytes',
    })
  })
})
