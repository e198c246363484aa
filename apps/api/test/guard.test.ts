// One judgement of tokens: what is let in, and beside each its refusing twins, of both kinds of token.
import { randomUUID } from 'node:crypto'
import { PERMISSIONS, type Permission } from '@vertexsms/contract/permissions'
import type { Database } from '@vertexsms/db/client'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { makeGate } from './support/gate.ts'
import { accessClaims, makeConnection, makeIssuer } from './support/issuer.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
let issuer: Awaited<ReturnType<typeof makeIssuer>>
beforeAll(async () => {
  world = await startWorld()
  issuer = await makeIssuer(world.db, 'key-1')
})
afterAll(() => world.close())
afterEach(() => vi.useRealTimers())

const REFUSALS = {
  TOKEN_MISSING: 401,
  TOKEN_INVALID: 401,
  TOKEN_EXPIRED: 401,
  IP_NOT_ALLOWED: 401,
  PERMISSION_MISSING: 403,
} as const

async function expectRefused(token: string | null, code: keyof typeof REFUSALS, headers: Record<string, string> = {}) {
  const answer = await world.node.call('GET /token', { token, headers })
  expect(answer.body).toEqual({ message: expect.any(String), code, error_code: null })
  expect(answer.status).toBe(REFUSALS[code])
}

async function connected(changes: Record<string, unknown> = {}) {
  const claims = accessClaims(world.accountId, changes)
  const connection = await makeConnection(world.db, world.accountId, claims.jti)
  return { claims, connection, jwt: await issuer.sign(claims) }
}

// Each statement ends in its time; that of all of them together is bounded here.
test('a token of which nothing is known within the time of one statement is not judged: 503, whatever is waited for', async () => {
  const { jwt } = await connected()
  for (const [silent, token] of [
    ['SigningKey', jwt],
    ['api_token t', jwt],
    ['api_token t', world.token],
  ] as const) {
    const { passed: held, open: answer } = makeGate()
    let waited = false
    const node = await world.startNode({ DATABASE_STATEMENT_TIMEOUT_MS: '100' }, {}, (db) => {
      const seen = db.$extends({
        query: {
          $allOperations({ model, args, query }) {
            if (!(model ?? (args as { sql: string }).sql).includes(silent)) return query(args)
            waited = true
            return held.then(() => query(args))
          },
        },
      })
      return seen as unknown as Database
    })
    // A slow machine may spend the time of a first call before it comes to the question.
    for (let calls = 0; calls < 100 && !waited; calls++) {
      const { status, headers, body } = await node.call('GET /token', { token })
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', expect.any(String)])
    }
    answer()
    expect(waited).toBe(true)
  }
})

