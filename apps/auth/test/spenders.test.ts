// From when to when a spender lives, whichever way it begins and ends: the same cases for connections and tokens.
import { randomBytes, randomUUID } from 'node:crypto'
import { NO_LIMITS } from '@vertexsms/contract/spender-limits'
import type { Prisma } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { testDatabase } from '@vertexsms/db/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { nameSpenders } from '../src/connections/names.ts'
import { deleteToken } from '../src/connections/tokens.ts'
import { findPlace, connect as write } from '../src/consent/connect.ts'
import { createManualToken, replaceToken } from '../src/settings/manual-tokens.ts'
import { cleanUp } from './support/clean-up.ts'
import { connect, post, refresh, register, type TestClient } from './support/client.ts'
import { later, realTime } from './support/clock.ts'
import { CAN_MEET, waitingFor } from './support/meeting.ts'
import { newSignedIn } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack?.close())
afterEach(() => realTime(stack))

const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)
const spendersOf = (accountId: string) =>
  stack.db.spender.findMany({ where: { accountId }, orderBy: { createdAt: 'asc' } })
const connectionOf = (accountId: string) => stack.db.connection.findFirstOrThrow({ where: { accountId } })

async function connected(metadata: Record<string, unknown> = {}) {
  const client = await register(stack, metadata)
  const { id: accountId } = await stack.account()
  const person = await stack.person(accountId)
  const tokens = await connect(client, person)
  return { client, accountId, person, tokens, connection: await connectionOf(accountId) }
}

const limits = ({
  maxPerSendMicros,
  maxPerDayMicros,
  maxTotalMicros,
  countries,
}: Prisma.SpenderGetPayload<object>) => ({
  maxPerSendMicros,
  maxPerDayMicros,
  maxTotalMicros,
  countries,
})

