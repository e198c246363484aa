// Many of everything, from one address or for one account: who floods is stopped, and the others go on.
import { randomBytes, randomUUID } from 'node:crypto'
import { POOL_SIZE } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { LIMITS, type LimitName, ROOM, SIZES } from '../src/service-limits.ts'
import { keepWithin, originOf, ROW_BYTES } from '../src/storage-quota.ts'
import { approve, connect, exchange, post, refresh, register, start, type TestClient } from './support/client.ts'
import { connectionOf } from './support/owners-data.ts'
import { fillSignIn, makeAccount, newSignedIn } from './support/people.ts'
import { checkboxes, hiddenField } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

let test: TestDatabase
let stack: Stack
beforeAll(async () => {
  test = await testDatabase()
  stack = await startStack({ test, poolSize: POOL_SIZE, settings: { RATE_LIMITS: 'on', TRUST_PROXY: '1' } })
})
afterAll(async () => {
  await stack?.close()
  await test?.close()
})
beforeEach(async () => {
  await test.db.rateCounter.deleteMany()
  vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 60_000) * 60_000 })
  await test.followDate()
})
afterEach(async () => {
  vi.useRealTimers()
  await test.followDate()
})

const from = (address: string) => ({ 'x-forwarded-for': address })

/** Sets what was counted under a group in this moment's window. */
async function counted(name: LimitName, subject: string, hits: number): Promise<void> {
  const windowMs = LIMITS[name].seconds * 1000
  const windowAt = new Date(Math.floor(Date.now() / windowMs) * windowMs)
  const key = `${name}:${Buffer.from(hashToken(subject)).toString('base64url')}`
  const data = { hits, expiresAt: new Date(windowAt.getTime() + windowMs) }
  const where = { key_windowAt: { key, windowAt } }
  await test.db.rateCounter.upsert({ where, create: { key, windowAt, ...data }, update: data })
}

function registration(address: string, extra: Record<string, unknown> = {}): Promise<Response> {
  return fetch(`${stack.issuer}/oauth/register`, {
    method: 'POST',
    body: JSON.stringify({
      redirect_uris: ['http://127.0.0.1:1/cb'],
      token_endpoint_auth_method: 'none',
      client_name: 'x',
      ...extra,
    }),
    headers: { 'content-type': 'application/json', ...from(address) },
  })
}

/** Looks of this connection into the table that long values of a table are kept in, outside of their rows. */
async function looksOf(tx: Pick<TestDatabase['db'], '$queryRaw'>, table: string): Promise<number> {
  const [{ count }] = await tx.$queryRaw<[{ count: number }]>`
    SELECT pg_stat_get_xact_numscans(i.indexrelid)::int AS count FROM pg_class c
    JOIN pg_index i ON i.indrelid = c.reltoastrelid WHERE c.oid = ${table}::regclass`
  return count
}

const authorize = (url: URL, address: string) => fetch(url, { redirect: 'manual', headers: from(address) })

describe('an IPv6 host with many addresses', () => {
  it.each([
    ['registration', '/oauth/register'],
    ['token', '/oauth/token'],
    ['introspection', '/oauth/introspect'],
    ['revocation', '/oauth/revoke'],
    ['pushedRequest', '/oauth/par'],
  ] as const)('is one in the limit of %s: by its /64, and by the /48 around it', async (name, path) => {
    const send = async (address: string) => (await post(stack.issuer + path, {}, from(address))).status
    await counted(name, '2001:db8:aa:1::/64', LIMITS[name].hits - 1)
    expect(await send('2001:db8:aa:1::1')).not.toBe(429)
    expect(await send('2001:db8:aa:1:ffff::2')).toBe(429)
    expect(await send('2001:db8:aa:2::1')).not.toBe(429)
    await counted(name, '2001:db8:bb::/48', LIMITS[name].network - 1)
    expect(await send('2001:db8:bb:1::1')).not.toBe(429)
    const before = await test.db.rateCounter.count()
    for (const site of [2, 3, 4]) expect(await send(`2001:db8:bb:${site}::1`)).toBe(429)
    // Nor do the refused ones leave a counter each.
    expect(await test.db.rateCounter.count()).toBe(before)
    expect(await send('2001:db8:cc:1::1')).not.toBe(429)
  })
})

