// What was used is used again, within its overlap and after it: refresh tokens, codes, and the access tokens made of
// them.
import { POOL_SIZE } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { hashToken } from '@vertexsms/secrets/hash-token'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  approve,
  connect,
  exchange,
  post,
  refresh,
  register,
  start,
  type TestClient,
  type Tokens,
} from './support/client.ts'
import { later, realTime } from './support/clock.ts'
import { CAN_MEET, meet, waitingFor } from './support/meeting.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
let strict: Stack
beforeAll(async () => {
  stack = await startStack({ poolSize: POOL_SIZE })
  strict = await startStack({ poolSize: POOL_SIZE, settings: { REFRESH_OVERLAP_SECONDS: '0' } })
})
afterAll(async () => {
  await stack?.close()
  await strict?.close()
})
afterEach(() => realTime(stack, strict))

async function connected(on: Stack): Promise<{ client: TestClient; tokens: Tokens; accountId: string }> {
  const client = await register(on)
  const { id } = await on.account()
  return { client, tokens: await connect(client, await on.person(id)), accountId: id }
}

/** What the row of an access token allows; null when it is over or gone, as the API sees it. */
async function permissionsOf(access: string): Promise<readonly string[] | null> {
  const tokenHash = hashToken(String(decodeJwt(access).jti))
  const row = await stack.db.apiToken.findUnique({ where: { tokenHash } })
  return row?.expiresAt && row.expiresAt > (await databaseNow(stack.db)) ? row.permissions : null
}