describe('a token made by hand', () => {
  test('describes itself', async () => {
    const { status, body } = await world.node.call('GET /token', { token: world.token })
    expect(status).toBe(200)
    expect(body).toEqual({
      account: world.accountId,
      kind: 'manual',
      permissions: [...PERMISSIONS],
      limits: null,
      spent: { day: '0', total: '0', recipients: 0, currency: 'EUR', resetsAt: expect.any(String) },
      left: {},
      paused: false,
      expires_at: null,
    })
  })

  test('without a permission describes itself as one that has none', async () => {
    const { token } = await world.makeToken({ permissions: [] })
    const { status, body } = await world.node.call('GET /token', { token })
    expect([status, body.permissions]).toEqual([200, []])
  })

  test('is refused when it is missing, in every place where it does not belong', async () => {
    await expectRefused(null, 'TOKEN_MISSING')
    await expectRefused(null, 'TOKEN_MISSING', { authorization: `Basic ${btoa(`${world.token}:`)}` })
    await expectRefused(null, 'TOKEN_MISSING', { 'x-vertexsms-token': '' })
    const inQuery = await world.node.call(`GET /token?at=${world.token}`)
    expect([inQuery.status, inQuery.body.code]).toEqual([401, 'TOKEN_MISSING'])
  })

  test('is refused when it is unknown, empty of meaning or long', async () => {
    for (const token of ['x', `vsms_${'A'.repeat(43)}`, 'a'.repeat(5000), "' OR 1=1 --"])
      await expectRefused(token, 'TOKEN_INVALID')
  })

  test('is refused from the moment it expires', async () => {
    const { token } = await world.makeToken({ expiresAt: new Date(Date.now() - 1) })
    await expectRefused(token, 'TOKEN_EXPIRED')
  })

  test('is refused by the very next request after its row was deleted', async () => {
    const { id, token } = await world.makeToken()
    expect((await world.node.call('GET /token', { token })).status).toBe(200)
    await world.db.apiToken.delete({ where: { id } })
    await expectRefused(token, 'TOKEN_INVALID')
  })

  test('is refused while its account is disabled', async () => {
    const { accountId, token } = await world.makeAccount()
    await world.db.account.update({ where: { id: accountId }, data: { status: 'disabled' } })
    await expectRefused(token, 'TOKEN_INVALID')
  })

  test('is looked at before the path and the query are, which are refused where they are not text', async () => {
    for (const path of [
      '/rates?country=%FF',
      '/rates?country=%00',
      '/rates?country=%ED%A0%80',
      '/rates?country=%',
      '/hlr/%00',
      '/sms/status/%00',
    ]) {
      expect((await world.node.call(`GET ${path}`, { token: null })).body.code).toBe('TOKEN_MISSING')
      const { status, body } = await world.node.call(`GET ${path}`, { token: world.token })
      expect([path, status, body.code]).toEqual([path, 400, 'INVALID_INPUT'])
    }
  })

  test('opens exactly the routes it holds', async () => {
    const requests: Record<Permission, string> = {
      'POST /sms': 'POST /sms',
      'POST /sms/cost': 'POST /sms/cost',
      'GET /rates': 'GET /rates/',
      'POST /senderId': 'POST /senderId',
      'POST /senderId/confirm': 'POST /senderId/confirm/1',
      'POST /hlr': 'POST /hlr',
      'GET /hlr': 'GET /hlr/1',
      'GET /operators': 'GET /operators/1',
      'GET /mccmnc': 'GET /mccmnc/LT',
      'GET /prefixes': 'GET /prefixes/LT',
      'POST /numbers/correct': 'POST /numbers/correct',
    }
    for (const held of PERMISSIONS) {
      const { token } = await world.makeToken({ permissions: [held] })
      await Promise.all(
        Object.entries(requests).map(async ([needed, request]) => {
          const { status, body } = await world.node.call(request, {
            token,
            ...(request.startsWith('POST') ? { body: {} } : {}),
          })
          if (needed === held) expect(status, request).not.toBe(403)
          else expect([status, body.code], request).toEqual([403, 'PERMISSION_MISSING'])
        }),
      )
    }
  })

  test('is noted as used at most once a minute', async () => {
    const { id, token } = await world.makeToken()
    const first = new Date(Date.now() - 30_000)
    await world.db.apiToken.update({ where: { id }, data: { lastUsedAt: first } })
    const node = await world.startNode()
    await node.call('GET /token', { token })
    await world.db.apiToken.update({ where: { id }, data: { lastUsedAt: new Date(first.getTime() - 60_000) } })
    await node.call('GET /token', { token })
    await node.close()
    const row = await world.db.apiToken.findUniqueOrThrow({ where: { id } })
    expect(row.lastUsedAt?.getTime()).toBeGreaterThan(first.getTime())
    const again = await world.startNode()
    await again.call('GET /token', { token })
    await again.close()
    expect((await world.db.apiToken.findUniqueOrThrow({ where: { id } })).lastUsedAt).toEqual(row.lastUsedAt)
  })
})

