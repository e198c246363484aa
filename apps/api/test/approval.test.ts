// The life of one question to an owner, from the refusal that asks it to the send that uses it: one story, told in
// order.
import { randomUUID } from 'node:crypto'
import { approvalContext, readAskedSend } from '@vertexsms/contract/approval'
import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { databaseNow } from '@vertexsms/db/clock'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { API_KEY_PURPOSES, deriveApiKeys, derivedKeysSchema } from '@vertexsms/secrets/derived-keys'
import { open } from '@vertexsms/secrets/seal'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createRetentionJob } from '../src/sending/sweep.ts'
import type { HandOver, SmsOrder } from '../src/upstream/upstream.ts'
import { eventually } from './support/eventually.ts'
import { turn } from './support/turn.ts'
import { type ScriptedUpstream, scriptedUpstream, withUpstream } from './support/upstream.ts'
import { waitingForLock } from './support/waiting.ts'
import { EDGE_SECRET, type Node, RACING, startWorld, type World } from './support/world.ts'

const PRICE = 40_000n
const DAY_MS = 86_400_000
/** Rounds of a send that meets its withdrawal; `pnpm test:full` takes more. */
const WITHDRAWALS = process.env.TEST_FULL ? 24 : 8

/** The embedded database has one session, and nothing waits for another there. */
const MEETS = readTestDatabaseUrl() !== undefined

let world: World
let scripted: ScriptedUpstream
let node: Node
let other: Node
let accountId: string
let token: string
let tokenId: string

beforeAll(async () => {
  world = await startWorld({}, { poolSize: RACING })
  scripted = scriptedUpstream(world.db)
  node = await world.startNode({}, withUpstream(scripted, { placeMs: 30_000 }))
  other = await world.startNode({}, withUpstream(scripted, { placeMs: 30_000 }))
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.followDate()
  scripted.orders.length = 0
  scripted.answer = async (order) => accepted(order)
  costs(PRICE)
  accountId = (await world.makeAccount()).accountId
  ;({ id: tokenId, token } = await world.makeToken({ accountId }))
  await limit({ askAboveMicros: PRICE - 1n })
})

const accepted = ({ messageId }: SmsOrder): HandOver => ({
  kind: 'accepted',
  reference: `up-${messageId}`,
  parts: 1,
  priceMicros: PRICE,
})
function costs(micros: bigint) {
  scripted.cost = async () => ({ micros, parts: 1, country: 'LT', operator: null, mccmnc: '24601' })
}
const limit = (limits: Record<string, unknown>, id = tokenId) => {
  const kind = id === accountId ? ('account' as const) : ('token' as const)
  const row = { id, accountId, kind, createdAt: new Date() }
  return world.db.spender.upsert({ where: { id }, create: { ...row, ...limits }, update: limits })
}
const send = (body: Record<string, unknown> = {}, on = node) =>
  on.call('POST /sms', { token, body: { to: '37060000001', from: 'Tests', message: 'Hello', ...body } })
const code = async (answer: ReturnType<typeof send>) => (await answer).body.code ?? 'sent'
const approvals = () => world.db.approval.findMany({ where: { accountId }, orderBy: { createdAt: 'asc' } })
/** The owner's word, as the pages write it. */
const decide = (state: 'approved' | 'refused', goodMs = 900_000) =>
  world.db.approval.updateMany({
    where: { accountId, state: 'pending' },
    data: { state, decidedAt: new Date(), expiresAt: new Date(Date.now() + goodMs), sealedText: null },
  })

