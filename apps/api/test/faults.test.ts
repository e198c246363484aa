// What others that hold money for an agent got wrong, each as a promise of this one.
import { randomUUID } from 'node:crypto'
import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { noonZone } from '@vertexsms/db/testing/noon'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { HandOver, SmsOrder } from '../src/upstream/upstream.ts'
import { eventually } from './support/eventually.ts'
import { pending, type ScriptedUpstream, scriptedUpstream, withUpstream } from './support/upstream.ts'
import { EDGE_SECRET, type Node, RACING, startWorld, type World } from './support/world.ts'

const PRICE = 40_000n
const REPEAT_MS = 300

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
  node = await startNode(REPEAT_MS)
  other = await startNode(REPEAT_MS)
})
afterAll(() => world.close())

/** A node that gives an equal call so long until the one before it is answered. */
function startNode(repeatMs: number): Promise<Node> {
  const times = { repeatMs, handOverMs: 300_000, leaseSlackMs: 300_000, placeMs: 300_000 }
  return world.startNode({}, withUpstream(scripted, times))
}

beforeEach(async () => {
  await world.followDate()
  scripted.orders.length = 0
  scripted.answer = async (order) => accepted(order)
  accountId = (await world.makeAccount()).accountId
  ;({ id: tokenId, token } = await world.makeToken({ accountId }))
})

const accepted = ({ messageId }: SmsOrder, priceMicros: bigint | null = PRICE): HandOver => ({
  kind: 'accepted',
  reference: `up-${messageId}`,
  parts: 1,
  priceMicros,
})
const refusedByUpstream: HandOver = { kind: 'refused', code: 'SEND_REFUSED', errorCode: 21 }
/** A price above every row of the country, as a first look would show it. */
const limit = (limits: Record<string, unknown>) =>
  world.db.spender.upsert({
    where: { id: tokenId },
    create: { id: tokenId, accountId, kind: 'token', createdAt: new Date(), ...limits },
    update: limits,
  })
const counters = async (id = tokenId) => {
  const row = await world.db.spenderCount.findFirst({ where: { spenderId: id } })
  return { spent: row?.totalSpentMicros ?? 0n, held: row?.totalHeldMicros ?? 0n, handedOver: row?.handedOver ?? 0 }
}
let numbers = 0
const send = (options: { key?: string; to?: string; on?: Node; mcp?: boolean } = {}) =>
  (options.on ?? node).call('POST /sms', {
    token,
    body: { to: options.to ?? `3706000${String(++numbers).padStart(4, '0')}`, from: 'Tests', message: 'Hello' },
    headers: {
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
      ...(options.mcp ? { [EDGE_SECRET_HEADER]: EDGE_SECRET, [CLIENT_ADDRESS_HEADER]: '127.0.0.1' } : {}),
    },
  })
/** What is held for one message here: the dearest row of the country. */
const hold = async () => (await scripted.upstream.dearestRateMicros(accountId, 'LT')) ?? 0n
const orderCame = (count = 1) => eventually(async () => (scripted.orders.length >= count ? true : undefined))

describe('a cap', () => {
  test('is counted where it is checked: sends that come together on two nodes do not pass it together', async () => {
    const one = await hold()
    scripted.answer = async (order) => accepted(order, one)
    await world.db.account.update({ where: { id: accountId }, data: { timeZone: noonZone() } })
    await limit({ maxPerDayMicros: one * 3n })
    const answers = await Promise.all(Array.from({ length: 16 }, (_, at) => send({ on: at % 2 ? node : other })))
    const sent = answers.filter(({ status }) => status === 200)
    expect(sent.length).toBe(3)
    expect(scripted.orders.length).toBe(3)
    for (const { status, body } of answers.filter((answer) => !sent.includes(answer))) {
      expect([status, body.code]).toEqual([403, 'SPEND_CAP_REACHED'])
    }
    expect(await counters()).toEqual({ spent: one * 3n, held: 0n, handedOver: 0 })
  })

  test('counts what is only held: while one send is under way the next finds no room', async () => {
    const answer = pending<HandOver>()
    scripted.answer = () => answer.promise
    await limit({ maxTotalMicros: await hold() })
    const first = send()
    await orderCame()
    const second = await send({ on: other })
    expect(second.body).toMatchObject({ code: 'SPEND_CAP_REACHED', details: { limit: 'total' } })
    answer.resolve(accepted(scripted.orders[0] as SmsOrder))
    expect((await first).status).toBe(200)
  })

  test('records a charge above it in full, and stops the next send', async () => {
    const one = await hold()
    scripted.answer = async (order) => accepted(order, one * 5n)
    await limit({ maxTotalMicros: one * 2n })
    expect((await send()).status).toBe(200)
    expect(await counters()).toEqual({ spent: one * 5n, held: 0n, handedOver: 0 })
    const entries = await world.db.activity.findMany({ where: { spenderId: tokenId } })
    expect(entries.map(({ amountMicros }) => amountMicros)).toEqual([one * 5n])
    expect((await send()).body).toMatchObject({ code: 'SPEND_CAP_REACHED' })
    expect(scripted.orders.length).toBe(1)
  })
})

