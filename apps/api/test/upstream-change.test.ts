// What was accepted for one upstream, or for one token of an account there, goes to no other.
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { quoteSms } from '../src/sending/quoting.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import type { SmsOrder, UpstreamName } from '../src/upstream/upstream.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { type FakeOperator, fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { type PathNode, pathNode, senderOf, smsCall } from './support/path.ts'
import { turn } from './support/turn.ts'

let database: ServiceDatabase
let owner: Database
let db: Database
let payer: Payer

beforeAll(async () => {
  database = await serviceDatabase()
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())
beforeEach(async () => {
  await database.followDate()
  payer = await makePayer(owner)
})

/** The account's token, as the dashboard sets or removes it. */
async function setToken(generation: number, { removed = false } = {}): Promise<void> {
  const row = { generation, sealedToken: removed ? null : Buffer.from('sealed'), changedAt: new Date() }
  await owner.upstreamAccount.upsert({
    where: { accountId: payer.accountId },
    create: { id: randomUUID(), accountId: payer.accountId, ...row },
    update: row,
  })
}

const generationOf = async (accountId: string) =>
  (await owner.upstreamAccount.findUnique({ where: { accountId } }))?.generation ?? 0

/** A node whose upstream hands over with the present token alone, as the forwarder does. */
function nodeOf(name: UpstreamName, pause: (order: SmsOrder) => Promise<void> | void = () => {}) {
  const fake = fakeOperator(undefined, pause)
  const generation = async (accountId: string) => (name === 'sandbox' ? 0 : generationOf(accountId))
  const operator: FakeOperator = {
    ...fake,
    name,
    generation,
    async send(order) {
      if (order.generation !== (await generation(order.accountId))) return { kind: 'refused', code: 'UPSTREAM_CHANGED' }
      return fake.send(order)
    },
  }
  return { ...pathNode(db, operator), operator }
}

const inAnHour = () => ({ scheduled: new Date(Date.now() + 3_600_000).toISOString() })
const tidy = async (name: UpstreamName) => {
  const job = createSweepJob(db, name, 1_000)
  while ((await turn(job)) > 0);
}
const comeDue = async ({ deps, sending }: PathNode) => {
  await database.followDate(3_700_000)
  await turn(createScheduleJob(deps, sending, 1_000))
}
const stateOf = async (id: bigint) => {
  const { state, failure, failureReason, holdMicros, chargedMicros } = await owner.sendMessage.findUniqueOrThrow({
    where: { id },
  })
  return { state, failure, failureReason, left: holdMicros + chargedMicros }
}
const countOf = (upstream: UpstreamName) =>
  owner.spenderCount.findUniqueOrThrow({
    where: { spenderId_upstream: { spenderId: payer.tokenId, upstream } },
  })
const CANCELLED = { state: 'released', failure: null, failureReason: 'account_changed', left: 0n }

describe('another upstream', () => {
  test.each([
    ['sandbox', 'vertexsms'],
    ['vertexsms', 'sandbox'],
  ] as const)('never gets what was scheduled under %s: under %s it is cancelled and given back', async (from, to) => {
    await setToken(1)
    const before = nodeOf(from)
    const { id } = await before.sending.sendOne(smsCall(payer, ['37060000001'], { body: inAnHour() }))
    expect(await countOf(from)).toMatchObject({ scheduled: 1, totalHeldMicros: 39_000n })
    const after = nodeOf(to)
    await comeDue(after)
    expect((await stateOf(id)).state).toBe('scheduled')
    await tidy(to)
    expect(await stateOf(id)).toEqual(CANCELLED)
    expect(await countOf(from)).toMatchObject({ scheduled: 0, totalHeldMicros: 0n })
    await comeDue(before)
    expect([before.operator.handOvers.size, after.operator.handOvers.size]).toEqual([0, 0])
  })

  test('knows no key of the other: under the same key it sends anew, and each repeats its own', async () => {
    await setToken(1)
    const [sandbox, vertexsms] = [nodeOf('sandbox'), nodeOf('vertexsms')]
    const send = (node: typeof sandbox) =>
      node.sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey: 'the same' }))
    const [first, other] = [await send(sandbox), await send(vertexsms)]
    expect(other).toMatchObject({ replayed: false })
    expect(other.id).not.toBe(first.id)
    for (const [node, { id }] of [
      [sandbox, first],
      [vertexsms, other],
    ] as const)
      expect(await send(node)).toMatchObject({ id, replayed: true })
    expect([sandbox.operator.handOvers.size, vertexsms.operator.handOvers.size]).toEqual([1, 1])
  })

  test('counts its own money, and what was counted before stands when the first one is back', async () => {
    await setToken(1)
    await nodeOf('sandbox').sending.sendOne(smsCall(payer, ['37060000001']))
    await nodeOf('vertexsms').sending.sendOne(smsCall(payer, ['37060000002']))
    await setToken(2)
    await nodeOf('vertexsms').sending.sendOne(smsCall(payer, ['37060000004']))
    expect((await countOf('sandbox')).totalSpentMicros).toBe(39_000n)
    expect((await countOf('vertexsms')).totalSpentMicros).toBe(78_000n)
  })
})

