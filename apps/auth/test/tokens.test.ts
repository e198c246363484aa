// The token endpoint, section by section of its standards.
import { createLocalJWKSet, decodeJwt, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, connect, exchange, post, refresh, register, start } from './support/client.ts'
import { API_RESOURCE, MCP_RESOURCE, type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const PAST = new Date(Date.now() - 1000)
const tokenUrl = () => `${stack.issuer}/oauth/token`

describe('resource indicators (RFC 8707)', () => {
  it.each([
    ['the canonical resource', MCP_RESOURCE],
    ['one trailing slash', `${MCP_RESOURCE}/`],
    ['an upper-case host', 'HTTP://LOCALHOST:4001/mcp'],
    ['none', null],
  ])('issues for the canonical resource when the request names %s', async (_name, resource) => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client, { resource })
    const callback = await approve(await stack.person(id), flow)
    const code = String(callback.searchParams.get('code'))
    const answer = await post(tokenUrl(), {
      grant_type: 'authorization_code',
      client_id: client.client.client_id,
      code,
      redirect_uri: client.redirectUri,
      code_verifier: flow.verifier,
      ...(resource && { resource }),
    })
    expect(answer.status).toBe(200)
    expect(decodeJwt(String(answer.body.access_token)).aud).toEqual([MCP_RESOURCE, API_RESOURCE])
    const again = await post(tokenUrl(), {
      grant_type: 'refresh_token',
      client_id: client.client.client_id,
      refresh_token: String(answer.body.refresh_token),
      ...(resource && { resource }),
    })
    expect(again.status).toBe(200)
    expect(decodeJwt(String(again.body.access_token)).aud).toEqual([MCP_RESOURCE, API_RESOURCE])
  })

  it.each([
    ['the API alone', API_RESOURCE],
    ['another server', 'https://evil.example/mcp'],
    ['a longer path', `${MCP_RESOURCE}/admin`],
    ['a fragment', `${MCP_RESOURCE}#x`],
    ['something that is no URI', 'mcp'],
  ])('answers invalid_target for %s, at the authorization endpoint by redirect', async (_name, resource) => {
    const client = await register(stack)
    const flow = await start(client, { resource })
    const { url } = await (await stack.person()).open(flow.url)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'invalid_target',
      state: flow.state,
      iss: stack.issuer,
    })
  })

  it('takes the API beside the MCP server as what it is, an audience of every token', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client, { resource: [MCP_RESOURCE, API_RESOURCE] })
    const tokens = await exchange(client, flow, await approve(await stack.person(id), flow))
    expect(decodeJwt(tokens.access).aud).toEqual([MCP_RESOURCE, API_RESOURCE])
  })

  it('leaves the refresh token good when a refresh named a wrong resource', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    await expect(refresh(client, tokens.refresh, { resource: 'https://evil.example/' })).rejects.toMatchObject({
      error: 'invalid_target',
    })
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })
})

describe('scopes (RFC 6749 §3.3)', () => {
  it.each([
    ['no scope at all', null, 5],
    ['offline_access alone', 'offline_access', 5],
    ['one scope with offline_access', 'sms:rates offline_access', 1],
    ['a known and an unknown scope', 'openid sms:rates claudeai', 1],
  ])('asks for what is meant by %s', async (_name, scope, count) => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id), { params: { scope } })
    expect(tokens.scope.split(' ')).toHaveLength(count)
    expect(tokens.refresh).not.toBe('')
  })

  it('answers invalid_scope when only unknown scopes are named', async () => {
    const client = await register(stack)
    const flow = await start(client, { scope: 'openid email profile' })
    const { url } = await (await stack.person()).open(flow.url)
    expect(url.searchParams.get('error')).toBe('invalid_scope')
    expect(url.searchParams.get('iss')).toBe(stack.issuer)
  })

  it('narrows an access token on refresh, refuses to widen it, and forgives offline_access (RFC 6749 §6)', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const first = await connect(client, await stack.person(id), { params: { scope: 'sms:rates numbers:read' } })
    const narrow = await refresh(client, first.refresh, { scope: 'sms:rates offline_access' })
    expect(narrow.scope).toBe('sms:rates')
    await expect(refresh(client, narrow.refresh, { scope: 'sms:send' })).rejects.toMatchObject({
      error: 'invalid_scope',
    })
    expect((await refresh(client, narrow.refresh)).scope).toBe('sms:rates numbers:read')
  })
})

describe('lifetimes', () => {
  it('never outlast the connection', async () => {
    const short = await startStack({ settings: { CONNECTION_SECONDS: '300' } })
    try {
      const client = await register(short)
      const { id } = await short.account()
      const tokens = await connect(client, await short.person(id))
      expect(tokens.expiresIn).toBeLessThanOrEqual(300)
      const rows = await short.db.apiToken.findMany({ include: { connection: true } })
      for (const row of rows) {
        expect(row.expiresAt?.getTime()).toBeLessThanOrEqual(row.connection?.expiresAt.getTime() ?? 0)
      }
    } finally {
      await short.close()
    }
  })
})

