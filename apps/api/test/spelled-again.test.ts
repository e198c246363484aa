// A call that is repeated with its key is the same however it is spelled: what was read decides, not what was written.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { digestPayload } from '../src/sending/repeat.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makePayer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { startWorld, type World } from './support/world.ts'

const DAY_MS = 86_400_000
const DAY = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10)

const FIRST = {
  to: '37060000001',
  from: 'Tests',
  message: 'Hello',
  scheduled: `${DAY}T12:00:00Z`,
  expireIn: 3600,
  maxPrice: '1',
}

let world: World
let token: string
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())
beforeEach(async () => {
  token = (await world.makeAccount()).token
})

const ROUTES = ['POST /sms', 'POST /sms/batch'] as const

async function ask(route: (typeof ROUTES)[number], key: string, changes: Record<string, unknown>) {
  const { to, ...body } = { ...FIRST, ...changes }
  const whole = { ...body, to: route === 'POST /sms' ? to : [to, '+37060000002'] }
  const {
    status,
    headers,
    body: told,
  } = await world.node.call(route, {
    token,
    body: whole,
    headers: { 'idempotency-key': key },
  })
  const ids = Array.isArray(told) ? told : told.messages?.map(({ id }: { id: string }) => id)
  return { status, code: told.code, ids, isReplayed: headers.get('idempotency-replayed') === 'true' }
}

test.each([
  ['its number', { to: '+370 600 00001' }],
  ['its number, as it is dialled at home', { to: '(0-600) 00001', correctBy: 'LT' }],
  ['its time', { scheduled: `${DAY}T14:00+02:00` }],
  ['its sender', { from: ' Tests ' }],
  ['the most that it may cost', { maxPrice: 1 }],
  ['its expiry', { expireIn: '3600' }],
  ['what is so by itself', { priority: 'normal', coding: 0, dlrUrl: null }],
])('a repeat is told the first in another spelling of %s', async (_what, spelled) => {
  for (const route of ROUTES) {
    const key = randomUUID()
    const first = await ask(route, key, {})
    expect([first.status, first.isReplayed]).toEqual([200, false])
    expect(await ask(route, key, spelled)).toEqual({ ...first, isReplayed: true })
  }
})

test.each([
  ['number', { to: '37060000003' }],
  ['sender', { from: 'Others' }],
  ['text', { message: 'Hello ' }],
  ['time', { scheduled: `${DAY}T12:00:01Z` }],
  ['expiry', { expireIn: 3601 }],
  ['ceiling', { maxPrice: '1.01' }],
  ['priority', { priority: 'high' }],
  ['coding', { coding: 2 }],
  ['test mode', { testMode: '1' }],
  ['URL', { dlrUrl: 'https://example.com/x' }],
])('a repeat with another %s is another request', async (_what, changes) => {
  for (const route of ROUTES) {
    const key = randomUUID()
    expect((await ask(route, key, {})).status).toBe(200)
    const { status, code } = await ask(route, key, changes)
    expect([status, code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
  }
})

test('a repeat whose digits are a number in one of the two countries alone is another request', async () => {
  const [readable, unread] = [{ correctBy: 'LT' }, { correctBy: 'US' }]
  for (const [first, second] of [
    [readable, unread],
    [unread, readable],
  ] as const) {
    const key = randomUUID()
    expect((await ask('POST /sms/batch', key, first)).status).toBe(200)
    expect(await ask('POST /sms/batch', key, first)).toMatchObject({ status: 200, isReplayed: true })
    const { status, code } = await ask('POST /sms/batch', key, second)
    expect([status, code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
  }
})

test('a repeat of what the version before let in is known by what was written', async () => {
  const { deps, sending } = pathNode(world.db, fakeOperator())
  const payer = await makePayer(world.db)
  const { tokenId: spenderId } = payer
  const call = smsCall(payer, ['+37060000001'], { idempotencyKey: randomUUID() })
  const { id } = await sending.sendOne(call)
  const scope = { spenderId, upstream: deps.operator.name, route: call.route }
  const payloadDigest = digestPayload(deps.keys.idempotency, scope, call.body)
  await world.db.send.updateMany({ where: { spenderId }, data: { payloadDigest } })
  expect(await sending.sendOne(call)).toMatchObject({ id, replayed: true })
  const other = { ...call, body: { ...call.body, message: 'Another' } }
  await expect(sending.sendOne(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})