describe('authorization requests', () => {
  let client: TestClient
  beforeAll(async () => {
    client = await register(stack)
  })

  it('are limited by address, with a page, and only there', async () => {
    const { url } = await start(client)
    await counted('authorization', '203.0.113.7', LIMITS.authorization.hits - 1)
    expect((await authorize(url, '203.0.113.7')).status).toBe(303)
    const refused = await authorize(url, '203.0.113.7')
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'text/html; charset=utf-8'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // How long, and the way back to what the app asked.
    const page = await refused.text()
    expect(page).toMatch(/Please wait \d+ seconds?, then try again\./)
    expect(page).toContain(`href="${`${url.pathname}${url.search}`.replaceAll('&', '&amp;')}"`)
    expect((await authorize(url, '203.0.113.8')).status).toBe(303)
  })

  it('store no more than fits: state, every parameter and all together, pushed ones too', async () => {
    const rows = () => test.db.oidcArtifact.count()
    for (const [params, fits] of [
      [{ state: 's'.repeat(SIZES.stateBytes) }, true],
      [{ state: 's'.repeat(SIZES.stateBytes + 1) }, false],
      [{ state: 'é'.repeat(SIZES.stateBytes / 2 + 1) }, false],
      [{ scope: `sms:send ${'x'.repeat(SIZES.parameterBytes)}` }, false],
      [{ state: 's'.repeat(4000), scope: `sms:send ${'x'.repeat(2000)}`, code_challenge: 'c'.repeat(2000) }, false],
      // What is not stored may be of any length.
      [{ login_hint: 'h'.repeat(SIZES.parameterBytes + 1) }, true],
    ] as [Record<string, string>, boolean][]) {
      const { url } = await start(client, params)
      const before = await rows()
      const answer = await authorize(url, '203.0.113.9')
      const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(url.searchParams), from('203.0.113.9'))
      expect([answer.status, pushed.status]).toEqual(fits ? [303, 201] : [400, 400])
      if (!fits) expect([pushed.body.error, await rows()]).toEqual(['invalid_request', before])
    }
  })

  it('that flood from many origins push out their own, never those of somebody who has fewer', async () => {
    const old = new Date(Date.now() + 60_000)
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction' } })
    const mine = randomUUID()
    const row = { kind: 'Interaction', payload: { sealed: 'x'.repeat(500) } }
    await test.db.oidcArtifact.create({ data: { ...row, id: mine, expiresAt: old, origin: 'somebody' } })
    await test.db.$executeRaw`
      INSERT INTO oidc_artifact (kind, id, payload, expires_at, origin)
      SELECT 'Interaction', 'flood' || n, '{"sealed":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
             ${old}::timestamptz + n * interval '1 ms', 'flooder' || n % 100
      FROM generate_series(1, ${ROOM.interactions.maxRows}::int) n`
    const newcomer = await stack.person()
    const page = await newcomer.open((await start(client)).url)
    expect([page.status, page.url.pathname]).toEqual([200, '/sign-in'])
    expect(await test.db.oidcArtifact.count({ where: { kind: 'Interaction' } })).toBeLessThanOrEqual(
      ROOM.interactions.maxRows,
    )
    expect(await test.db.oidcArtifact.count({ where: { id: mine } })).toBe(1)
    expect(await test.db.oidcArtifact.count({ where: { id: 'flood1' } })).toBe(0)
  })

  it('find room from each new origin, however many others there are that send less', async () => {
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction' } })
    await test.db.$executeRaw`
      INSERT INTO oidc_artifact (kind, id, payload, expires_at, origin)
      SELECT 'Interaction', 'crowd' || n, '{"sealed":"x"}', ${new Date(Date.now() + 60_000)}::timestamptz, 'crowd' || n
      FROM generate_series(1, ${ROOM.interactions.maxRows}::int) n`
    const newcomer = await stack.person()
    const page = await newcomer.open((await start(client, { state: 's'.repeat(1000) })).url)
    expect([page.status, page.url.pathname]).toEqual([200, '/sign-in'])
    const kept = { kind: 'Interaction', NOT: { id: { startsWith: 'crowd' } } }
    expect(await test.db.oidcArtifact.count({ where: kept })).toBe(1)
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction' } })
  })

  it('are counted without a look at what they hold: long ones that wait make nobody else wait', async () => {
    await test.db.$executeRaw`ALTER TABLE oidc_artifact ALTER COLUMN payload SET STORAGE EXTERNAL`
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'PushedAuthorizationRequest' } })
    await test.db.$executeRaw`
      INSERT INTO oidc_artifact (kind, id, payload, expires_at, origin)
      SELECT 'PushedAuthorizationRequest', 'long' || n, jsonb_build_object('sealed', repeat('x', 8000)),
             ${new Date(Date.now() + 60_000)}::timestamptz, 'somebody'
      FROM generate_series(1, ${ROOM.pushedRequests.maxRowsOfOrigin}::int + 1) n`
    await test.db.$transaction(async (tx) => {
      const looks = () => looksOf(tx, 'oidc_artifact')
      const before = await looks()
      await keepWithin(tx, 'pushedRequests', 'somebody')
      // One, for what goes with the row that has no room.
      expect((await looks()) - before).toBe(1)
      await tx.$queryRaw`SELECT length(payload::text) FROM oidc_artifact WHERE id = 'long2'`
      expect((await looks()) - before).toBe(2)
    })
    const left = { kind: 'PushedAuthorizationRequest', id: { startsWith: 'long' } }
    expect(await test.db.oidcArtifact.count({ where: left })).toBe(ROOM.pushedRequests.maxRowsOfOrigin)
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'PushedAuthorizationRequest' } })
  })

  it('are bounded in bytes before they are in rows', async () => {
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction' } })
    await test.db.$executeRaw`ALTER TABLE oidc_artifact ALTER COLUMN payload SET STORAGE EXTERNAL`
    await test.db.$executeRaw`
      INSERT INTO oidc_artifact (kind, id, payload, expires_at, origin)
      SELECT 'Interaction', 'heavy' || n, jsonb_build_object('sealed', repeat('x', 100000)), ${new Date(Date.now() + 60_000)}::timestamptz,
             'flooder' || n % 7
      FROM generate_series(1, ${Math.ceil(ROOM.interactions.maxBytes / 100_000)}::int) n`
    expect((await authorize((await start(client)).url, '203.0.113.30')).status).toBe(303)
    const [{ bytes }] = await test.db.$queryRaw<[{ bytes: number }]>`
      SELECT sum(pg_column_size(payload))::float8 AS bytes FROM oidc_artifact WHERE kind = 'Interaction'`
    expect(bytes).toBeLessThanOrEqual(ROOM.interactions.maxBytes)
    expect(bytes).toBeGreaterThan(ROOM.interactions.maxBytes / 2)
    await test.db.oidcArtifact.deleteMany({ where: { kind: 'Interaction' } })
  })
})