describe('revocation (RFC 7009)', () => {
  const revoke = (client: { client: { client_id: string } }, token: string) =>
    post(`${stack.issuer}/oauth/revoke`, { token, client_id: client.client.client_id })

  it('of an access token removes that row and leaves the connection', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    expect((await revoke(client, tokens.access)).status).toBe(200)
    expect(await stack.db.apiToken.findMany({ where: { accountId: id }, select: { kind: true } })).toEqual([
      { kind: 'oauth_refresh' },
    ])
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('of a refresh token ends the connection and cancels its scheduled messages', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId: id } })
    const now = new Date()
    const message = {
      accountId: id,
      connectionId: connection.id,
      recipient: '37060000001',
      sender: 'Test',
      text: 'later',
      coding: 0,
      parts: 1,
      priority: 0,
      outcomeCode: 0,
      priceMicros: 1n,
      mccmnc: '24601',
      createdAt: now,
      sendAt: now,
      reportAt: now,
      expiresAt: now,
    }
    await stack.db.message.create({ data: { ...message, status: 'scheduled' } })
    await stack.db.message.create({ data: { ...message, status: 'accepted' } })
    expect((await revoke(client, tokens.refresh)).status).toBe(200)
    expect(await stack.db.apiToken.count({ where: { accountId: id } })).toBe(0)
    expect(await stack.db.connection.findFirstOrThrow({ where: { accountId: id } })).toMatchObject({
      endedReason: 'revoked',
    })
    const messages = await stack.db.message.findMany({ where: { accountId: id }, orderBy: { id: 'asc' } })
    expect(messages.map(({ status }) => status)).toEqual(['cancelled', 'accepted'])
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('of a token that is not valid is answered like any other (RFC 7009 §2.2)', async () => {
    const client = await register(stack)
    expect((await revoke(client, 'not-a-token')).status).toBe(200)
  })
})

describe('introspection (RFC 7662)', () => {
  it('tells a confidential client about its own tokens, live', async () => {
    const client = await register(stack, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    const ask = (token: string) =>
      post(`${stack.issuer}/oauth/introspect`, {
        token,
        client_id: client.client.client_id,
        client_secret: String(client.client.client_secret),
      })
    expect((await ask(tokens.access)).body).toMatchObject({
      active: true,
      sub: id,
      scope: tokens.scope,
      token_type: 'Bearer',
    })
    expect((await ask(tokens.refresh)).body).toMatchObject({ active: true, sub: id })
    await stack.db.apiToken.deleteMany({ where: { accountId: id } })
    expect((await ask(tokens.access)).body).toEqual({ active: false })
    expect((await ask(tokens.refresh)).body).toEqual({ active: false })
  })

  it.each<[string, (stack: Stack, accountId: string) => Promise<unknown>]>([
    ['has ended', ({ db }, accountId) => db.connection.updateMany({ where: { accountId }, data: { endedAt: PAST } })],
    [
      'has run out',
      ({ db }, accountId) => db.connection.updateMany({ where: { accountId }, data: { expiresAt: PAST } }),
    ],
    ['is of a disabled account', ({ db }, id) => db.account.update({ where: { id }, data: { status: 'disabled' } })],
  ])('calls no token active, and exchanges none, of a connection that %s', async (_how, finish) => {
    const client = await register(stack, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const { id } = await stack.account()
    const person = await stack.person(id)
    const first = await connect(client, person)
    const tokens = await refresh(client, first.refresh)
    const secret = { client_id: client.client.client_id, client_secret: String(client.client.client_secret) }
    const active = async (token: string) =>
      (await post(`${stack.issuer}/oauth/introspect`, { token, ...secret })).body.active
    expect(await Promise.all([tokens.access, tokens.refresh].map(active))).toEqual([true, true])
    await finish(stack, id)
    expect(await Promise.all([tokens.access, tokens.refresh].map(active))).toEqual([false, false])
    // The one before is still within its overlap.
    for (const token of [tokens.refresh, first.refresh])
      await expect(refresh(client, token)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('tells others nothing but that it is not active', async () => {
    const owner = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(owner, await stack.person(id))
    const other = await register(stack, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const ask = (token: string, client: typeof other) =>
      post(`${stack.issuer}/oauth/introspect`, {
        token,
        client_id: client.client.client_id,
        ...(client.client.client_secret && { client_secret: String(client.client.client_secret) }),
      })
    for (const token of [tokens.access, tokens.refresh, 'nonsense']) {
      expect((await ask(token, other)).body).toEqual({ active: false })
      expect((await ask(token, owner)).body).toEqual({ active: false })
    }
  })
})

describe('pushed authorization requests (RFC 9126)', () => {
  it('carry a whole request that is good once', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const flow = await start(client, { resource: `${MCP_RESOURCE}/` })
    const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(flow.url.searchParams))
    expect(pushed.status).toBe(201)
    const url = new URL(`${stack.issuer}/oauth/authorize`)
    url.searchParams.set('client_id', client.client.client_id)
    url.searchParams.set('request_uri', String(pushed.body.request_uri))
    const callback = await approve(person, { ...flow, url })
    const tokens = await exchange(client, flow, callback)
    expect(tokens.scope.split(' ')).toHaveLength(5)
    const second = await person.open(url)
    expect(second.html + second.url.search).toContain('request_uri')
  })
})

describe('an access token', () => {
  it('is signed by a published key and by no other (RFC 9068 §4)', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const { access } = await connect(client, await stack.person(id))
    const jwks = createLocalJWKSet(await (await fetch(`${stack.issuer}/oauth/jwks`)).json())
    await jwtVerify(access, jwks, { issuer: stack.issuer, audience: MCP_RESOURCE, typ: 'at+jwt' })
    const { privateKey } = await generateKeyPair('ES256')
    const forged = await new SignJWT(decodeJwt(access))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey)
    await expect(jwtVerify(forged, jwks)).rejects.toThrow()
  })
})
