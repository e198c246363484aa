import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  approve,
  connect,
  exchange,
  post,
  refresh,
  register,
  type StartedFlow,
  start,
  type TestClient,
} from '../support/client.ts'
import { type Stack, startStack } from '../support/stack.ts'

let stack: Stack
let client: TestClient
beforeAll(async () => {
  stack = await startStack()
  client = await register(stack)
})
afterAll(() => stack?.close())

const PLAIN = 'a'.repeat(43)

async function codeOf(flow: StartedFlow, owner = client): Promise<{ code: string; accountId: string }> {
  const { id } = await stack.account()
  const callback = await approve(await stack.person(id), { ...flow })
  expect(callback.origin + callback.pathname).toBe(owner.redirectUri)
  return { code: String(callback.searchParams.get('code')), accountId: id }
}

function redeem(flow: StartedFlow, code: string, changes: Record<string, string> = {}) {
  return post(`${stack.issuer}/oauth/token`, {
    grant_type: 'authorization_code',
    client_id: client.client.client_id,
    code,
    redirect_uri: client.redirectUri,
    code_verifier: flow.verifier,
    ...changes,
  })
}

describe('PKCE downgrade', () => {
  it.each([
    ['no challenge at all', { code_challenge: null, code_challenge_method: null }],
    ['the plain method', { code_challenge: PLAIN, code_challenge_method: 'plain' }],
    ['a challenge without its method', { code_challenge_method: null }],
    ['a method without a challenge', { code_challenge: null }],
    ['an unknown method', { code_challenge_method: 'S512' }],
    ['a challenge that is too short', { code_challenge: 'abc' }],
    ['an empty challenge', { code_challenge: '' }],
  ])('is refused: %s (OAuth 2.1 §4.1.1, RFC 9700 §2.1.1)', async (_name, params) => {
    const flow = await start(client, params)
    const { url } = await (await stack.person()).open(flow.url)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'invalid_request',
      state: flow.state,
      iss: stack.issuer,
    })
  })

  it('is refused: two challenges in one request (RFC 6749 §3.1)', async () => {
    const flow = await start(client, { code_challenge: [PLAIN, PLAIN] })
    const { url } = await (await stack.person()).open(flow.url)
    expect(url.searchParams.get('error')).toBe('invalid_request')
  })

  it('is refused for confidential clients too (RFC 9700 §2.1.1)', async () => {
    const confidential = await register(stack, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const flow = await start(confidential, { code_challenge: null, code_challenge_method: null })
    const view = await (await stack.person()).open(flow.url)
    expect([view.url.origin, view.status]).toEqual([stack.issuer, 400])
    expect(view.html).toContain('href="https://app.example/cb?error=invalid_request')
  })
})

describe('a stolen authorization code', () => {
  it.each([
    ['no verifier', { code_verifier: '' }],
    ['the challenge as verifier', { code_verifier: 'challenge' }],
    ['another verifier', { code_verifier: PLAIN }],
  ])('gives nothing with %s, and still serves its owner (RFC 7636 §4.6, RFC 9700 §4.5)', async (_name, changes) => {
    const flow = await start(client)
    const { code } = await codeOf(flow)
    const verifier =
      changes.code_verifier === 'challenge'
        ? String(flow.url.searchParams.get('code_challenge'))
        : changes.code_verifier
    const stolen = await redeem(flow, code, { code_verifier: verifier })
    expect(stolen.status).toBe(400)
    expect(stolen.body.access_token).toBeUndefined()
    expect((await redeem(flow, code)).status).toBe(200)
  })

  it('cannot be injected into the flow of another session (RFC 9700 §4.5.1)', async () => {
    const victim = await start(client)
    const attacker = await start(client)
    const { code } = await codeOf(victim)
    expect((await redeem(attacker, code)).body.error).toBe('invalid_grant')
  })

  it('gives nothing with another redirect URI, registered or not (RFC 6749 §4.1.3)', async () => {
    for (const redirectUri of ['http://127.0.0.1:1/callback', 'https://evil.example/cb']) {
      const flow = await start(client)
      const { code } = await codeOf(flow)
      const answer = await redeem(flow, code, { redirect_uri: redirectUri })
      expect([redirectUri, answer.status, answer.body.access_token]).toEqual([redirectUri, 400, undefined])
    }
  })

  it('gives nothing to another client, and is not used up by the attempt (RFC 6749 §4.1.3)', async () => {
    const other = await register(stack)
    const flow = await start(client)
    const { code } = await codeOf(flow)
    expect((await redeem(flow, code, { client_id: other.client.client_id })).body.error).toBe('invalid_grant')
    expect((await redeem(flow, code)).status).toBe(200)
  })

  it('takes back what was issued when it is replayed (RFC 6749 §4.1.2, RFC 9700 §4.5)', async () => {
    const flow = await start(client)
    const { code, accountId } = await codeOf(flow)
    const tokens = await redeem(flow, code)
    expect((await redeem(flow, code)).body.error).toBe('invalid_grant')
    await expect(refresh(client, String(tokens.body.refresh_token))).rejects.toMatchObject({ error: 'invalid_grant' })
    const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
    expect(connection.endedReason).toBe('code_replay')
    const alarms = stack.logLines.map((line) => JSON.parse(line)).filter((line) => line.connectionId === connection.id)
    expect(alarms).toEqual([
      expect.objectContaining({
        level: 'error',
        event: 'token_reuse',
        reason: 'code_replay',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        clientId: client.client.client_id.slice(0, 12),
      }),
    ])
    expect(stack.logLines.join('')).not.toContain(code)
  })

  it('does not end the connection when it is replayed without the verifier (RFC 9700 §4.5.3)', async () => {
    const flow = await start(client)
    const { code } = await codeOf(flow)
    const tokens = await redeem(flow, code)
    await redeem(flow, code, { code_verifier: PLAIN })
    expect((await refresh(client, String(tokens.body.refresh_token))).scope.split(' ')).toHaveLength(5)
  })

  it('is not accepted as a refresh token, nor a refresh token as a code (RFC 6749 §5.2)', async () => {
    const flow = await start(client)
    const { code, accountId } = await codeOf(flow)
    const swapped = await post(`${stack.issuer}/oauth/token`, {
      grant_type: 'refresh_token',
      client_id: client.client.client_id,
      refresh_token: code,
    })
    expect(swapped.body.error).toBe('invalid_grant')
    const tokens = await redeem(flow, code)
    expect((await redeem(flow, String(tokens.body.refresh_token))).body.error).toBe('invalid_grant')
    expect(await stack.db.connection.count({ where: { accountId, endedAt: null } })).toBe(1)
  })
})