describe('registered clients', () => {
  it('that nobody connected push out their own origin alone; connected ones stay', async () => {
    const day = new Date(Date.now() - 86_400_000)
    const origin = originOf(stack.env.OPERATOR_KEY, '2001:db8:dd:1::1')
    const row = { payload: { client_name: 'kept' }, createdAt: day }
    const connected = await test.db.oidcClient.create({ data: { id: randomUUID(), ...row, origin, lastUsedAt: day } })
    const others = await test.db.oidcClient.create({ data: { id: randomUUID(), ...row, origin: 'somebody' } })
    await test.db.$executeRaw`
      INSERT INTO oidc_client (id, payload, created_at, origin)
      SELECT 'flood' || n, '{}', ${day}::timestamptz + n * interval '1 ms', ${origin}
      FROM generate_series(1, ${ROOM.unusedClients.maxRowsOfOrigin}::int) n`
    const answer = await registration('2001:db8:dd:9::1')
    expect(answer.status).toBe(201)
    const { client_id: id } = (await answer.json()) as { client_id: string }
    const left = async (one: string) => test.db.oidcClient.count({ where: { id: one } })
    expect(await Promise.all([id, connected.id, others.id, 'flood2', 'flood1'].map(left))).toEqual([1, 1, 1, 1, 0])
  })

  it('are counted without a look at what they hold', async () => {
    await test.db.$executeRaw`ALTER TABLE oidc_client ALTER COLUMN payload SET STORAGE EXTERNAL`
    await test.db.$executeRaw`
      INSERT INTO oidc_client (id, payload, created_at, origin)
      SELECT 'long' || n, jsonb_build_object('client_name', repeat('x', 8000)), ${new Date()}::timestamptz, 'somebody'
      FROM generate_series(1, 3) n`
    await test.db.$transaction(async (tx) => {
      const before = await looksOf(tx, 'oidc_client')
      await keepWithin(tx, 'unusedClients', 'somebody')
      expect(await looksOf(tx, 'oidc_client')).toBe(before)
      await tx.$queryRaw`SELECT length(payload::text) FROM oidc_client WHERE id = 'long2'`
      expect(await looksOf(tx, 'oidc_client')).toBe(before + 1)
    })
    await test.db.oidcClient.deleteMany({ where: { id: { startsWith: 'long' } } })
  })

  it('find room from each new origin, however large they are and however small those of as many others', async () => {
    await test.db.$executeRaw`
      INSERT INTO oidc_client (id, payload, created_at, origin)
      SELECT 'crowd' || n, '{}', ${new Date(Date.now() - 1000)}::timestamptz, 'crowd' || n
      FROM generate_series(1, ${ROOM.unusedClients.maxRows}::int) n`
    const uris = Array.from({ length: 8 }, () => `http://127.0.0.1:1/${randomBytes(400).toString('base64url')}`)
    const response = await registration('203.0.113.43', { redirect_uris: uris })
    const { client_id: id } = (await response.json()) as { client_id: string }
    expect(await test.db.oidcClient.count({ where: { id } })).toBe(1)
    expect(await test.db.oidcClient.count({ where: { id: { startsWith: 'crowd' } } })).toBeLessThan(
      ROOM.unusedClients.maxRows,
    )
    await test.db.oidcClient.deleteMany({ where: { id: { startsWith: 'crowd' } } })
  })

  it('are bounded in all, and the origin that has most pays', async () => {
    const day = new Date(Date.now() - 86_400_000)
    const mine = { id: randomUUID(), payload: {}, createdAt: day, origin: 'a day ago' }
    await test.db.oidcClient.create({ data: mine })
    await test.db.$executeRaw`
      INSERT INTO oidc_client (id, payload, created_at, origin)
      SELECT 'crowd' || n, '{}', ${new Date()}::timestamptz, 'crowd' || n % 40
      FROM generate_series(1, ${ROOM.unusedClients.maxRows}::int) n`
    const { client_id: id } = (await (await registration('203.0.113.40')).json()) as { client_id: string }
    const unused = { lastUsedAt: null, freshUntil: null }
    expect(await test.db.oidcClient.count({ where: unused })).toBeLessThanOrEqual(ROOM.unusedClients.maxRows)
    expect(await test.db.oidcClient.count({ where: { id } })).toBe(1)
    expect(await test.db.oidcClient.count({ where: { id: mine.id } })).toBe(1)
    await test.db.oidcClient.deleteMany({ where: { id: { startsWith: 'crowd' } } })
  })

  it('are refused when they are too large', async () => {
    const long = Array.from({ length: 30 }, (_, index) => `https://app.example/${'x'.repeat(300)}${index}`)
    const refused = await registration('203.0.113.41', { redirect_uris: long })
    expect([refused.status, await refused.json()]).toEqual([
      400,
      {
        error: 'invalid_client_metadata',
        error_description: expect.stringContaining(String(SIZES.clientMetadataBytes)),
      },
    ])
    expect((await registration('203.0.113.41', { redirect_uris: long.slice(0, 10) })).status).toBe(201)
  })
})