/** An approval taken back as the pages do it: under the account, and only while it was not used. True where it was in time. */
const withdraw = (id: string) =>
  world.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT id::text FROM account WHERE id = ${accountId}::uuid FOR NO KEY UPDATE`
    const [row] = await tx.$queryRaw<{ state: string }[]>`
      UPDATE approval a SET
        state = CASE a.state WHEN 'approved' THEN 'refused' ELSE a.state END,
        decided_at = CASE a.state WHEN 'approved' THEN database_now() ELSE a.decided_at END,
        expires_at = CASE a.state WHEN 'approved' THEN greatest(a.expires_at, a.created_at + interval '1 day')
                     ELSE database_now() END
      WHERE a.id = ${id}::uuid AND a.account_id = ${accountId}::uuid AND a.state IN ('approved', 'used')
        AND a.expires_at > database_now()
      RETURNING a.state::text`
    return row?.state === 'refused'
  })

describe('a send that the owner is asked about', () => {
  test('is refused with the page of its approval, nothing leaves, and its text waits sealed', async () => {
    const { status, body } = await send()
    const [row] = await approvals()
    expect([status, body.code]).toEqual([403, 'APPROVAL_REQUIRED'])
    expect(body.details).toEqual({
      approvalId: row?.id,
      approvalUrl: `http://localhost:4000/approvals/${row?.id}`,
      expiresAt: row?.expiresAt.toISOString(),
    })
    expect(scripted.orders).toEqual([])
    expect(row).toMatchObject({
      state: 'pending',
      ceilingMicros: PRICE,
      reason: 'price',
      recipients: 1,
      sender: 'Tests',
      scheduledAt: null,
    })
    const keys = derivedKeysSchema(API_KEY_PURPOSES).parse(deriveApiKeys(Buffer.alloc(32, 7)))
    const text = open(
      keys['send-text'],
      row?.sealedText ?? new Uint8Array(),
      approvalContext({ id: row?.id ?? '', accountId }),
    )
    expect(readAskedSend(text)).toEqual({ to: ['37060000001'], text: 'Hello' })
    expect(Buffer.from(row?.sealedText ?? []).toString('latin1')).not.toContain('Hello')
  })

  test('for a time is asked about with that time', async () => {
    const scheduledAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + DAY_MS)
    expect(await code(send({ scheduled: scheduledAt.toISOString() }))).toBe('APPROVAL_REQUIRED')
    expect(await approvals()).toMatchObject([{ scheduledAt }])
  })

  test('for a time is asked about until then, and for a day at most', async () => {
    for (const [aheadMs, openMs] of [
      [600_000, 600_000],
      [3 * DAY_MS, DAY_MS],
    ] as const) {
      const now = await databaseNow(world.db)
      const scheduledAt = new Date(now.getTime() + aheadMs)
      const { details } = (await send({ scheduled: scheduledAt.toISOString() })).body
      expect(Math.abs(new Date(details.expiresAt).getTime() - now.getTime() - openMs)).toBeLessThan(60_000)
    }
    const [first] = await world.db.approval.findMany({ where: { accountId }, orderBy: { scheduledAt: 'asc' } })
    expect(first?.expiresAt).toEqual(first?.scheduledAt)
  })

  test('is asked about once, however many calls come together on however many nodes', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => send({}, at % 2 ? node : other)))
    expect(new Set(answers.map(({ body }) => body.details.approvalId)).size).toBe(1)
    expect((await approvals()).length).toBe(1)
  })

  test('goes out once when it is approved; for a second one the owner is asked anew', async () => {
    await send()
    await decide('approved')
    const codes = await Promise.all([code(send()), code(send({}, other)), code(send())])
    expect(codes.sort()).toEqual(['APPROVAL_REQUIRED', 'APPROVAL_REQUIRED', 'sent'])
    expect(scripted.orders.length).toBe(1)
    const rows = await approvals()
    expect(rows.map(({ state }) => state)).toEqual(['used', 'pending'])
    expect(rows[0]?.sendId).toEqual(expect.any(String))
  })

  test.each([
    ['by its key', { 'idempotency-key': randomUUID() }],
    ['through MCP without a key', { [EDGE_SECRET_HEADER]: EDGE_SECRET, [CLIENT_ADDRESS_HEADER]: '127.0.0.1' }],
  ])('is told its message when it is repeated %s, and the owner is not asked once more', async (_how, headers) => {
    const body = { to: ['37060000001'], from: 'Tests', message: 'Hello' }
    const call = (on = node) => on.call('POST /sms/batch', { token, body, headers })
    expect((await call()).body.code).toBe('APPROVAL_REQUIRED')
    await decide('approved')
    const sent = await call()
    const repeats = [await call(), await call(other)]
    for (const { body } of repeats)
      expect(body.messages[0]).toMatchObject({ id: sent.body.messages[0].id, status: 'sent', replayed: true })
    expect((await approvals()).map(({ state }) => state)).toEqual(['used'])
    expect(scripted.orders.length).toBe(1)
  })

  test.each([
    ['for its price', { askAboveMicros: PRICE - 1n }],
    ['for its country', { askAboveMicros: null, askNewCountry: true }],
  ])('is quoted with word that the owner would be asked %s, and without the limit that asks', async (_why, limits) => {
    await limit(limits)
    const body = { to: '37060000001', from: 'Tests', message: 'Hello' }
    const quote = async () => (await node.call('POST /sms/quote', { token, body })).body
    const asked = await quote()
    expect(asked.refusals.map(({ code, details }: Record<string, unknown>) => [code, details])).toEqual([
      ['APPROVAL_REQUIRED', undefined],
    ])
    expect(asked.quoteId).toEqual(expect.any(String))
    expect(JSON.stringify(asked)).not.toContain('0.039999')
    expect(await approvals()).toEqual([])
    await send()
    expect((await quote()).refusals.length).toBe(1)
    await decide('approved')
    expect((await quote()).refusals).toEqual([])
    expect(await code(send())).toBe('sent')
    expect((await quote()).refusals.length).toBe(limits.askAboveMicros === null ? 0 : 1)
  })

  test('stays refused while the owner’s refusal holds, and is quoted so', async () => {
    const quoted = async () => {
      const body = { to: '37060000001', from: 'Tests', message: 'Hello' }
      const quote = await node.call('POST /sms/quote', { token, body })
      return quote.body.refusals.map((one: { code: string }) => one.code)
    }
    await send()
    await decide('refused')
    const [row] = await approvals()
    expect((await send()).body).toMatchObject({ code: 'APPROVAL_REFUSED', details: { approvalId: row?.id } })
    expect(await quoted()).toEqual(['APPROVAL_REFUSED'])
    expect((await approvals()).length).toBe(1)
    await world.followDate(901_000)
    expect(await quoted()).toEqual(['APPROVAL_REQUIRED'])
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
  })

  test.each([
    ['not decided within a day', async () => {}, DAY_MS + 1_000],
    ['approved and not used within its time', () => decide('approved'), 901_000],
  ])('that was %s is told to be over once, and is then asked about anew', async (_what, happens, laterMs) => {
    await send()
    await happens()
    await world.followDate(laterMs)
    const [row] = await approvals()
    expect((await send()).body).toMatchObject({ code: 'APPROVAL_EXPIRED', details: { approvalId: row?.id } })
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
    expect(scripted.orders).toEqual([])
  })

  test('that is over is told so to one of many calls that come together; the others are asked about once', async () => {
    await send()
    await world.followDate(DAY_MS + 1_000)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => send({}, at % 2 ? node : other)))
    const codes = answers.map(({ body }) => body.code).sort()
    expect(codes).toEqual(['APPROVAL_EXPIRED', ...Array(19).fill('APPROVAL_REQUIRED')])
    expect((await approvals()).map(({ state }) => state)).toEqual(['expired', 'pending'])
  })

  test.each([
    ['another text', { message: 'Hello!' }],
    ['another recipient', { to: '37060000002' }],
    ['another sender', { from: 'Test' }],
    ['another time', { scheduled: new Date(Date.now() + DAY_MS).toISOString() }],
    ['another validity', { expireIn: 3_600 }],
  ])('is not approved with %s', async (_what, change) => {
    await send()
    await decide('approved')
    expect(await code(send(change))).toBe('APPROVAL_REQUIRED')
    expect(scripted.orders).toEqual([])
    expect(await code(send())).toBe('sent')
  })

  test('is refused once its approval was withdrawn, for as long as any refusal holds, and then asked about anew', async () => {
    await send()
    await decide('approved')
    const [row] = await approvals()
    expect(await withdraw(row?.id ?? '')).toBe(true)
    expect((await send()).body).toMatchObject({ code: 'APPROVAL_REFUSED', details: { approvalId: row?.id } })
    await world.followDate(901_000)
    expect((await send()).body.code).toBe('APPROVAL_REFUSED')
    await world.followDate(DAY_MS + 1_000)
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
    expect(scripted.orders).toEqual([])
  })

  test('is sent once or withdrawn, and never both, when the two come together on two nodes', async () => {
    for (let round = 0; round < WITHDRAWALS; round += 1) {
      scripted.orders.length = 0
      const message = `Hello ${round}`
      const id = (await send({ message })).body.details.approvalId
      await decide('approved')
      const sends = () => [code(send({ message })), code(send({ message }, other))]
      const before = round % 2 === 0 ? sends() : []
      const [isWithdrawn, ...codes] = await Promise.all([
        withdraw(id),
        ...before,
        ...(before.length > 0 ? [] : sends()),
      ])
      const state = (await approvals()).find((one) => one.id === id)?.state
      expect([round, state]).toEqual([round, isWithdrawn ? 'refused' : 'used'])
      expect([round, codes.filter((one) => one === 'sent').length]).toEqual([round, isWithdrawn ? 0 : 1])
      expect(scripted.orders.length).toBe(isWithdrawn ? 0 : 1)
      await world.db.approval.deleteMany({ where: { accountId } })
    }
  })

  test('keeps its approval used where it is withdrawn after it was sent', async () => {
    const id = (await send()).body.details.approvalId
    await decide('approved')
    expect(await code(send())).toBe('sent')
    expect(await withdraw(id)).toBe(false)
    expect((await approvals()).map(({ state }) => state)).toEqual(['used'])
  })

  test('that its approval was withdrawn from under is not sent again when the upstream refuses it', async () => {
    const id = (await send()).body.details.approvalId
    await decide('approved')
    scripted.answer = async () => {
      expect(await withdraw(id)).toBe(false)
      return { kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 }
    }
    expect(await code(send())).toBe('SEND_REFUSED')
    scripted.answer = async (order) => accepted(order)
    const orders = scripted.orders.length
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
    expect(scripted.orders.length).toBe(orders)
    const counts = await world.db.spenderCount.findMany({ where: { spenderId: { in: [tokenId, accountId] } } })
    const nothing = { daySpentMicros: 0n, dayHeldMicros: 0n, totalSpentMicros: 0n, totalHeldMicros: 0n, handedOver: 0 }
    expect(counts).toEqual([expect.objectContaining(nothing), expect.objectContaining(nothing)])
  })

  test('at a price above what was approved is asked about anew', async () => {
    await send()
    await decide('approved')
    costs(PRICE + 1n)
    // The other node has not heard the price before.
    expect((await send({}, other)).body.code).toBe('APPROVAL_REQUIRED')
    expect((await approvals()).map(({ state, ceilingMicros }) => [state, ceilingMicros])).toEqual([
      ['expired', PRICE],
      ['pending', PRICE + 1n],
    ])
    // And is over from then on, as its owner's pages list it.
    const [closed] = await approvals()
    expect(closed?.expiresAt.getTime()).toBeLessThanOrEqual((await databaseNow(world.db)).getTime())
    expect(scripted.orders).toEqual([])
  })

  test.skipIf(!MEETS)('is not asked about anew where the owner refuses it at that very moment', async () => {
    await send()
    costs(PRICE + 1n)
    let dearer: ReturnType<typeof send> | undefined
    await world.db.$transaction(
      async (tx) => {
        await tx.$executeRaw`
          UPDATE approval SET state = 'refused', decided_at = database_now(), sealed_text = NULL
          WHERE account_id = ${accountId}::uuid AND state = 'pending'`
        dearer = send({}, other)
        await eventually(async () => (await waitingForLock(world.db, 'UPDATE approval')) === 1)
      },
      { timeout: 30_000 },
    )
    expect((await dearer)?.body.code).toBe('APPROVAL_REFUSED')
    expect((await approvals()).map(({ state }) => state)).toEqual(['refused'])
  })
})