describe('mix-up', () => {
  it('is visible to the client: every success carries the issuer once (RFC 9207 §2)', async () => {
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    for (const name of ['iss', 'state', 'code']) expect(callback.searchParams.getAll(name)).toHaveLength(1)
    expect(callback.searchParams.get('iss')).toBe(stack.issuer)
    await exchange(client, flow, callback)
  })

  it('is visible to the client: every error carries the issuer once (RFC 9207 §2)', async () => {
    const flow = await start(client, { response_type: 'token' })
    const { url } = await (await stack.person()).open(flow.url)
    const answered = new URLSearchParams(url.hash.slice(1))
    expect(answered.get('error')).toBe('unsupported_response_type')
    expect(answered.getAll('iss')).toEqual([stack.issuer])
    expect(answered.getAll('state')).toEqual([flow.state])
  })

  it.each(['token', 'id_token', 'code token', 'code id_token', 'none'])(
    'has no front-channel tokens: response_type %s is refused (OAuth 2.1 §10.1, RFC 9700 §2.1.2)',
    async (responseType) => {
      const { url, html } = await (await stack.person()).open(
        (await start(client, { response_type: responseType, nonce: 'n' })).url,
      )
      expect(url.href + html).not.toMatch(/access_token=|id_token=/)
      expect(url.search + url.hash + html).toMatch(/unsupported_response_type|invalid_request/)
    },
  )

  it.each(['fragment', 'form_post', 'web_message', 'query.jwt'])(
    'has one response mode: %s gives no code away (RFC 9700 §4.1)',
    async (mode) => {
      const { id } = await stack.account()
      const person = await stack.person(id)
      const view = await person.open((await start(client, { response_mode: mode })).url)
      expect(view.html).not.toContain('name="code"')
      expect(view.url.hash + view.url.search).toMatch(/error=(invalid_request|unsupported_response_mode)/)
    },
  )

  it.each(['password', 'client_credentials', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code'])(
    'has no other grant: %s is refused (OAuth 2.1 §10.1)',
    async (grantType) => {
      const answer = await post(`${stack.issuer}/oauth/token`, {
        grant_type: grantType,
        client_id: client.client.client_id,
        username: 'a',
        password: 'b',
      })
      expect([answer.status, answer.body.error]).toEqual([400, 'unsupported_grant_type'])
    },
  )

  it('is not possible by repeating a parameter: the first and the second are both refused (RFC 6749 §3.1)', async () => {
    const tokens = await connect(client, await stack.person((await stack.account()).id))
    const answer = await post(`${stack.issuer}/oauth/token`, {
      grant_type: 'refresh_token',
      client_id: client.client.client_id,
      refresh_token: [tokens.refresh, 'other'],
    })
    expect(answer.body.error).toBe('invalid_request')
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })
})