describe('one origin', () => {
  it.each([
    ['interactions', 'authorization'],
    ['unusedClients', 'registration'],
    ['pushedRequests', 'pushedRequest'],
  ] as const)('has room for all %s that a network may send while a person decides', (kind, name) => {
    // What was pushed goes after a minute, decided or not.
    const waitsSeconds = kind === 'pushedRequests' ? 60 : stack.env.INTERACTION_SECONDS
    const { network, seconds } = LIMITS[name]
    // It begins in the middle of a window.
    expect(network * (waitsSeconds / seconds + 1)).toBeLessThanOrEqual(ROOM[kind].maxRowsOfOrigin)
  })

  it.each([
    ['interactions', 'Interaction', 'authorization'],
    ['pushedRequests', 'PushedAuthorizationRequest', 'pushedRequest'],
  ] as const)('has room for as many %s of the largest size, whatever is written in them', async (room, kind, name) => {
    const waitsSeconds = room === 'pushedRequests' ? 60 : stack.env.INTERACTION_SECONDS
    const redirectUri = `http://127.0.0.1:1/${randomBytes(1500).toString('base64url')}`
    const client = await register(stack, { redirect_uris: [redirectUri] })
    const bytesOf = async (state: string, details: string) => {
      await test.db.oidcArtifact.deleteMany()
      const { url } = await start(client, { redirect_uri: redirectUri, state, authorization_details: details })
      const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(url.searchParams), from('203.0.113.50'))
      if (pushed.status !== 201) return null
      url.search = `?${new URLSearchParams({ client_id: client.client.client_id, request_uri: String(pushed.body.request_uri) })}`
      expect((await authorize(url, '203.0.113.50')).status).toBe(303)
      const rows = await test.db.$queryRaw<{ bytes: number }[]>`
        SELECT max(pg_column_size(payload)) + ${ROW_BYTES}::int AS bytes FROM oidc_artifact WHERE kind = ${kind}`
      return rows[0]?.bytes ?? null
    }
    const unlimited = JSON.stringify([{ type: 'vertexsms_send' }])
    const letters = randomBytes(SIZES.stateBytes).toString('base64url')
    const sizes = [await bytesOf(letters.slice(0, 4000), unlimited.padEnd(1950))]
    for (const character of ['"', '\u0001', 'é']) sizes.push(await bytesOf(character.repeat(2000), unlimited))
    for (const character of ['"', '\u0001']) sizes.push(await bytesOf(character.repeat(4000), unlimited))
    const largest = Math.max(...sizes.map(Number))
    expect(largest).toBeGreaterThan(SIZES.parametersBytes)
    const { network, seconds } = LIMITS[name]
    expect(network * (waitsSeconds / seconds + 1) * largest).toBeLessThan(ROOM[room].maxBytes)
  })
})