describe('an approval', () => {
  test('that was used up by a send which the upstream refused is good again', async () => {
    await send()
    await decide('approved')
    scripted.answer = async () => ({ kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 })
    expect(await code(send())).toBe('SEND_REFUSED')
    expect((await approvals()).map(({ state, sendId }) => [state, sendId])).toEqual([['approved', null]])
    scripted.answer = async (order) => accepted(order)
    expect(await code(send())).toBe('sent')
  })

  describe('of a list of which the upstream refuses the first four', () => {
    const refuses = async (): Promise<HandOver> => ({ kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 })
    const body = { to: Array.from({ length: 6 }, (_, at) => `3706000001${at}`), from: 'Tests', message: 'Hello' }
    const list = async () => (await node.call('POST /sms/batch', { token, body })).body
    /** What became of the list, and of its approval, where this happens while the fourth is with the upstream. */
    const whileUnderWay = async (happens: () => Promise<unknown>) => {
      expect((await list()).code).toBe('APPROVAL_REQUIRED')
      await decide('approved')
      scripted.answer = async () => {
        if (scripted.orders.length === 4) await happens()
        return refuses()
      }
      const { messages } = await list()
      const became = messages.map(({ status, error }: Record<string, { code: string }>) => error?.code ?? status)
      const [row] = await approvals()
      return { became, approval: row?.state }
    }
    const REFUSED = Array(4).fill('SEND_REFUSED')

    test('stays used up where its owner pauses the rest', async () => {
      const paused = Array(2).fill('CONNECTION_PAUSED')
      const pause = () => limit({ pausedAt: new Date() })
      expect(await whileUnderWay(pause)).toEqual({ became: [...REFUSED, ...paused], approval: 'used' })
      await limit({ pausedAt: null })
    })

    test('is good again where the rest is refused, too', async () => {
      const nothing = async () => {}
      expect(await whileUnderWay(nothing)).toEqual({ became: Array(6).fill('SEND_REFUSED'), approval: 'approved' })
    })

    test('stays used up where one of the rest is taken back: it is not asked to go again', async () => {
      const takeBack = async () => {
        const where = { accountId, state: 'held' } as const
        const { id } = await world.db.sendMessage.findFirstOrThrow({ where, orderBy: { id: 'desc' } })
        expect((await node.call(`DELETE /sms/${id}`, { token })).status).toBe(204)
      }
      const { became, approval } = await whileUnderWay(takeBack)
      expect(became).toEqual([...REFUSED, 'SEND_REFUSED', 'not_sent'])
      expect(approval).toBe('used')
    })

    test('stays used up where the rest goes out', async () => {
      const goes = async () => {
        scripted.answer = async (order) => accepted(order)
      }
      expect(await whileUnderWay(goes)).toEqual({ became: [...REFUSED, 'sent', 'sent'], approval: 'used' })
    })
  })

  test('that was over when the upstream refused its send stays used up, and is asked for anew', async () => {
    await send()
    await decide('approved')
    scripted.answer = async () => {
      await world.db.approval.updateMany({ where: { accountId }, data: { expiresAt: new Date(Date.now() - 1_000) } })
      return { kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 }
    }
    expect(await code(send())).toBe('SEND_REFUSED')
    const [used] = await approvals()
    expect(used).toMatchObject({ state: 'used', sendId: expect.any(String) })
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
  })

  test('that was used up by a send whose outcome is not known stays used up', async () => {
    await send()
    await decide('approved')
    scripted.answer = async () => ({ kind: 'unknown' })
    expect(await code(send())).toBe('SEND_OUTCOME_UNKNOWN')
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
    expect((await approvals()).map(({ state }) => state)).toEqual(['used', 'pending'])
  })

  test('is not asked for at the price itself, nor where no limit asks', async () => {
    await limit({ askAboveMicros: PRICE })
    expect(await code(send())).toBe('sent')
    await limit({ askAboveMicros: null })
    costs(PRICE * 9n)
    expect(await code(send())).toBe('sent')
    expect(await approvals()).toEqual([])
  })

  test('is asked for by the account’s limit as by the token’s own', async () => {
    await limit({ askAboveMicros: null })
    await limit({ askAboveMicros: 0n }, accountId)
    expect(await code(send())).toBe('APPROVAL_REQUIRED')
  })

  test('is asked for before the first send to a country, and not after it', async () => {
    await limit({ askAboveMicros: null, askNewCountry: true })
    expect((await send()).body.code).toBe('APPROVAL_REQUIRED')
    expect((await approvals())[0]).toMatchObject({ reason: 'country', countries: ['LT'] })
    await decide('approved')
    expect(await code(send())).toBe('sent')
    expect(await code(send({ to: '37060000003' }))).toBe('sent')
    costs(PRICE)
    expect(await code(send({ to: '37120000001' }))).toBe('APPROVAL_REQUIRED')
  })

  test.each([
    ['a lookup', 'hlr', 'POST /hlr', { msisdn: '37061234567' }],
    ['a PIN to a sender number', 'msisdn', 'POST /senderId', { type: 'MSISDN', name: '37061234567' }],
  ] as const)('says that it is about %s, and is used by that alone', async (_what, kind, route, body) => {
    await limit({ askAboveMicros: null, askNewCountry: true })
    const call = async () => (await node.call(route, { token, body })).body.code ?? 'done'
    expect(await call()).toBe('APPROVAL_REQUIRED')
    expect(await approvals()).toMatchObject([{ reason: `country ${kind}`, countries: ['LT'], sender: '' }])
    await decide('approved')
    expect(await code(send({ to: '37061234567' }))).toBe('APPROVAL_REQUIRED')
    expect(await call()).toBe('done')
    expect((await approvals()).map(({ state }) => state)).toEqual(['used', 'pending'])
  })

  test('of a lookup in a new country lets no SMS go there unasked; further lookups go', async () => {
    await limit({ askAboveMicros: null, askNewCountry: true })
    const lookUp = async (msisdn: string) =>
      (await node.call('POST /hlr', { token, body: { msisdn } })).body.code ?? 'done'
    expect(await lookUp('37061234567')).toBe('APPROVAL_REQUIRED')
    await decide('approved')
    expect(await lookUp('37061234567')).toBe('done')
    expect(await lookUp('37061234568')).toBe('done')
    expect(await code(send({ to: '37061234567' }))).toBe('APPROVAL_REQUIRED')
    expect(scripted.orders).toEqual([])
    await decide('approved')
    expect(await code(send({ to: '37061234567' }))).toBe('sent')
    expect(await code(send({ to: '37061234568' }))).toBe('sent')
  })

  test('of the first send to a country is of that alone until the upstream took it, as it may refuse it', async () => {
    await limit({ askAboveMicros: null, askNewCountry: true })
    await send()
    await decide('approved')
    const another = () => code(send({ to: '37060000002' }, other))
    const refuse = async (): Promise<HandOver> => ({ kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 })
    const meanwhile: string[] = []
    scripted.answer = async () => {
      scripted.answer = refuse
      meanwhile.push(await another())
      return refuse()
    }
    expect(await code(send())).toBe('SEND_REFUSED')
    expect([...meanwhile, await another()]).toEqual(['APPROVAL_REQUIRED', 'APPROVAL_REQUIRED'])
    expect(scripted.orders.length).toBe(1)
    scripted.answer = async (order) => accepted(order)
    expect(await code(send())).toBe('sent')
    expect(await another()).toBe('sent')
  })

  test('is asked for before the first send to a country by the real account, whatever the simulator was sent there', async () => {
    await limit({ askAboveMicros: null })
    expect(await code(send())).toBe('sent')
    const quote = async () => {
      const body = { to: '37060000001', from: 'Tests', message: 'Hello' }
      return (await node.call('POST /sms/quote', { token, body })).body.refusals.map(
        (one: { code: string }) => one.code,
      )
    }
    for (const id of [tokenId, accountId]) {
      const asks = (askNewCountry: boolean) => limit({ askNewCountry }, id)
      await asks(true)
      // Nodes of both find the same row; which of the two is real is no matter.
      for (const [upstream, asked] of [
        ['vertexsms', ['APPROVAL_REQUIRED']],
        ['sandbox', []],
      ] as const) {
        await world.db.sendMessage.updateMany({ where: { accountId, country: 'LT' }, data: { upstream } })
        expect(await quote()).toEqual(asked)
        expect(await code(send({ message: `Hello ${id} ${upstream}` }))).toBe(asked[0] ?? 'sent')
      }
      await asks(false)
    }
  })

  test('is asked for five times at most by one token, however many calls come together', async () => {
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, at) => send({ message: `Hello ${at}` }, at % 2 ? node : other)),
    )
    const codes = answers.map(({ body }) => body.code)
    expect(codes.filter((one) => one === 'APPROVAL_REQUIRED').length).toBe(5)
    expect(codes.filter((one) => one === 'TOO_MANY_WAITING').length).toBe(4)
    expect((await approvals()).length).toBe(5)
  })

  test('leaves no text behind once it is over, or once its token has ended', async () => {
    await send()
    await send({ message: 'Another' })
    const job = createRetentionJob(world.db)
    await turn(job)
    expect((await approvals()).every(({ sealedText }) => sealedText !== null)).toBe(true)
    await limit({ endedAt: new Date() })
    await turn(job)
    expect((await approvals()).every(({ sealedText }) => sealedText === null)).toBe(true)

    await limit({ endedAt: null })
    await send({ message: 'A third' })
    await world.followDate(DAY_MS + 1_000)
    await turn(job)
    expect((await approvals()).every(({ sealedText }) => sealedText === null)).toBe(true)
  })
})