describe('refresh overlap', () => {
  it('gives the same answer again to the client that presents the token just used', async () => {
    const { client, tokens } = await connected(stack)
    const first = await refresh(client, tokens.refresh)
    await later(29, stack)
    const second = await refresh(client, tokens.refresh)
    expect(second).toEqual({ ...first, expiresIn: expect.any(Number) })
    await realTime(stack)
    expect((await refresh(client, second.refresh)).refresh).not.toBe(first.refresh)
  })

  it('gives one answer to many refreshes at once, and one live refresh token', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(client, tokens.refresh)))
    expect(new Set(answers.map((answer) => JSON.stringify({ ...answer, expiresIn: null }))).size).toBe(1)
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_refresh' } })).toBe(1)
    expect(await stack.db.oidcArtifact.count({ where: { accountId, kind: 'RefreshToken' } })).toBe(1)
  })

  it.each([2, 5])(
    'of a token that was rotated %i times within it gives the refresh token that lives now',
    async (rotations) => {
      const { client, tokens } = await connected(stack)
      let latest = tokens
      for (let round = 0; round < rotations; round += 1) latest = await refresh(client, latest.refresh)
      const again = await refresh(client, tokens.refresh)
      expect(again).toEqual({ ...latest, expiresIn: expect.any(Number) })
      await later(31, stack)
      expect((await refresh(client, again.refresh)).scope).toBe(tokens.scope)
    },
  )

  it('takes a later reuse for theft and ends the connection (OAuth 2.1 §4.3.1)', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const next = await refresh(client, tokens.refresh)
    await later(31, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, next.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId } })
    expect(connection.endedReason).toBe('refresh_reuse')
    expect(await stack.db.apiToken.count({ where: { accountId } })).toBe(0)
  })

  it('recognises a reuse after any number of rotations', async () => {
    const { client, tokens } = await connected(stack)
    let latest = tokens
    for (let round = 0; round < 5; round += 1) latest = await refresh(client, latest.refresh)
    await later(60, stack)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, latest.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('counts the time of the repeated access token from now (RFC 6749 §5.1)', async () => {
    const { client, tokens } = await connected(stack)
    const first = await refresh(client, tokens.refresh)
    await later(20, stack)
    const again = await refresh(client, tokens.refresh)
    expect(again.access).toBe(first.access)
    expect(first.expiresIn - again.expiresIn).toBeGreaterThanOrEqual(20)
    expect(first.expiresIn - again.expiresIn).toBeLessThan(60)
  })

  it('honours a narrower scope with an access token of its own beside the first, and no second branch (RFC 6749 §6)', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const first = await refresh(client, tokens.refresh)
    await later(10, stack)
    const narrow = await refresh(client, tokens.refresh, { scope: 'sms:rates' })
    expect(narrow).toMatchObject({ scope: 'sms:rates', refresh: first.refresh, expiresIn: 600 })
    expect(narrow.access).not.toBe(first.access)
    const rows = await stack.db.apiToken.findMany({ where: { accountId, kind: 'oauth_access' } })
    expect(rows.map(({ permissions }) => permissions)).toContainEqual(['GET /rates'])
    expect(await permissionsOf(narrow.access)).toEqual(['GET /rates'])
    expect((await permissionsOf(first.access))?.length).toBeGreaterThan(1)
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_refresh' } })).toBe(1)
    await later(61, stack)
    expect((await permissionsOf(first.access))?.length).toBeGreaterThan(1)
    expect((await refresh(client, narrow.refresh)).scope).toBe(tokens.scope)
  })

  it('honours what each asks for when a narrow and a full refresh come at once', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const asked = Array.from({ length: 8 }, (_, index) => (index % 2 ? 'sms:rates' : tokens.scope))
    const answers = await Promise.all(asked.map((scope) => refresh(client, tokens.refresh, { scope })))
    expect(answers.map(({ scope }) => scope)).toEqual(asked)
    expect(new Set(answers.map(({ refresh: value }) => value)).size).toBe(1)
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_access' } })).toBeLessThanOrEqual(5)
  })

  it.each([
    ['a resource that is not ours', { resource: 'https://elsewhere.example/' }, 'invalid_target'],
    ['a scope of which nothing was granted', { scope: 'sms:send' }, 'invalid_scope'],
  ])('refuses %s as outside of it, and nothing ends', async (_what, extra, error) => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id), { choice: { scopes: ['sms:rates'] } })
    const next = await refresh(client, tokens.refresh)
    await expect(refresh(client, tokens.refresh, extra)).rejects.toMatchObject({ error })
    expect((await refresh(client, next.refresh)).scope).toBe('sms:rates')
  })

  it('narrows a repeated scope to what was granted, as outside of it (RFC 6749 §6)', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const tokens = await connect(client, await stack.person(id), { choice: { scopes: ['sms:rates'] } })
    const repeated = { scope: 'sms:send sms:rates' }
    const next = await refresh(client, tokens.refresh, repeated)
    expect(await refresh(client, tokens.refresh, repeated)).toEqual({ ...next, expiresIn: expect.any(Number) })
    const atOnce = await Promise.all(Array.from({ length: 6 }, () => refresh(client, next.refresh, repeated)))
    expect(new Set(atOnce.map(({ scope, refresh: value }) => `${scope} ${value}`)).size).toBe(1)
    expect(atOnce[0]?.scope).toBe('sms:rates')
  })

  it('gives a fresh access token where the first is gone by now', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const first = await refresh(client, tokens.refresh)
    await stack.db.apiToken.deleteMany({ where: { accountId, kind: 'oauth_access' } })
    const again = await refresh(client, tokens.refresh)
    expect(again.refresh).toBe(first.refresh)
    expect(again.access).not.toBe(first.access)
    expect(await permissionsOf(again.access)).not.toBeNull()
  })

  it('is for the same client alone: another one ends the connection', async () => {
    const { client, tokens } = await connected(stack)
    const other = await register(stack)
    const next = await refresh(client, tokens.refresh)
    await expect(refresh(other, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, next.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('of zero seconds is strict', async () => {
    const { client, tokens } = await connected(strict)
    const next = await refresh(client, tokens.refresh)
    await expect(refresh(client, tokens.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, next.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})

describe.skipIf(!CAN_MEET)('a refresh token that two have looked up before either has used it', () => {
  it('gives both the same within the overlap', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const both = [0, 1].map(() => () => refresh(client, tokens.refresh))
    const [one, other] = await meet(stack.db, accountId, both)
    expect([one?.status, other?.status]).toEqual(['fulfilled', 'fulfilled'])
    const [first, second] = [one, other].map((result) => (result?.status === 'fulfilled' ? result.value : undefined))
    expect(second).toEqual({ ...first, expiresIn: expect.any(Number) })
    expect((await refresh(client, first?.refresh ?? '')).scope).toBe(tokens.scope)
  })

  it('is refused to the second without one, and the connection ends', async () => {
    const { client, tokens, accountId } = await connected(strict)
    const both = [0, 1].map(() => () => refresh(client, tokens.refresh))
    const results = await meet(strict.db, accountId, both)
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await strict.db.connection.findFirstOrThrow({ where: { accountId } })).toMatchObject({
      endedReason: 'refresh_reuse',
    })
    expect(await strict.db.apiToken.count({ where: { accountId } })).toBe(0)
  })

  it('leaves five access tokens at most, however many ask for less at once', async () => {
    const { client, tokens, accountId } = await connected(stack)
    await refresh(client, tokens.refresh)
    const many = Array.from({ length: 6 }, () => () => refresh(client, tokens.refresh, { scope: 'sms:rates' }))
    const results = await meet(stack.db, accountId, many)
    expect(results.map(({ status }) => status)).toEqual(many.map(() => 'fulfilled'))
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_access' } })).toBe(5)
  })
})

describe.skipIf(!CAN_MEET)('a refresh token that was used and comes again while its person approves anew', () => {
  it.each<readonly [string, (client: TestClient, token: string) => Promise<unknown>]>([
    ['to be exchanged', refresh],
    [
      'to be revoked',
      (client, token) => post(`${strict.issuer}/oauth/revoke`, { token, client_id: client.client.client_id }),
    ],
  ])('%s does not end the connection that was approved', async (_what, send) => {
    const client = await register(strict)
    const { id } = await strict.account()
    const person = await strict.person(id)
    const tokens = await connect(client, person)
    await refresh(client, tokens.refresh)
    const flow = await start(client)
    let both: Promise<[PromiseSettledResult<URL>, PromiseSettledResult<unknown>]> | undefined
    await strict.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id::text FROM connection WHERE account_id = ${id}::uuid FOR UPDATE`
        const approved = approve(person, flow)
        await expect.poll(() => waitingFor(strict.db)).toBe(1)
        both = Promise.allSettled([approved, send(client, tokens.refresh)])
        await expect.poll(() => waitingFor(strict.db)).toBe(2)
      },
      { timeout: 30_000 },
    )
    const [approved] = (await both) ?? []
    if (approved?.status !== 'fulfilled') throw new Error('not approved')
    expect((await exchange(client, flow, approved.value)).scope).toBe(tokens.scope)
  })
})

describe('a refresh token that was used, after its row was deleted on Settings -> API', () => {
  it('is refused with words, and what it was exchanged for too', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const next = await refresh(client, tokens.refresh)
    await stack.db.apiToken.deleteMany({ where: { accountId, kind: 'oauth_refresh' } })
    for (const token of [next.refresh, tokens.refresh])
      await expect(refresh(client, token)).rejects.toMatchObject({ status: 400, error: 'invalid_grant' })
  })
})

describe('the access tokens of a connection', () => {
  it('are never given more time by a refresh than they had', async () => {
    const { client, tokens } = await connected(stack)
    await later(580, stack)
    expect(await permissionsOf(tokens.access)).not.toBeNull()
    await refresh(client, tokens.refresh)
    await later(21, stack)
    expect(await permissionsOf(tokens.access)).toBeNull()
  })

  it('from before a refresh go on for a minute and no longer', async () => {
    const { client, tokens } = await connected(stack)
    const next = await refresh(client, tokens.refresh)
    await later(55, stack)
    expect(await permissionsOf(tokens.access)).not.toBeNull()
    await later(6, stack)
    expect(await permissionsOf(tokens.access)).toBeNull()
    expect(await permissionsOf(next.access)).not.toBeNull()
  })

  it('are five at most: of more the oldest go, in the refresh itself', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const held = [tokens]
    for (let round = 0; round < 12; round += 1) held.push(await refresh(client, held.at(-1)?.refresh ?? ''))
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_access' } })).toBe(5)
    const alive = await Promise.all(held.map(async ({ access }) => (await permissionsOf(access)) !== null))
    expect(alive).toEqual(held.map((_, index) => index >= held.length - 5))
  })

  it('that are over take none of the five places', async () => {
    const { client, tokens, accountId } = await connected(stack)
    const held = [tokens]
    for (let round = 0; round < 4; round += 1) held.push(await refresh(client, held.at(-1)?.refresh ?? ''))
    const newest = hashToken(String(decodeJwt(held.at(-1)?.access ?? '').jti))
    await stack.db.apiToken.update({ where: { tokenHash: newest }, data: { expiresAt: new Date(Date.now() - 1000) } })
    held.push(await refresh(client, held.at(-1)?.refresh ?? ''))
    const alive = await Promise.all(held.map(async ({ access }) => (await permissionsOf(access)) !== null))
    expect(alive).toEqual([true, true, true, true, false, true])
    expect(await stack.db.apiToken.count({ where: { accountId, kind: 'oauth_access' } })).toBe(5)
  })

  it('of another connection are left alone', async () => {
    const other = await connected(stack)
    const { client, tokens } = await connected(stack)
    let latest = tokens
    for (let round = 0; round < 6; round += 1) latest = await refresh(client, latest.refresh)
    await later(61, stack)
    expect(await permissionsOf(other.tokens.access)).not.toBeNull()
  })
})

describe('revoking a refresh token', () => {
  async function revoke(client: TestClient, token: string): Promise<number> {
    return (await post(`${stack.issuer}/oauth/revoke`, { token, client_id: client.client.client_id })).status
  }

  it.each([
    ['that was rotated a moment ago', 0],
    ['that was rotated long ago', 3 * 86_400],
  ])('%s ends its connection (RFC 7009 §2.1)', async (_when, seconds) => {
    const { client, tokens, accountId } = await connected(stack)
    let latest = await refresh(client, tokens.refresh)
    latest = await refresh(client, latest.refresh)
    if (seconds > 0) await later(seconds, stack)
    expect(await revoke(client, tokens.refresh)).toBe(200)
    await expect(refresh(client, latest.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
    expect(await stack.db.apiToken.count({ where: { accountId } })).toBe(0)
    expect((await stack.db.connection.findFirstOrThrow({ where: { accountId } })).endedReason).toBe('revoked')
  })

  it('of another client ends nothing (RFC 7009 §2.2)', async () => {
    const { client, tokens } = await connected(stack)
    const latest = await refresh(client, tokens.refresh)
    expect(await revoke(await register(stack), tokens.refresh)).toBe(200)
    expect((await refresh(client, latest.refresh)).scope).toBe(tokens.scope)
  })

  it('while it is being rotated ends its connection', async () => {
    for (let round = 0; round < (process.env.TEST_FULL ? 10 : 2); round += 1) {
      const { client, tokens, accountId } = await connected(stack)
      await Promise.allSettled([refresh(client, tokens.refresh), revoke(client, tokens.refresh)])
      expect(await stack.db.apiToken.count({ where: { accountId } })).toBe(0)
    }
  })
})

describe('an authorization code', () => {
  it('gives exactly one success to thirty exchanges at once, and what it gave is taken back (RFC 6749 §4.1.2)', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => exchange(client, flow, callback)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      // The same, whether the loser came before or after the winner was written.
      const refusal = { status: 400, error: 'invalid_grant', error_description: 'grant request is invalid' }
      if (result.status === 'rejected') expect(result.reason).toMatchObject(refusal)
    }
    expect(await stack.db.connection.findFirstOrThrow({ where: { accountId: id } })).toMatchObject({
      endedReason: 'code_replay',
    })
    expect(await stack.db.apiToken.count({ where: { accountId: id } })).toBe(0)
  })

  it.skipIf(!CAN_MEET)(
    'that two have looked up before either has used it is refused to the second, with an alarm',
    async () => {
      const client = await register(stack)
      const { id } = await stack.account()
      const flow = await start(client)
      const callback = await approve(await stack.person(id), flow)
      const both = [0, 1].map(() => () => exchange(client, flow, callback))
      const results = await meet(stack.db, id, both)
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { status: 400, error: 'invalid_grant', error_description: 'grant request is invalid' },
      })
      const connection = await stack.db.connection.findFirstOrThrow({ where: { accountId: id } })
      expect(connection.endedReason).toBe('code_replay')
      expect(await stack.db.apiToken.count({ where: { accountId: id } })).toBe(0)
      const alarms = stack.logLines
        .map((line) => JSON.parse(line))
        .filter((line) => line.connectionId === connection.id)
      expect(alarms.map(({ event, reason }) => [event, reason])).toEqual([['token_reuse', 'code_replay']])
    },
  )

  it.skipIf(!CAN_MEET)('that comes twice while its person approves anew does not end what was approved', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const person = await stack.person(id)
    const flow = await start(client)
    const callback = await approve(person, flow)
    const anew = await start(client)
    const begin = [() => exchange(client, flow, callback), () => exchange(client, flow, callback)]
    const begun: Promise<unknown>[] = []
    let approving: Promise<URL> | undefined
    await stack.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id::text FROM connection WHERE account_id = ${id}::uuid FOR UPDATE`
        for (const one of begin) {
          begun.push(one())
          await expect.poll(() => waitingFor(stack.db)).toBe(begun.length)
        }
        approving = approve(person, anew)
        await expect.poll(() => waitingFor(stack.db)).toBe(begin.length + 1)
      },
      { timeout: 30_000 },
    )
    expect((await Promise.allSettled(begun)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    const approved = await approving
    if (approved === undefined) throw new Error('not approved')
    expect((await exchange(client, anew, approved)).refresh).not.toBe('')
  })

  it('is good for a minute', async () => {
    const client = await register(stack)
    const { id } = await stack.account()
    const flow = await start(client)
    const callback = await approve(await stack.person(id), flow)
    await later(61, stack)
    await expect(exchange(client, flow, callback)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})