describe('a hold', () => {
  test('is taken once for twenty calls with one key that come together, and one message goes out', async () => {
    const key = randomUUID()
    const to = '37061112233'
    const patient = [await startNode(60_000), await startNode(60_000)]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => send({ key, to, on: patient[at % 2] ?? node })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ body }) => body[0])).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null).length).toBe(1)
    expect(scripted.orders.length).toBe(1)
    expect(await counters()).toEqual({ spent: PRICE, held: 0n, handedOver: 0 })
  })

  test.each([
    ['breaks', async (): Promise<HandOver> => Promise.reject(new Error('ECONNRESET'))],
    ['says nothing certain', async (): Promise<HandOver> => ({ kind: 'unknown' })],
  ])('is not given back when the upstream %s after the message was handed over', async (_how, answer) => {
    scripted.answer = answer
    const one = await hold()
    const { status, body } = await send()
    expect([status, body.code]).toEqual([500, 'SEND_OUTCOME_UNKNOWN'])
    expect(body.details.ids).toEqual([String(scripted.orders[0]?.messageId)])
    expect(await counters()).toEqual({ spent: 0n, held: one, handedOver: 0 })
  })

  test('is given back, on the account too, when the upstream says that it did nothing', async () => {
    scripted.answer = async () => refusedByUpstream
    expect((await send()).body).toMatchObject({ code: 'SEND_REFUSED', error_code: 21 })
    for (const id of [tokenId, accountId]) expect(await counters(id)).toEqual({ spent: 0n, held: 0n, handedOver: 0 })
  })

  test('of a caller that hung up is settled all the same, and its repeat finds what was sent', async () => {
    const answer = pending<HandOver>()
    scripted.answer = () => answer.promise
    const [key, to] = [randomUUID(), '37061112244']
    const hangUp = new AbortController()
    const call = fetch(`${node.url}/sms`, {
      method: 'POST',
      signal: hangUp.signal,
      headers: { 'x-vertexsms-token': token, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ to, from: 'Tests', message: 'Hello' }),
    })
    await orderCame()
    hangUp.abort()
    await expect(call).rejects.toThrow()
    answer.resolve(accepted(scripted.orders[0] as SmsOrder))
    await eventually(async () => ((await counters()).spent === PRICE ? true : undefined))
    const repeated = await send({ key, to })
    expect(repeated.body).toEqual([String(scripted.orders[0]?.messageId)])
    expect(scripted.orders.length).toBe(1)
  })

  test('whose answer came after the sweep had given up is charged, not lost', async () => {
    const answer = pending<HandOver>()
    scripted.answer = () => answer.promise
    const first = send()
    await orderCame()
    await world.followDate(601_000)
    const id = scripted.orders[0]?.messageId ?? 0n
    await eventually(async () => {
      const row = await world.db.sendMessage.findUniqueOrThrow({ where: { id } })
      return row.state === 'unknown' ? row : undefined
    })
    expect((await counters()).held).toBe(await hold())
    answer.resolve(accepted(scripted.orders[0] as SmsOrder))
    expect((await first).status).toBe(200)
    expect(await counters()).toEqual({ spent: PRICE, held: 0n, handedOver: 0 })
  })
})

