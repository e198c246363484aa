import { hashToken } from '@vertexsms/secrets/hash-token'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, connect, discover, exchange, post, refresh, register, start } from './support/client.ts'
import { API_RESOURCE, MCP_RESOURCE, type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())

const ALL = 'sms:send sms:rates sender:write hlr:lookup numbers:read'

async function keySet(): Promise<JSONWebKeySet> {
  const { jwks_uri } = await discover(stack)
  return (await (await fetch(String(jwks_uri))).json()) as JSONWebKeySet
}

describe('connecting', () => {
  it('leads an independent client from registration to tokens whose rows stand before they are returned', async () => {
    const client = await register(stack)
    const account = await stack.account()
    const tokens = await connect(client, await stack.person(account.id))
    expect(tokens.scope).toBe(ALL)
    expect(tokens.expiresIn).toBe(600)

    const { payload, protectedHeader } = await jwtVerify(tokens.access, createLocalJWKSet(await keySet()))
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    expect(payload).toMatchObject({
      iss: stack.issuer,
      sub: account.id,
      aud: [MCP_RESOURCE, API_RESOURCE],
      client_id: client.client.client_id,
      scope: ALL,
    })
    const rows = await stack.db.apiToken.findMany({ where: { accountId: account.id }, orderBy: { kind: 'asc' } })
    const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId: account.id } })
    expect(rows.map(({ kind, name }) => [kind, name])).toEqual([
      ['oauth_access', `oauth:access:${connection.id}`],
      ['oauth_refresh', `oauth:refresh:${connection.id}`],
    ])
    expect(Buffer.from(rows[0]?.tokenHash ?? [])).toEqual(Buffer.from(hashToken(String(payload.jti))))
    expect(Buffer.from(rows[1]?.tokenHash ?? [])).toEqual(Buffer.from(hashToken(tokens.refresh)))
  })

  it('gives the ticked scopes alone, in the response, the token and the permissions', async () => {
    const client = await register(stack)
    const account = await stack.account()
    const tokens = await connect(client, await stack.person(account.id), { choice: { scopes: ['sms:rates'] } })
    expect(tokens.scope).toBe('sms:rates')
    const row = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: account.id, kind: 'oauth_access' } })
    expect(row.permissions).toEqual(['GET /rates'])
    const again = await refresh(client, tokens.refresh)
    expect(again.scope).toBe('sms:rates')
  })

  it('rotates the refresh token under one row with a stable id', async () => {
    const client = await register(stack)
    const account = await stack.account()
    const first = await connect(client, await stack.person(account.id))
    const where = { accountId: account.id, kind: 'oauth_refresh' } as const
    const before = await stack.db.apiToken.findMany({ where })
    const second = await refresh(client, first.refresh)
    const after = await stack.db.apiToken.findMany({ where })
    expect(second.refresh).not.toBe(first.refresh)
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    expect(decodeProtectedHeader(second.access).typ).toBe('at+jwt')
  })

  it('asks an anonymous browser to sign in first and comes back to the consent page', async () => {
    const client = await register(stack)
    const person = await stack.person()
    const view = await person.open((await start(client)).url)
    expect(view.url.pathname).toBe('/sign-in')
    expect(view.url.searchParams.get('return_to')).toMatch(/^\/interaction\//)
  })

  it('sends access_denied with state and issuer when the person denies', async () => {
    const client = await register(stack)
    const account = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(account.id), flow, { decision: 'deny' })
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({
      error: 'access_denied',
      error_description: 'the person did not approve',
      state: flow.state,
      iss: stack.issuer,
    })
    expect(await stack.db.connection.count({ where: { accountId: account.id } })).toBe(0)
  })

  it('asks again when nothing is ticked, and connects nothing', async () => {
    const client = await register(stack)
    const account = await stack.account()
    const stayed = await approve(await stack.person(account.id), await start(client), { scopes: [] })
    expect([stayed.origin, stayed.pathname.split('/')[1]]).toEqual([new URL(stack.issuer).origin, 'interaction'])
    expect(await stack.db.connection.count({ where: { accountId: account.id } })).toBe(0)
  })

  it('refuses a code a second time and takes back what it gave (RFC 6749 §4.1.2)', async () => {
    const client = await register(stack)
    const account = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(account.id), flow)
    const tokens = await exchange(client, flow, callback)
    await expect(exchange(client, flow, callback)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(await stack.db.apiToken.count({ where: { accountId: account.id } })).toBe(0)
  })

  it('answers token requests with no-store and form errors as JSON (RFC 6749 §5)', async () => {
    const answer = await post(`${stack.issuer}/oauth/token`, {
      grant_type: 'authorization_code',
      client_id: 'nobody',
      code: 'x',
    })
    expect(answer.status).toBe(401)
    expect(answer.body.error).toBe('invalid_client')
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })
})