describe('the spender of a connection', () => {
  it('begins with it, bounded to 5.00 EUR a day', async () => {
    const { accountId, connection } = await connected()
    const [spender, ...others] = await spendersOf(accountId)
    expect(others).toEqual([])
    expect(spender).toMatchObject({ id: connection.id, kind: 'connection', maxPerDayMicros: 5_000_000n, endedAt: null })
    expect(spender).toMatchObject({ maxPerSendMicros: null, maxTotalMicros: null, countries: [], senders: [] })
  })

  it('is bounded by the setting where there is one, and by nothing where the setting is none', async () => {
    const test = await testDatabase()
    const OPERATOR_KEY = randomBytes(32).toString('base64url')
    for (const [setting, micros] of [
      ['0.25', 250_000n],
      ['none', null],
    ] as const) {
      const other = await startStack({ test, settings: { OPERATOR_KEY, CONNECTION_MAX_PER_DAY_EUR: setting } })
      try {
        const { id } = await other.account()
        await connect(await register(other), await other.person(id))
        expect(await other.db.spender.findMany({ where: { accountId: id } })).toMatchObject([
          { maxPerDayMicros: micros },
        ])
      } finally {
        await other.close()
      }
    }
    await test.close()
  })

  it('stays as its owner set it through a refresh and another approval of the same client', async () => {
    const { client, accountId, person, tokens, connection } = await connected()
    await stack.db.spender.update({
      where: { id: connection.id },
      data: { maxPerDayMicros: 1_000_000n, maxTotalMicros: 9_000_000n, countries: ['LT'] },
    })
    const [before] = await spendersOf(accountId)
    await refresh(client, tokens.refresh)
    await connect(client, person)
    expect(await spendersOf(accountId)).toEqual([before])
    expect((await connectionOf(accountId)).id).toBe(connection.id)
  })

  it('of an older connection without a row is not made by a new approval', async () => {
    const { client, accountId, person, connection } = await connected()
    await stack.db.spender.deleteMany({ where: { id: connection.id } })
    await connect(client, person)
    expect(await spendersOf(accountId)).toEqual([])
  })

  const endings: [string, (at: Awaited<ReturnType<typeof connected>>) => Promise<unknown>][] = [
    [
      'a deletion on the dashboard',
      async ({ accountId }) => {
        const token = await stack.db.apiToken.findFirstOrThrow({ where: { accountId } })
        return deleteToken(stack.db, { accountId, tokenId: token.id })
      },
    ],
    ['a revocation (RFC 7009 §2.1)', ({ client, tokens }) => revoke(client, tokens.refresh)],
    [
      'a reuse of a refresh token (OAuth 2.1 §4.3.1)',
      async ({ client, tokens }) => {
        await refresh(client, tokens.refresh)
        await later(31, stack)
        await refresh(client, tokens.refresh).catch(() => undefined)
      },
    ],
  ]
  it.each(endings)('ends with %s', async (_name, end) => {
    const at = await connected()
    await end(at)
    expect(await spendersOf(at.accountId)).toMatchObject([{ id: at.connection.id, endedAt: expect.any(Date) }])
  })

  it.each(endings)('that never had a row gets one that has ended, with %s', async (_name, end) => {
    const at = await connected()
    await stack.db.spender.deleteMany({ where: { id: at.connection.id } })
    await end(at)
    expect(await spendersOf(at.accountId)).toMatchObject([
      { id: at.connection.id, kind: 'connection', endedAt: expect.any(Date) },
    ])
  })

  it('does not end with an access token alone (RFC 7009 §2.1)', async () => {
    const { client, accountId, tokens } = await connected()
    expect(await revoke(client, tokens.access)).toBe(200)
    expect(await spendersOf(accountId)).toMatchObject([{ endedAt: null }])
  })

  it('keeps the moment of its end when it is ended again', async () => {
    const at = await connected()
    await endings[0]?.[1](at)
    const [first] = await spendersOf(at.accountId)
    await later(60, stack)
    await revoke(at.client, at.tokens.refresh)
    expect(await spendersOf(at.accountId)).toEqual([first])
  })

  it('goes on under a connection that takes its place, with its limits, and ends with that one', async () => {
    const { accountId, connection } = await connected()
    await stack.db.spender.update({ where: { id: connection.id }, data: { maxPerDayMicros: 1_000_000n } })
    const taker = await replacing(accountId, connection.id)
    expect(taker).toMatchObject({ spenderId: connection.id, endedAt: null })
    const replaced = await stack.db.connection.findUniqueOrThrow({ where: { id: connection.id } })
    expect(replaced).toMatchObject({ endedReason: 'replaced', endedAt: expect.any(Date) })
    expect(await stack.db.apiToken.count({ where: { connectionId: connection.id } })).toBe(0)
    expect(await spendersOf(accountId)).toMatchObject([
      { id: connection.id, maxPerDayMicros: 1_000_000n, endedAt: null },
    ])
    await stack.db.apiToken.create({ data: { ...TOKEN, id: randomUUID(), accountId, connectionId: taker.id } })
    await endings[0]?.[1]({ accountId } as Awaited<ReturnType<typeof connected>>)
    expect(await spendersOf(accountId)).toMatchObject([{ id: connection.id, endedAt: expect.any(Date) }])
  })

  it("is never taken over by another account's connection", async () => {
    const { connection } = await connected()
    const { id: stranger } = await stack.account()
    expect((await replacing(stranger, connection.id)).spenderId).toBeNull()
    expect(await stack.db.connection.findUnique({ where: { id: connection.id } })).toMatchObject({ endedAt: null })
  })

  it('is gone 13 months after its end, and with its counters, and not before', async () => {
    const at = await connected()
    const alive = await connected()
    await endings[0]?.[1](at)
    const spenderId = at.connection.id
    await stack.db.spenderCount.create({
      data: { spenderId, upstream: 'sandbox', day: new Date(), dayEndsAt: new Date() },
    })
    await cleanUp(stack.db, new Date(Date.now() + 390 * DAY_MS))
    expect(await stack.db.spender.count({ where: { id: spenderId } })).toBe(1)
    await cleanUp(stack.db, new Date(Date.now() + 397 * DAY_MS))
    expect(await stack.db.spender.count({ where: { id: spenderId } })).toBe(0)
    expect(await stack.db.spenderCount.count({ where: { spenderId } })).toBe(0)
    expect(await stack.db.spender.count({ where: { id: alive.connection.id } })).toBe(1)
  })

  it('ends where its connection ran out and is cleaned up', async () => {
    const { accountId, connection } = await connected()
    const expired = new Date(connection.expiresAt.getTime() + 100 * DAY_MS)
    await cleanUp(stack.db, expired)
    expect(await stack.db.connection.count({ where: { id: connection.id } })).toBe(0)
    expect(await spendersOf(accountId)).toMatchObject([{ id: connection.id, endedAt: connection.expiresAt }])
  })

  it('goes on where an earlier connection is cleaned up while its own, about to run out, is being approved again', async () => {
    const { accountId, connection } = await connected()
    const taker = await replacing(accountId, connection.id)
    await stack.db.connection.update({ where: { id: connection.id }, data: { endedAt: daysAgo(91) } })
    // An approval that began before, as another node sees it that cleans up a moment after the connection ran out.
    await cleanUp(stack.db, new Date(taker.expiresAt.getTime() + 1000))
    expect(await stack.db.connection.count({ where: { accountId } })).toBe(1)
    expect((await replacing(accountId, taker.id)).spenderId).toBe(connection.id)
    expect(await spendersOf(accountId)).toMatchObject([{ id: connection.id, endedAt: null }])
  })

  it('ends when the last of its connections ran out, in whatever order they are cleaned up', async () => {
    const { accountId, connection } = await connected()
    const taker = await replacing(accountId, connection.id)
    await stack.db.connection.update({ where: { id: connection.id }, data: { endedAt: daysAgo(91) } })
    await cleanUp(stack.db, new Date(taker.expiresAt.getTime() + DAY_MS))
    expect(await spendersOf(accountId)).toMatchObject([{ id: connection.id, endedAt: null }])
    await cleanUp(stack.db, new Date(taker.expiresAt.getTime() + 100 * DAY_MS))
    expect(await stack.db.connection.count({ where: { accountId } })).toBe(0)
    expect(await spendersOf(accountId)).toMatchObject([{ id: connection.id, endedAt: taker.expiresAt }])
  })

  it('ends once where all its connections are cleaned up at once, by two nodes at that', async () => {
    const { accountId, connection } = await connected()
    const taker = await replacing(accountId, connection.id)
    const longOver = new Date(taker.expiresAt.getTime() + 400 * DAY_MS)
    await Promise.all([cleanUp(stack.db, longOver), cleanUp(stack.db, longOver)])
    expect(await stack.db.connection.count({ where: { accountId } })).toBe(0)
    expect(await stack.db.spender.count({ where: { accountId, endedAt: null } })).toBe(0)
  })
})