describe('an address that many share', () => {
  it('is refused for its failures, and a sound refresh from it is not', async () => {
    const client = await register(stack)
    const { person } = await newSignedIn(stack)
    let tokens = await connect(client, person)
    for (let round = 0; round < 3; round += 1) tokens = await refresh(client, tokens.refresh)
    // Nothing of all that failed, so nothing was counted.
    const tokenRows = { key: { startsWith: 'token:' } }
    expect(await test.db.rateCounter.count({ where: tokenRows })).toBe(0)

    await counted('token', '127.0.0.1', LIMITS.token.hits)
    await counted('client', `${client.client.client_id}\n127.0.0.1`, LIMITS.client.hits)
    const guess = { grant_type: 'refresh_token', client_id: client.client.client_id, refresh_token: 'guess' }
    const refused = await post(`${stack.issuer}/oauth/token`, guess)
    expect([refused.status, refused.body.error]).toEqual([429, 'temporarily_unavailable'])
    tokens = await refresh(client, tokens.refresh)
    const { status } = await post(`${stack.issuer}/oauth/revoke`, { client_id: guess.client_id, token: tokens.refresh })
    expect(status).toBe(200)
    expect((await post(`${stack.issuer}/oauth/token`, { ...guess, refresh_token: tokens.refresh })).status).toBe(429)
  })

  it('lets a connected client with no failures of its own go on at every endpoint, and no other', async () => {
    const [connected, fresh] = [await register(stack), await register(stack)]
    await connect(connected, (await newSignedIn(stack)).person)
    await counted('pushedRequest', '127.0.0.1', LIMITS.pushedRequest.hits)
    for (const [client, status] of [
      [connected, 201],
      [fresh, 429],
    ] as const) {
      const { url } = await start(client)
      const pushed = await post(`${stack.issuer}/oauth/par`, Object.fromEntries(url.searchParams))
      expect(pushed.status).toBe(status)
    }
    await counted('client', `${connected.client.client_id}\n127.0.0.1`, LIMITS.client.hits)
    const { url } = await start(connected)
    expect((await post(`${stack.issuer}/oauth/par`, Object.fromEntries(url.searchParams))).status).toBe(429)
  })

  it('knows a client that its assertion alone names, and counts its failures as its own (RFC 7521 §4.2)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } }
    const [connected, fresh] = [await register(stack, keys), await register(stack, keys)]
    await test.db.oidcClient.update({ where: { id: connected.client.client_id }, data: { lastUsedAt: new Date() } })
    const revoke = async ({ client: { client_id: id } }: TestClient, key = privateKey) => {
      const assertion = new SignJWT({ iss: id, sub: id, aud: stack.issuer, jti: randomUUID() })
      const signed = await assertion.setProtectedHeader({ alg: 'ES256' }).setExpirationTime('1m').sign(key)
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      const fields = { token: 'x', client_assertion: signed, client_assertion_type: type }
      return (await post(`${stack.issuer}/oauth/revoke`, fields)).status
    }
    await counted('client', '\n127.0.0.1', LIMITS.client.hits)
    expect([await revoke(connected), await revoke(fresh)]).toEqual([200, 200])
    await counted('revocation', '127.0.0.1', LIMITS.revocation.hits)
    expect([await revoke(connected), await revoke(fresh)]).toEqual([200, 429])
    await counted('client', `${connected.client.client_id}\n127.0.0.1`, LIMITS.client.hits - 1)
    const { privateKey: another } = await generateKeyPair('ES256')
    expect([await revoke(connected, another), await revoke(connected)]).toEqual([401, 429])
  })

  it('is not let off by a form that its limits read otherwise than the endpoint does', async () => {
    const connected = await register(stack)
    const tokens = await connect(connected, (await newSignedIn(stack)).person)
    const { client_id: id } = connected.client
    const form = 'application/x-www-form-urlencoded'
    const guess = `grant_type=authorization_code&client_id=${id}&code=guess&redirect_uri=x&code_verifier=x`
    const spellings: [type: string, body: string][] = [
      [form, guess],
      [form, `\ufeff${guess}`],
      [form, `${guess}&client_id=${id}`],
      [`${form}; charset=utf-16`, guess],
      [`${form}-not`, guess],
      ['text/plain', guess],
      // A sound token that the request does not use.
      [form, `${guess}&refresh_token=${tokens.refresh}`],
      [form, `grant_type=refresh_token&client_id=${id}&refresh_token=${tokens.refresh}&refresh_token=x`],
      [form, `client_id=${id}&refresh_token=${tokens.refresh}`],
    ]
    const last: unknown[] = []
    for (const [type, body] of spellings) {
      await test.db.rateCounter.deleteMany()
      await counted('token', '127.0.0.1', LIMITS.token.hits)
      await counted('client', `${id}\n127.0.0.1`, LIMITS.client.hits - 1)
      const statuses: number[] = []
      for (let round = 0; round < 2; round += 1) {
        const headers = { 'content-type': type }
        statuses.push((await fetch(`${stack.issuer}/oauth/token`, { method: 'POST', headers, body })).status)
      }
      last.push([type, body, statuses.at(-1)])
    }
    expect(last).toEqual(spellings.map(([type, body]) => [type, body, 429]))
    // A sound one that it does use passes, as it does in any spelling of the type.
    const sound = `\ufeffgrant_type=refresh_token&client_id=${id}&refresh_token=${tokens.refresh}`
    const headers = { 'content-type': `${form.toUpperCase()}; charset=utf-8` }
    expect((await fetch(`${stack.issuer}/oauth/token`, { method: 'POST', headers, body: sound })).status).toBe(200)
  })

  it('is let off for a sound code or token to the client alone that it was given to (RFC 6749 §6)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } }
    const [owner, other] = [await register(stack), await register(stack, keys)]
    const tokens = await connect(owner, (await newSignedIn(stack)).person)
    const flow = await start(owner)
    const callback = await approve((await newSignedIn(stack)).person, flow)
    const code = String(callback.searchParams.get('code'))
    const [{ client_id: ownersId }, { client_id: othersId }] = [owner.client, other.client]
    const refreshing = { grant_type: 'refresh_token', refresh_token: tokens.refresh }
    const exchanging = { grant_type: 'authorization_code', code, redirect_uri: owner.redirectUri, code_verifier: 'x' }
    const assertion = new SignJWT({ iss: othersId, sub: othersId, aud: stack.issuer, jti: randomUUID() })
    const proof = {
      client_assertion: await assertion.setProtectedHeader({ alg: 'ES256' }).setExpirationTime('1m').sign(privateKey),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }
    for (const name of ['token', 'introspection', 'revocation'] as const) {
      await counted(name, '127.0.0.1', LIMITS[name].hits)
    }
    const requests: [path: string, fields: Record<string, string>][] = [
      ['token', refreshing],
      ['token', { ...refreshing, client_id: othersId, client_secret: 'guess' }],
      ['token', { ...refreshing, ...proof }],
      ['token', { ...refreshing, client_assertion: `x.${Buffer.from('{"sub":"\\u0000"}').toString('base64url')}.x` }],
      ['token', { ...exchanging, client_id: othersId }],
      ['introspect', { token: tokens.refresh, client_id: othersId, client_secret: 'guess' }],
      ['revoke', { token: tokens.refresh, ...proof }],
    ]
    const statuses: number[] = []
    for (const [path, fields] of requests) statuses.push((await post(`${stack.issuer}/oauth/${path}`, fields)).status)
    expect(statuses).toEqual(requests.map(() => 429))
    // Its own passes, a used one within its overlap as well.
    await counted('client', `${ownersId}\n127.0.0.1`, LIMITS.client.hits)
    expect((await exchange(owner, flow, callback)).refresh).not.toBe('')
    const next = await refresh(owner, tokens.refresh)
    expect((await refresh(owner, tokens.refresh)).refresh).toBe(next.refresh)
    expect((await post(`${stack.issuer}/oauth/token`, { ...refreshing, client_id: othersId })).status).toBe(429)
  })

  it('counts each assertion at introspection, wherever in its form it stands (RFC 7523 §3)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } }
    const { client_id: id } = (await register(stack, keys)).client
    const introspect = async (mark: string) => {
      const assertion = new SignJWT({ iss: id, sub: id, aud: stack.issuer, jti: randomUUID() })
      const signed = await assertion.setProtectedHeader({ alg: 'ES256' }).setExpirationTime('1m').sign(privateKey)
      const type = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      const body = `${mark}client_assertion=${signed}&token=x&client_assertion_type=${type}`
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return (await fetch(`${stack.issuer}/oauth/introspect`, { method: 'POST', headers, body })).status
    }
    await counted('introspection', '127.0.0.1', LIMITS.introspection.hits - 1)
    expect([await introspect('\ufeff'), await introspect('\ufeff'), await introspect('')]).toEqual([200, 429, 429])
  })
})