describe('a repeat', () => {
  test('of a send whose outcome is unknown is never a second send, with a key and without, and says what it is', async () => {
    scripted.answer = async () => ({ kind: 'unknown' })
    const [key, to] = [randomUUID(), '37061112255']
    const first = await send({ key, to })
    scripted.answer = async (order) => accepted(order)
    const again = await send({ key, to })
    expect(again.body).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', details: first.body.details })
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect(scripted.orders.length).toBe(1)

    scripted.answer = async () => ({ kind: 'unknown' })
    const bare = { to: '37061112266', mcp: true }
    await send(bare)
    scripted.answer = async (order) => accepted(order)
    const told = await send(bare)
    expect([told.body.code, told.headers.get('idempotency-replayed')]).toEqual(['SEND_OUTCOME_UNKNOWN', 'true'])
    expect(scripted.orders.length).toBe(2)
  })

  test('after a refusal that is certain is a new send: the key and the number are free again', async () => {
    scripted.answer = async () => refusedByUpstream
    const [key, to] = [randomUUID(), '37061112277']
    expect((await send({ key, to, mcp: true })).body).toMatchObject({ code: 'SEND_REFUSED' })
    scripted.answer = async (order) => accepted(order)
    const again = await send({ key, to, mcp: true })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, null])
    expect(scripted.orders.length).toBe(2)
    expect(await counters()).toEqual({ spent: PRICE, held: 0n, handedOver: 0 })
  })

  test('of an unknown send goes out once its owner has said that it was not sent', async () => {
    scripted.answer = async () => ({ kind: 'unknown' })
    const [key, to] = [randomUUID(), '37061112288']
    await send({ key, to })
    const id = scripted.orders[0]?.messageId ?? 0n
    await world.db.sendMessage.update({ where: { id }, data: { notSentAt: new Date() } })
    await eventually(async () => ((await counters()).held === 0n ? true : undefined))
    scripted.answer = async (order) => accepted(order)
    expect((await send({ key, to })).status).toBe(200)
    expect(scripted.orders.length).toBe(2)
  })

  test('of an unknown send stays the first one once its owner has said that it was sent, which closes it as charged', async () => {
    scripted.answer = async () => ({ kind: 'unknown' })
    const [key, to] = [randomUUID(), '37061112244']
    await send({ key, to })
    const id = scripted.orders[0]?.messageId ?? 0n
    const { held } = await counters()
    expect(held).toBeGreaterThan(0n)
    await world.db.sendMessage.update({ where: { id }, data: { wasSentAt: new Date() } })
    await eventually(async () => ((await counters()).held === 0n ? true : undefined))
    expect(await counters()).toEqual({ spent: held, held: 0n, handedOver: 0 })
    const row = await world.db.sendMessage.findUniqueOrThrow({ where: { id } })
    expect(row).toMatchObject({ state: 'accepted', chargedMicros: held, finalAt: expect.any(Date) })
    scripted.answer = async (order) => accepted(order)
    const again = await send({ key, to })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    expect(scripted.orders.length).toBe(1)
  })

  test('while the first is under way is told to wait, not that the service is down', async () => {
    const answer = pending<HandOver>()
    scripted.answer = () => answer.promise
    const [key, to] = [randomUUID(), '37061112299']
    const first = send({ key, to })
    await orderCame()
    const early = await send({ key, to, on: other })
    expect([early.status, early.body.code]).toEqual([409, 'SEND_IN_PROGRESS'])
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0)
    answer.resolve(accepted(scripted.orders[0] as SmsOrder))
    expect((await first).status).toBe(200)
    expect((await send({ key, to })).headers.get('idempotency-replayed')).toBe('true')
    expect(scripted.orders.length).toBe(1)
  })

  test('with another request under the same key is refused, and the first stays as it was', async () => {
    const key = randomUUID()
    expect((await send({ key, to: '37061112200' })).status).toBe(200)
    const reused = await send({ key, to: '37061112211' })
    expect([reused.status, reused.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
    expect(scripted.orders.length).toBe(1)
  })
})