describe('the spender of a token made by hand', () => {
  const made = async () => {
    const { account } = await newSignedIn(stack)
    const session = await stack.db.session.findFirstOrThrow({ where: { accountId: account.id } })
    const by = { accountId: account.id, sessionId: session.id }
    const create = (limits = NO_LIMITS, form: string = randomUUID()) => {
      const token = { form, name: 'Nightly', permissions: ['GET /rates'] as const, ipAllowList: [], expiresAt: null }
      return createManualToken(stack.db, by, { ...token, limits }, new Date())
    }
    const row = (id: string) => stack.db.apiToken.findUniqueOrThrow({ where: { id } })
    const rows = () => stack.db.apiToken.findMany({ where: { accountId: account.id } })
    const replace = async (tokenId: string, overlapSeconds = 600) => {
      const lastFour = (await stack.db.apiToken.findUnique({ where: { id: tokenId } }))?.lastFour ?? null
      return replaceToken(stack.db, by, { tokenId, lastFour, overlapSeconds })
    }
    await create()
    const tokenId = (await rows())[0]?.id ?? ''
    return { accountId: account.id, by, create, replace, row, rows, tokenId }
  }

  it('begins with it, with the limits that were set', async () => {
    const { accountId, tokenId, create } = await made()
    const [spender] = await spendersOf(accountId)
    expect(spender).toMatchObject({ id: tokenId, kind: 'token', endedAt: null })
    expect(spender && limits(spender)).toMatchObject({ maxPerDayMicros: null, countries: [] })
    const bounded = await create({ ...NO_LIMITS, maxPerDayMicros: 5_000_000n, countries: ['LT'] })
    expect(bounded).toMatchObject({ value: expect.stringMatching(/^vsms_/) })
    expect((await spendersOf(accountId)).at(-1)).toMatchObject({ maxPerDayMicros: 5_000_000n, countries: ['LT'] })
  })

  it('ends with it, a row or not', async () => {
    for (const hasRow of [true, false]) {
      const { accountId, tokenId } = await made()
      if (!hasRow) await stack.db.spender.deleteMany({ where: { id: tokenId } })
      expect(await deleteToken(stack.db, { accountId, tokenId })).toBe('token')
      expect(await spendersOf(accountId)).toMatchObject([{ id: tokenId, kind: 'token', endedAt: expect.any(Date) }])
    }
  })

  it.runIf(CAN_MEET)('ends after whatever its deletion has waited for', async () => {
    const { accountId, tokenId } = await made()
    const sent = await stack.db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT id::text FROM api_token WHERE id = ${tokenId}::uuid FOR KEY SHARE`
      const deletion = deleteToken(stack.db, { accountId, tokenId })
      await expect.poll(() => waitingFor(stack.db)).toBe(1)
      return { deletion, at: await databaseNow(stack.db) }
    })
    expect(await sent.deletion).toBe('token')
    const [spender] = await spendersOf(accountId)
    expect(spender?.endedAt?.getTime()).toBeGreaterThanOrEqual(sent.at.getTime())
  })

  it('keeps the name that its owner gave it, for what is told of it afterwards', async () => {
    const { accountId, tokenId, replace } = await made()
    await replace(tokenId)
    await stack.db.apiToken.update({ where: { id: tokenId }, data: { name: 'Night run' } })
    expect(await spendersOf(accountId)).toMatchObject([{ endedName: null }])
    await deleteToken(stack.db, { accountId, tokenId })
    expect(await spendersOf(accountId)).toMatchObject([{ id: tokenId, endedName: 'Night run' }])
    const names = await nameSpenders(stack.db, accountId, [tokenId])
    expect(names.get(tokenId)).toEqual({ kind: 'deleted token', id: tokenId, name: 'Night run', app: null })
    const { accountId: stranger } = await made()
    expect(await nameSpenders(stack.db, stranger, [tokenId])).toEqual(new Map())
  })

  it('goes on under each new value, and ends with the token and every value of it', async () => {
    const { accountId, tokenId, replace, row, rows } = await made()
    await stack.db.spender.update({ where: { id: tokenId }, data: { maxTotalMicros: 9_000_000n } })
    const first = await row(tokenId)
    expect(await replace(tokenId)).toEqual({ value: expect.stringMatching(/^vsms_/) })
    const second = await row(tokenId)
    expect(await replace(tokenId)).toEqual({ value: expect.stringMatching(/^vsms_/) })
    const held = await rows()
    // The oldest value ended with the second replacement.
    expect(held.map(({ tokenHash }) => tokenHash)).not.toContainEqual(first.tokenHash)
    expect(held.find(({ replacedById }) => replacedById === tokenId)).toMatchObject({
      tokenHash: second.tokenHash,
      lastFour: second.lastFour,
      spenderId: tokenId,
    })
    expect(held).toHaveLength(2)
    expect(await spendersOf(accountId)).toMatchObject([{ id: tokenId, endedAt: null, maxTotalMicros: 9_000_000n }])
    expect(await deleteToken(stack.db, { accountId, tokenId })).toBe('token')
    expect(await rows()).toEqual([])
    expect(await spendersOf(accountId)).toMatchObject([{ id: tokenId, endedAt: expect.any(Date) }])
  })

  it('leaves the value before good for the overlap, never longer than it was, and not at all where none is asked', async () => {
    const { tokenId, replace, rows } = await made()
    const before = Date.now()
    const old = async () => (await rows()).find(({ replacedById }) => replacedById === tokenId)
    await replace(tokenId)
    expect((await old())?.expiresAt?.getTime()).toBeGreaterThan(before + 590_000)
    await stack.db.apiToken.update({ where: { id: tokenId }, data: { expiresAt: new Date(before + 300_000) } })
    await replace(tokenId)
    expect((await old())?.expiresAt?.getTime()).toBe(before + 300_000)
    await replace(tokenId, 0)
    expect(await old()).toBeUndefined()
  })

  it('gives the new value as long again as the token was made for', async () => {
    const { tokenId, replace, row } = await made()
    const { createdAt } = await row(tokenId)
    await stack.db.apiToken.update({
      where: { id: tokenId },
      data: { expiresAt: new Date(createdAt.getTime() + 7 * DAY_MS) },
    })
    await later(5 * 86_400, stack)
    await replace(tokenId)
    const after = await row(tokenId)
    expect((after.expiresAt?.getTime() ?? 0) - after.createdAt.getTime()).toBe(7 * DAY_MS)
    expect(after.createdAt.getTime()).toBeGreaterThanOrEqual(createdAt.getTime() + 5 * DAY_MS)
  })

  it('is removed with a value whose overlap is over, and the token stays', async () => {
    const { tokenId, replace, rows } = await made()
    await replace(tokenId)
    await cleanUp(stack.db, new Date(Date.now() + 599_000))
    expect(await rows()).toHaveLength(2)
    await cleanUp(stack.db, new Date(Date.now() + 700_000))
    expect(await rows()).toMatchObject([{ id: tokenId, replacedById: null }])
  })

  it('is replaced once by a form that comes twice, and made once', async () => {
    const { tokenId, by, rows, create } = await made()
    const [row] = await rows()
    const twice = { tokenId, lastFour: row?.lastFour ?? null, overlapSeconds: 600 }
    const answers = await Promise.all([replaceToken(stack.db, by, twice), replaceToken(stack.db, by, twice)])
    expect(answers).toContainEqual({ refused: 'made_before' })
    expect(answers).toContainEqual({ value: expect.any(String) })
    expect((await rows()).map(({ lastFour }) => lastFour)).toContain(row?.lastFour)
    const form = randomUUID()
    const forms = await Promise.all([create(NO_LIMITS, form), create(NO_LIMITS, form)])
    const [{ id }] = forms
    expect(forms).toContainEqual({ id, refused: 'made_before' })
    expect(forms).toContainEqual({ id, value: expect.any(String) })
    await deleteToken(stack.db, { accountId: by.accountId, tokenId: id })
    expect(await create(NO_LIMITS, form)).toEqual({ id, refused: 'made_before' })
    // The same form in the hands of another account is another token, and names nothing that is there already.
    const other = await made()
    expect(await other.create(NO_LIMITS, form)).toMatchObject({ id: expect.not.stringMatching(id) })
    expect(await create(NO_LIMITS, by.accountId)).toMatchObject({ id: expect.not.stringMatching(by.accountId) })
  })

  it("gives no value to a token that ran out, that never was, or that is another account's", async () => {
    const { tokenId, replace } = await made()
    const stranger = await made()
    for (const id of [tokenId, randomUUID()]) expect(await stranger.replace(id)).toEqual({ refused: 'gone' })
    expect(await stack.db.apiToken.count({ where: { replacedById: tokenId } })).toBe(0)
    await stack.db.apiToken.update({ where: { id: tokenId }, data: { expiresAt: new Date(Date.now() - 1) } })
    expect(await replace(tokenId)).toEqual({ refused: 'gone' })
  })

  it("is not ended by another account's deletion", async () => {
    const { accountId, tokenId } = await made()
    const { id: stranger } = await stack.account()
    expect(await deleteToken(stack.db, { accountId: stranger, tokenId })).toBe('not_found')
    expect(await spendersOf(accountId)).toMatchObject([{ endedAt: null }])
  })
})

const TOKEN = {
  kind: 'oauth_access' as const,
  name: 'x',
  get tokenHash() {
    return new Uint8Array(Buffer.from(randomUUID()))
  },
  createdAt: new Date(),
}

async function revoke(client: TestClient, token: string): Promise<number> {
  return (await post(`${stack.issuer}/oauth/revoke`, { token, client_id: client.client.client_id })).status
}

/** An approval of a client known by its document that names the connection whose place it takes. */
async function replacing(accountId: string, replaces: string) {
  const approval = {
    kind: 'approved' as const,
    accountId,
    sessionId: randomUUID(),
    client: { id: `https://${randomUUID()}.example/client`, name: 'Taker', shared: true },
    redirectHost: 'taker.example',
    scopes: ['sms:rates'] as const,
    lifetimeSeconds: 3600,
    limits: { initial: NO_LIMITS, asked: null },
    replaces,
  }
  return stack.db.$transaction(async (tx) => {
    const now = new Date()
    const place = await findPlace(tx, approval, now)
    await write(tx, approval, { ...place, limits: place.limits ?? NO_LIMITS, grantId: randomUUID(), now })
    return tx.connection.findFirstOrThrow({ where: { accountId, clientId: approval.client.id } })
  })
}