describe('requests for access', () => {
  beforeEach(async () => {
    await test.db.accessRequest.deleteMany()
  })

  async function ask(reason: string, address: string): Promise<number> {
    const person = await stack.person()
    const { html } = await person.get('/request-access')
    const fields: [string, string][] = [
      ['csrf', hiddenField(html, 'csrf')],
      ['email', 'owner@example.com'],
      ['name', 'A'],
      ['company', 'B'],
      ['reason', reason],
    ]
    return (await person.post('/request-access', fields, { 'sec-fetch-site': 'same-origin', ...from(address) })).status
  }

  it('are added and never rewritten, handled ones included', async () => {
    expect(await ask('mine', '203.0.113.60')).toBe(200)
    const before = await test.db.accessRequest.findMany()
    await test.db.accessRequest.updateMany({ data: { handledAt: new Date(0) } })
    expect(await ask("a stranger's", '203.0.113.61')).toBe(200)
    const after = await test.db.accessRequest.findMany({ orderBy: { reason: 'desc' } })
    expect(after.map(({ reason }) => reason)).toEqual(['mine', "a stranger's"])
    expect(after[0]).toEqual({ ...before[0], handledAt: new Date(0) })
  })

  it('are bounded, and whoever sends most loses its own', async () => {
    await test.db.$executeRaw`
      INSERT INTO access_request (id, email, name, company, reason, created_at, origin)
      SELECT gen_random_uuid(), 'x' || n || '@example.com', 'x', 'x', 'x', ${new Date()}::timestamptz, 'f' || n % 200
      FROM generate_series(1, ${ROOM.accessRequests.maxRows}::int) n`
    expect(await ask('a newcomer', '203.0.113.62')).toBe(200)
    expect(await test.db.accessRequest.count({ where: { handledAt: null } })).toBeLessThanOrEqual(
      ROOM.accessRequests.maxRows,
    )
    expect(await test.db.accessRequest.count({ where: { reason: 'a newcomer' } })).toBe(1)
  })
})