describe('an access token', () => {
  test('describes itself through its row', async () => {
    const { jwt } = await connected()
    const { status, body } = await world.node.call('GET /token', { token: jwt })
    expect([status, body.kind, body.account]).toEqual([200, 'oauth_access', world.accountId])
  })

  test('is refused by the very next request after its row was deleted, though its signature was already verified', async () => {
    const { jwt, connection } = await connected()
    expect((await world.node.call('GET /token', { token: jwt })).status).toBe(200)
    await world.db.apiToken.delete({ where: { id: connection.access.id } })
    await expectRefused(jwt, 'TOKEN_INVALID')
  })

  test('is refused once its connection has ended', async () => {
    const { jwt, connection } = await connected()
    await world.db.connection.update({ where: { id: connection.id }, data: { endedAt: new Date() } })
    await expectRefused(jwt, 'TOKEN_INVALID')
  })

  test('is refused once its connection has run out, whatever its own row says, and describes itself by that end before', async () => {
    const { jwt, connection } = await connected()
    const endsAt = (expiresAt: Date) =>
      world.db.connection.update({ where: { id: connection.id }, data: { expiresAt } })
    const soon = new Date(Date.now() + 60_000)
    await endsAt(soon)
    const { status, body } = await world.node.call('GET /token', { token: jwt })
    expect([status, body.expires_at]).toEqual([200, soon.toISOString()])
    await endsAt(new Date(Date.now() - 1))
    await expectRefused(jwt, 'TOKEN_EXPIRED')
    await world.db.connection.update({ where: { id: connection.id }, data: { endedAt: new Date() } })
    await expectRefused(jwt, 'TOKEN_INVALID')
  })

  test('is refused while its account is disabled', async () => {
    const { accountId } = await world.makeAccount()
    const claims = accessClaims(accountId)
    await makeConnection(world.db, accountId, claims.jti)
    const jwt = await issuer.sign(claims)
    expect((await world.node.call('GET /token', { token: jwt })).status).toBe(200)
    await world.db.account.update({ where: { id: accountId }, data: { status: 'disabled' } })
    await expectRefused(jwt, 'TOKEN_INVALID')
  })

  test('is refused with a wrong issuer, audience, type or missing claim (RFC 9068 section 4)', async () => {
    for (const changes of [
      { iss: 'http://localhost:4009' },
      { iss: undefined },
      { aud: 'http://localhost:4001/mcp' },
      { aud: [] },
      { aud: ['http://localhost:4002/'] },
      { exp: undefined },
      { sub: undefined },
      { sub: randomUUID() },
    ]) {
      const { jwt } = await connected(changes)
      await expectRefused(jwt, 'TOKEN_INVALID')
    }
    const { claims } = await connected()
    for (const typ of ['JWT', 'id+jwt', undefined])
      await expectRefused(await issuer.sign(claims, { typ }), 'TOKEN_INVALID')
    const { jti: _, ...withoutJti } = claims
    await expectRefused(await issuer.sign(withoutJti), 'TOKEN_INVALID')
  })

  test('that is long over is told so by its own time, whether or not it has a row', async () => {
    const over = accessClaims(world.accountId, { exp: Math.floor(Date.now() / 1000) - 3_600 })
    await expectRefused(await issuer.sign(over), 'TOKEN_EXPIRED')
  })

  test('stands for the row of an access token alone, and for none of a token made by hand or for refreshing', async () => {
    const { connection } = await connected()
    for (const jti of [world.token, connection.refreshValue])
      await expectRefused(await issuer.sign(accessClaims(world.accountId, { jti })), 'TOKEN_INVALID')
  })

  test('is refused when it has expired, and also while a verified copy is remembered', async () => {
    const { jwt } = await connected({ exp: Math.floor(Date.now() / 1000) - 1 })
    await expectRefused(jwt, 'TOKEN_EXPIRED')
    const short = await connected({ exp: Math.floor(Date.now() / 1000) + 600 })
    expect((await world.node.call('GET /token', { token: short.jwt })).status).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 })
    await world.followDate()
    await expectRefused(short.jwt, 'TOKEN_EXPIRED')
    vi.useRealTimers()
    await world.followDate()
  })

  test('and a token made by hand live by the database clock, on nodes that are ahead of it and behind it', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const [short, long] = [await connected({ exp: seconds + 30 }), await connected()]
    const made = await world.makeToken({ expiresAt: new Date(Date.now() + 30_000) })
    const sound = async () => {
      for (const token of [short.jwt, long.jwt, made.token])
        expect((await world.node.call('GET /token', { token })).status).toBe(200)
    }
    // Each is verified for the first time by a node that is ahead, and remembered.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 45_000 })
    await world.followDate(-45_000)
    await sound()
    // The same moment for the database, a node behind it, and one right.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 90_000 })
    await world.followDate(45_000)
    await sound()
    await world.followDate(45_000 + 31_000)
    for (const token of [short.jwt, made.token]) await expectRefused(token, 'TOKEN_EXPIRED')
    expect((await world.node.call('GET /token', { token: long.jwt })).status).toBe(200)
    vi.useRealTimers()
    await world.followDate()
  })

  // The embedded database has one session: nothing can be asked while a transaction of it is open.
  test.skipIf(readTestDatabaseUrl() === undefined)(
    'is served while another holds its row, and its use is written by the next request',
    async () => {
      const { jwt, connection } = await connected()
      const lastUsed = async () =>
        (await world.db.apiToken.findUniqueOrThrow({ where: { id: connection.access.id } })).lastUsedAt
      await world.db.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT id::text FROM api_token WHERE id = ${connection.access.id}::uuid FOR UPDATE`
        const node = await world.startNode()
        expect((await node.call('GET /token', { token: jwt })).status).toBe(200)
        await node.close()
      })
      expect(await lastUsed()).toBeNull()
      const node = await world.startNode()
      expect((await node.call('GET /token', { token: jwt })).status).toBe(200)
      await node.close()
      expect(await lastUsed()).not.toBeNull()
    },
  )

  test('is refused under another key, an unknown key id, or a key that it brings along (RFC 9700, RFC 8725)', async () => {
    const { claims } = await connected()
    const other = await makeIssuer(world.db, 'key-other')
    await world.db.signingKey.delete({ where: { kid: 'key-other' } })
    await expectRefused(await other.sign(claims), 'TOKEN_INVALID')
    await expectRefused(await other.sign(claims, { kid: 'key-1' }), 'TOKEN_INVALID')
    await expectRefused(await other.sign(claims, { kid: 'key-1', jwk: other.publicJwk }), 'TOKEN_INVALID')
    await expectRefused(await other.sign(claims, { kid: 'key-1', jku: 'http://localhost:1/jwks' }), 'TOKEN_INVALID')
    for (const kid of ["' OR '1'='1", '../../etc/passwd', '__proto__', '']) {
      await expectRefused(await other.sign(claims, { kid }), 'TOKEN_INVALID')
    }
  })

  test('is refused with alg none, or HS256 under the public key (RFC 8725 section 2.1)', async () => {
    const { claims } = await connected()
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const none = `${part({ alg: 'none', typ: 'at+jwt', kid: 'key-1' })}.${part(claims)}.`
    await expectRefused(none, 'TOKEN_INVALID')
    await expectRefused(`${none}AA`, 'TOKEN_INVALID')
    for (const secret of [await exportSPKI(issuer.publicKey), JSON.stringify(issuer.publicJwk)]) {
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'key-1' })
        .sign(new TextEncoder().encode(secret))
      await expectRefused(forged, 'TOKEN_INVALID')
    }
  })

  test('is refused when one character of it was changed', async () => {
    const { jwt } = await connected()
    const [header, payload, signature = ''] = jwt.split('.')
    const changed = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
    await expectRefused(`${header}.${payload}.${changed}`, 'TOKEN_INVALID')
  })

  test('is accepted under a key that was published after the node had started', async () => {
    const late = await makeIssuer(world.db, `key-${randomUUID()}`)
    const { claims } = await connected()
    const node = await world.startNode()
    expect((await node.call('GET /token', { token: await late.sign(claims) })).status).toBe(200)
  })

  test('is refused under a retired key within half a minute, whichever way the clock of the node was set', async () => {
    const node = await world.startNode()
    const startMs = Date.now()
    for (const laterMs of [30_001, -3_600_000]) {
      vi.useFakeTimers({ toFake: ['Date'], now: startMs })
      const key = await makeIssuer(world.db, `key-${randomUUID()}`)
      const statusOf = async () => {
        const { claims } = await connected({ exp: Math.floor(startMs / 1000) + 600 })
        const { status, body } = await node.call('GET /token', { token: await key.sign(claims) })
        return [status, body.code]
      }
      vi.setSystemTime(startMs + 40_000)
      expect(await statusOf()).toEqual([200, undefined])
      await world.db.signingKey.update({
        where: { kid: key.publicJwk.kid },
        data: { retiresAt: new Date(startMs - 1000) },
      })
      vi.setSystemTime(startMs + 40_000 + laterMs)
      expect(await statusOf(), String(laterMs)).toEqual([401, 'TOKEN_INVALID'])
    }
  })

  test('under an unknown key makes a node look for new keys, every two seconds at most', async () => {
    const node = await world.startNode()
    const { claims } = await connected()
    const startMs = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: startMs })
    expect((await node.call('GET /token', { token: await issuer.sign(claims) })).status).toBe(200)
    const token = await (await makeIssuer(world.db, `key-${randomUUID()}`)).sign(claims)
    vi.setSystemTime(startMs + 1_999)
    expect((await node.call('GET /token', { token })).status).toBe(401)
    vi.setSystemTime(startMs + 2_001)
    expect((await node.call('GET /token', { token })).status).toBe(200)
  })

  test('is judged under the sound keys where the row of another holds none, and refused under that one', async () => {
    const { claims } = await connected()
    const pair = await generateKeyPair('ES256', { extractable: true })
    const node = await world.startNode()
    for (const publicJwk of [{}, { kty: 'oct', k: 'AAAA' }, { ...(await exportJWK(pair.privateKey)), alg: 'ES256' }]) {
      const { publicJwk: made, sign } = await makeIssuer(world.db, `key-${randomUUID()}`)
      await world.db.signingKey.update({ where: { kid: made.kid }, data: { publicJwk } })
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_000 })
      const { status, body } = await node.call('GET /token', { token: await sign(claims) })
      expect([status, body.code]).toEqual([401, 'TOKEN_INVALID'])
      expect((await node.call('GET /token', { token: await issuer.sign(claims) })).status).toBe(200)
      await world.db.signingKey.delete({ where: { kid: made.kid } })
    }
  })
})

test('a refresh token is no API token, and the id of an access token is none either', async () => {
  const { claims, connection } = await connected()
  await expectRefused(connection.refreshValue, 'TOKEN_INVALID')
  await expectRefused(claims.jti, 'TOKEN_INVALID')
})

test('many tokens at once each get their own answer', async () => {
  const made: { token: string; wanted: string }[] = []
  for (let at = 0; at < 30; at++) {
    const permissions = at % 2 ? ['GET /rates'] : ['POST /sms', 'POST /hlr']
    const { id, token } = await world.makeToken({ permissions })
    const deleted = at % 5 === 0
    if (deleted) await world.db.apiToken.delete({ where: { id } })
    made.push({ token, wanted: deleted ? 'TOKEN_INVALID' : permissions.join() })
  }
  const answers = await Promise.all(
    [...made, ...made].map(async ({ token }) => {
      const { body } = await world.node.call('GET /token', { token })
      return body.code ?? body.permissions.join()
    }),
  )
  expect(answers).toEqual([...made, ...made].map(({ wanted }) => wanted))
})