describe('another token of the account', () => {
  test.each([
    ['replaced', () => setToken(2)],
    ['removed', () => setToken(2, { removed: true })],
  ] as const)('that was %s cancels what was scheduled for the one before', async (_how, change) => {
    await setToken(1)
    const node = nodeOf('vertexsms')
    const [kept, lost] = [payer, await makePayer(owner)]
    const { id } = await node.sending.sendOne(smsCall(kept, ['37060000001'], { body: inAnHour() }))
    payer = lost
    await setToken(1)
    const other = await node.sending.sendOne(smsCall(lost, ['37060000002'], { body: inAnHour() }))
    payer = kept
    await change()
    await tidy('vertexsms')
    expect(await stateOf(id)).toEqual(CANCELLED)
    // That of another account waits on, and goes.
    expect((await stateOf(other.id)).state).toBe('scheduled')
    await comeDue(node)
    await expect.poll(async () => (await stateOf(other.id)).state, { timeout: 30_000 }).toBe('accepted')
    expect([node.operator.handOvers.get(id), node.operator.handOvers.get(other.id)]).toEqual([undefined, 1])
  })

  test('does not get what comes due before anybody tidied', async () => {
    await setToken(1)
    const node = nodeOf('vertexsms')
    const { id } = await node.sending.sendOne(smsCall(payer, ['37060000001'], { body: inAnHour() }))
    await setToken(2)
    await comeDue(node)
    expect(await stateOf(id)).toEqual(CANCELLED)
    expect(node.operator.handOvers.size).toBe(0)
  })

  test('that comes between two chunks of a list gets none of the rest, which is given back and says why', async () => {
    await setToken(1)
    const node = nodeOf('vertexsms', () => setToken(2))
    const to = Array.from({ length: 10 }, (_, at) => `3706000000${at}`)
    const { answer } = await node.sending.sendList(smsCall(payer, to))
    const went = answer.messages.filter(({ status }) => status === 'sent')
    const stayed = answer.messages.filter(({ status }) => status === 'not_sent')
    expect(went.length).toBeGreaterThan(0)
    expect(node.operator.handOvers.size).toBe(went.length)
    expect(stayed.length).toBeGreaterThanOrEqual(6)
    expect(new Set(stayed.map(({ error }) => error?.code))).toEqual(new Set(['UPSTREAM_CHANGED']))
    expect(await countOf('vertexsms')).toMatchObject({
      totalHeldMicros: 0n,
      totalSpentMicros: 39_000n * BigInt(went.length),
    })
  })

  test('that comes between admission and hand-over gets nothing, and nothing is charged', async () => {
    await setToken(1)
    const node = nodeOf('vertexsms')
    const deps = { ...node.deps, at: (step: string) => (step === 'admitted' ? setToken(2) : undefined) }
    const { sending } = pathNode(db, node.operator, deps)
    await expect(sending.sendOne(smsCall(payer, ['37060000001']))).rejects.toMatchObject({ code: 'UPSTREAM_CHANGED' })
    expect(node.operator.handOvers.size).toBe(0)
    expect(await countOf('vertexsms')).toMatchObject({ totalHeldMicros: 0n, totalSpentMicros: 0n })
    await expect(node.sending.sendOne(smsCall(payer, ['37060000001']))).resolves.toMatchObject({ replayed: false })
  })

  test('does not take the quote of the one before, nor the price that was remembered for it', async () => {
    await setToken(1)
    const node = nodeOf('vertexsms')
    let asked = 0
    const operator: FakeOperator = {
      ...node.operator,
      cost: (order) => {
        asked++
        return node.operator.cost(order)
      },
    }
    const { deps, sending } = pathNode(db, operator)
    const body = { to: ['37060000001'], from: 'Tests', message: 'Hello' }
    const quote = () => quoteSms(deps, sending.prices, senderOf(payer), body)
    const { quoteId } = await quote()
    const send = () => sending.sendOne(smsCall(payer, ['37060000001'], { body: { quoteId } }))
    await send()
    expect(asked).toBe(1)
    await setToken(2)
    await expect(send()).rejects.toMatchObject({ code: 'QUOTE_EXPIRED' })
    expect(asked).toBe(2)
    expect(node.operator.handOvers.size).toBe(1)
    const anew = await quote()
    expect(anew.quoteId).not.toBe(quoteId)
  })

  test.each(['pending', 'approved'] as const)('closes what was %s for the one before, and asks anew', async (state) => {
    await setToken(1)
    const node = nodeOf('vertexsms')
    await limit(owner, payer, payer.tokenId, { askAboveMicros: 1n })
    const send = () => node.sending.sendOne(smsCall(payer, ['37060000001']))
    await expect(send()).rejects.toMatchObject({ code: 'APPROVAL_REQUIRED' })
    await owner.approval.updateMany({ where: { accountId: payer.accountId }, data: { state } })
    await setToken(2)
    await expect(send()).rejects.toMatchObject({ code: 'APPROVAL_REQUIRED' })
    await tidy('vertexsms')
    const rows = await owner.approval.findMany({
      where: { accountId: payer.accountId },
      orderBy: { generation: 'asc' },
    })
    expect(rows.map((row) => [row.generation, row.state, row.sealedText === null, row.reason])).toEqual([
      [1, 'expired', true, 'price account_changed'],
      [2, 'pending', false, 'price'],
    ])
    expect(node.operator.handOvers.size).toBe(0)
  })

  test('leaves what had run out before as it was, and ends the rest at once', async () => {
    await setToken(1)
    const node = nodeOf('vertexsms')
    await limit(owner, payer, payer.tokenId, { askAboveMicros: 1n })
    const ask = (to: string) =>
      expect(node.sending.sendOne(smsCall(payer, [to]))).rejects.toMatchObject({ code: 'APPROVAL_REQUIRED' })
    await ask('37060000001')
    const over = new Date(Date.now() - 60_000)
    await owner.approval.updateMany({ where: { accountId: payer.accountId }, data: { expiresAt: over } })
    await ask('37060000002')
    await setToken(2)
    await tidy('vertexsms')
    const rows = await owner.approval.findMany({ where: { accountId: payer.accountId }, orderBy: { createdAt: 'asc' } })
    expect(rows.map(({ state, reason }) => [state, reason])).toEqual([
      ['expired', 'price'],
      ['expired', 'price account_changed'],
    ])
    expect(rows[0]?.expiresAt).toEqual(over)
    expect(rows[1]?.expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
  })
})