describe('what an account may have', () => {
  it('is one more token when 19 posts at once find room for one', async () => {
    const { account, person } = await newSignedIn(stack)
    await test.db.apiToken.createMany({
      data: Array.from({ length: SIZES.manualTokensOfAccount - 1 }, (_, index) => ({
        id: randomUUID(),
        accountId: account.id,
        kind: 'manual' as const,
        name: `t${index}`,
        tokenHash: hashToken(randomUUID()),
        permissions: [],
        ipAllowList: [],
        createdAt: new Date(),
      })),
    })
    const { html } = await person.get('/settings/api')
    const fields: [string, string][] = [
      ['csrf', hiddenField(html, 'csrf')],
      ['name', 'one of many'],
      ['permissions', 'POST /sms'],
      ['expires_in', '1d'],
    ]
    const answers = await Promise.all(Array.from({ length: 19 }, () => person.post('/settings/api/new', fields)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(18).fill(422)])
    expect(await test.db.apiToken.count({ where: { accountId: account.id } })).toBe(SIZES.manualTokensOfAccount)
  })

  it('is one more app when two are allowed at once and there is room for one, and what is connected connects again', async () => {
    const { account, person } = await newSignedIn(stack)
    const known = await register(stack)
    await connect(known, person)
    const rows = Array.from({ length: SIZES.connectionsOfAccount - 2 }, () => connectionOf(account.id))
    const ended = connectionOf(account.id, { endedAt: new Date() })
    await test.db.connection.createMany({ data: [...rows, ended] })
    const pages = []
    for (const _ of ['one', 'the other']) pages.push(await person.open((await start(await register(stack))).url))
    const answers = await Promise.all(
      pages.map(({ html, url }) =>
        person.post(url, [
          ['csrf', hiddenField(html, 'csrf')],
          ['decision', 'allow'],
          ...checkboxes(html, 'scope').map((scope): [string, string] => ['scope', scope]),
        ]),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422])
    expect(answers.find(({ status }) => status === 422)?.html).toContain('Disconnect one, then press')
    // Who has no room for another can still say no to it.
    const asked = await person.open((await start(await register(stack))).url)
    const denial = await person.post(asked.url, [
      ['csrf', hiddenField(asked.html, 'csrf')],
      ['decision', 'deny'],
    ])
    expect([denial.status, denial.html.includes('Access denied')]).toEqual([200, true])
    await connect(known, person)
    expect(await test.db.connection.count({ where: { accountId: account.id, endedAt: null } })).toBe(
      SIZES.connectionsOfAccount,
    )
  })

  it('is not filled by tokens that ran out, which are on no page where they could be deleted', async () => {
    const { account, person } = await newSignedIn(stack)
    await test.db.apiToken.createMany({
      data: Array.from({ length: SIZES.manualTokensOfAccount }, (_, index) => ({
        id: randomUUID(),
        accountId: account.id,
        kind: 'manual' as const,
        name: `t${index}`,
        tokenHash: hashToken(randomUUID()),
        permissions: [],
        ipAllowList: [],
        createdAt: new Date(Date.now() - 2000),
        expiresAt: new Date(Date.now() - 1000),
      })),
    })
    const made = await person.post('/settings/api/new', [
      ['csrf', hiddenField((await person.get('/settings/api/new')).html, 'csrf')],
      ['name', 'the next'],
      ['permissions', 'POST /sms'],
    ])
    expect(made.status).toBe(303)
  })

  it('is a bounded number of sessions: the one not seen for longest ends', async () => {
    const { id: accountId, email } = await makeAccount(stack)
    const now = new Date()
    await test.db.session.createMany({
      data: Array.from({ length: SIZES.sessionsOfAccount }, (_, index) => ({
        id: randomUUID(),
        accountId,
        secretHash: hashToken(randomUUID()),
        createdAt: now,
        lastSeenAt: new Date(now.getTime() - index * 1000),
        expiresAt: new Date(now.getTime() + 3_600_000),
        userAgent: `browser ${index}`,
        address: '203.0.113.1',
      })),
    })
    const person = await stack.person()
    expect((await fillSignIn(person, { email })).status).toBe(303)
    expect((await person.get('/settings/api')).status).toBe(200)
    const agents = (await test.db.session.findMany({ where: { accountId } })).map(({ userAgent }) => userAgent)
    expect(agents).toHaveLength(SIZES.sessionsOfAccount)
    expect(agents).toContain('browser 0')
    expect(agents).not.toContain(`browser ${SIZES.sessionsOfAccount - 1}`)
  })
})
