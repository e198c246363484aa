import { randomUUID } from 'node:crypto'
import { POOL_SIZE } from '@vertexsms/db/client'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Choice, connect, post, refresh, register, type TestClient, type Tokens } from '../support/client.ts'
import { later, realTime } from '../support/clock.ts'
import { type Stack, startStack } from '../support/stack.ts'

// `REFRESH_ROUNDS=200` runs the storm in full; the default is a sample of it.
const ROUNDS = Number(process.env.REFRESH_ROUNDS ?? 2)
const RACERS = 50

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ poolSize: POOL_SIZE })
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

async function connected(choice: Choice = {}): Promise<{ client: TestClient; tokens: Tokens; accountId: string }> {
  const client = await register(stack)
  const { id } = await stack.account()
  return { client, tokens: await connect(client, await stack.person(id), { choice }), accountId: id }
}

async function endOf(accountId: string) {
  const { endedReason } = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
  return { endedReason, tokens: await stack.db.apiToken.count({ where: { accountId } }) }
}

/** The alarms of one connection, as they stand in the log. */
function alarmsOf(connectionId: string) {
  return stack.logLines.map((line) => JSON.parse(line)).filter((line) => line.connectionId === connectionId)
}

describe('a stolen refresh token', () => {
  it('is an alarm of its own in the log, once, with request and connection and without any token (RFC 9700 §4.14.2)', async () => {
    const { client, tokens, accountId } = await connected()
    const { id: connectionId } = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
    const owner = await refresh(client, tokens.refresh)
    await refresh(client, tokens.refresh)
    expect(alarmsOf(connectionId)).toEqual([])
    await later(31, stack)
    const requestId = randomUUID()
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh, client_id: client.client.client_id }
    for (let time = 0; time < 2; time += 1) {
      const answer = await post(`${stack.issuer}/oauth/token`, form, { 'x-request-id': requestId })
      expect(answer.body.error).toBe('invalid_grant')
    }
    expect(alarmsOf(connectionId)).toEqual([
      expect.objectContaining({
        level: 'error',
        event: 'token_reuse',
        reason: 'refresh_reuse',
        requestId,
        clientId: client.client.client_id.slice(0, 12),
      }),
    ])
    for (const secret of [tokens.access, tokens.refresh, owner.refresh]) {
      expect(stack.logLines.join('')).not.toContain(secret)
    }
  })

  it('used by the thief first gives the owner the same answer within the overlap, and one family in all (RFC 9700 §4.14.2)', async () => {
    const { client, tokens, accountId } = await connected()
    const thief = await refresh(client, tokens.refresh)
    expect(await refresh(client, tokens.refresh)).toEqual({ ...thief, expiresIn: expect.any(Number) })
    expect(await stack.db.oidcArtifact.count({ where: { accountId, kind: 'RefreshToken' } })).toBe(1)
  })

  it('used by the thief first ends everything when the owner comes after the overlap (RFC 9700 §4.14.2)', async () => {
    const { client, tokens, accountId } = await connected()
    const thief = await refresh(client, tokens.refresh)
    await later(31, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, thief.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(await endOf(accountId)).toEqual({ endedReason: 'refresh_reuse', tokens: 0 })
  })

  it('used by the thief after the owner ends everything, days later too (OAuth 2.1 §4.3.1)', async () => {
    const { client, tokens, accountId } = await connected()
    const owner = await refresh(client, tokens.refresh)
    await later(20 * 86_400, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, owner.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(await endOf(accountId)).toEqual({ endedReason: 'refresh_reuse', tokens: 0 })
  })

  it('does not extend the overlap by being presented again and again (RFC 9700 §4.14.2)', async () => {
    const { client, tokens, accountId } = await connected()
    await refresh(client, tokens.refresh)
    await later(20, stack)
    await refresh(client, tokens.refresh)
    await later(11, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect((await endOf(accountId)).endedReason).toBe('refresh_reuse')
  })

  it('is of no use to another client: it stays good for its own (RFC 6749 §6)', async () => {
    const { client, tokens } = await connected()
    const other = await register(stack)
    await expect(refresh(other, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect((await refresh(client, tokens.refresh)).scope).toBe(tokens.scope)
  })

  it('of a confidential client is of no use without the secret, within the overlap neither (RFC 6749 §6)', async () => {
    const client = await register(stack, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    })
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id))
    await refresh(client, tokens.refresh)
    for (const secret of [undefined, 'wrong']) {
      const answer = await post(`${stack.issuer}/oauth/token`, {
        grant_type: 'refresh_token',
        client_id: client.client.client_id,
        refresh_token: tokens.refresh,
        ...(secret && { client_secret: secret }),
      })
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
    }
    expect((await endOf(id)).endedReason).toBeNull()
  })

  it('cannot be widened (RFC 6749 §6)', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id), { choice: { scopes: ['sms:rates'] } })
    await expect(refresh(client, tokens.refresh, { scope: 'sms:send' })).rejects.toMatchObject({
      error: 'invalid_scope',
    })
    // Asked for beside what was granted, the rest is left out.
    const next = await refresh(client, tokens.refresh, { scope: 'sms:rates sms:send' })
    expect([next.scope, decodeJwt(next.access).scope]).toEqual(['sms:rates', 'sms:rates'])
    const row = await stack.db.apiToken.findFirstOrThrow({ where: { accountId: id, kind: 'oauth_access' } })
    expect(row.permissions).toEqual(['GET /rates'])
    expect((await refresh(client, next.refresh)).scope).toBe('sms:rates')
  })

  it('is dead once it has expired, and sliding does not carry it past the end of the connection (RFC 9700 §4.14.2)', async () => {
    const { client, tokens } = await connected({ lasts: '1y' })
    await later(31 * 86_400, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await realTime(stack)
    const second = await connected({ lasts: '1y' })
    let latest = second.tokens
    const end = Date.now() + 365 * 86_400_000
    while (Date.now() + 29 * 86_400_000 < end) {
      await later(29 * 86_400, stack)
      latest = await refresh(second.client, latest.refresh)
    }
    await later((end + 1000 - Date.now()) / 1000, stack)
    await expect(refresh(second.client, latest.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('is dead once its account is disabled (RFC 9700 §4.14.2)', async () => {
    const { client, tokens, accountId } = await connected()
    await stack.db.account.update({ where: { id: accountId }, data: { status: 'disabled' } })
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it.each(['', ' ', 'x'.repeat(5000), '\0', 'null', '[object Object]', "' OR 1=1 --"])(
    'is not to be guessed: %j gives nothing (RFC 9700 §4.14)',
    async (value) => {
      const { client } = await connected()
      const answer = await post(`${stack.issuer}/oauth/token`, {
        grant_type: 'refresh_token',
        client_id: client.client.client_id,
        refresh_token: value,
      })
      expect(answer.status).toBe(400)
      expect(answer.body.error).toMatch(/invalid_grant|invalid_request/)
    },
  )
})

describe('fifty refreshes at once', () => {
  it(`lose no login in ${ROUNDS} rounds (RFC 9700 §4.14.2)`, { timeout: 30_000 + ROUNDS * 10_000 }, async () => {
    const { client, tokens, accountId } = await connected()
    let latest = tokens
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await Promise.all(Array.from({ length: RACERS }, () => refresh(client, latest.refresh)))
      expect(new Set(answers.map((answer) => `${answer.access} ${answer.refresh}`)).size).toBe(1)
      latest = answers[0] ?? latest
    }
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_refresh' } })).toBe(1)
    expect(await stack.db.usedRefreshToken.count({ where: { connection: { accountId } } })).toBe(ROUNDS)
    expect((await endOf(accountId)).endedReason).toBeNull()
  })
})
