// The API is told to stop while messages are with the upstream.
import { PAUSE_RULES } from '@vertexsms/contract/pause-rules'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makeIssuer, makeSendingConnection } from './support/issuer.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { startWorld, type World } from './support/world.ts'

const TIMES = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000, answerMs: 300_000 }
const twenty = {
  to: Array.from({ length: 20 }, (_, at) => String(37060000100 + at)),
  from: 'Tests',
  message: 'Hello',
}

let world: World
let sign: Awaited<ReturnType<typeof makeIssuer>>['sign']
beforeAll(async () => {
  world = await startWorld()
  ;({ sign } = await makeIssuer(world.db, 'stop'))
})
afterEach(() => world.followDate())
afterAll(() => world?.close())

function gated() {
  const { passed, open } = makeGate()
  return { operator: fakeOperator(undefined, () => passed), open }
}

/** True once nobody can reach it any more: it has begun to stop. */
const isClosed = (url: string) =>
  fetch(url).then(
    () => false,
    () => true,
  )

const statesOf = async (accountId: string) => {
  const rows = await world.db.sendMessage.groupBy({ by: ['state'], where: { accountId }, _count: true })
  return Object.fromEntries(rows.map(({ state, _count }) => [state, _count]))
}

test('a stopping API claims nothing more, waits for what is with the upstream and settles it, and gives the rest of the list back', async () => {
  const { accountId, token } = await world.makeAccount()
  const { operator, open } = gated()
  const node = await world.startNode({}, { operator, times: TIMES })
  const answer = node.call('POST /sms/batch', { token, body: twenty })
  await eventually(async () => operator.handOvers.size === 4, 60_000)
  let stopped = false
  const closing = node.close().then(() => {
    stopped = true
  })
  await eventually(() => isClosed(node.url))
  expect([stopped, operator.handOvers.size]).toEqual([false, 4])
  open()
  const { status, body } = await answer
  expect(status).toBe(200)
  const statuses = body.messages.map(({ status: one }: { status: string }) => one).sort()
  expect(statuses).toEqual([...Array(16).fill('not_sent'), ...Array(4).fill('sent')])
  await closing
  expect(operator.handOvers.size).toBe(4)
  expect(await statesOf(accountId)).toEqual({ accepted: 4, released: 16 })
}, 120_000)

test('a list that was answered while it runs on is waited for and settled before the API is gone', async () => {
  const { accountId, token } = await world.makeAccount()
  const { operator, open } = gated()
  const node = await world.startNode({}, { operator, times: { ...TIMES, answerMs: 10 } })
  expect((await node.call('POST /sms/batch', { token, body: twenty })).status).toBe(200)
  await eventually(async () => operator.handOvers.size === 4, 60_000)
  const closing = node.close()
  await eventually(() => isClosed(node.url))
  open()
  await closing
  expect(await statesOf(accountId)).toEqual({ accepted: 4, released: 16 })
}, 120_000)

test('the rest of a scheduled send is not given back by a stopping API: another takes it up, and nobody gets it twice', async () => {
  const { accountId, token } = await world.makeAccount()
  const { operator, open } = gated()
  await world.node.close()
  const node = await world.startNode({}, { operator, times: TIMES })
  const scheduled = new Date(Date.now() + 3_600_000).toISOString()
  const { status } = await node.call('POST /sms/batch', { token, body: { ...twenty, scheduled } })
  expect(status).toBe(200)
  await world.followDate(3_601_000)
  await eventually(async () => operator.handOvers.size === 4, 60_000)
  const closing = node.close()
  await eventually(() => isClosed(node.url))
  open()
  await closing
  expect(await statesOf(accountId)).toEqual({ accepted: 4, held: 16 })
  world.node = await world.startNode({}, { operator, times: TIMES })
  await eventually(async () => (await statesOf(accountId)).accepted === 20, 60_000)
  expect([operator.handOvers.size, ...new Set(operator.handOvers.values())]).toEqual([20, 1])
}, 180_000)

/** A connection of an account of its own, and its token. */
async function connect() {
  const { accountId } = await world.makeAccount()
  return makeSendingConnection(world.db, accountId, sign)
}
const toldOf = async (spenderId: string) =>
  (await world.db.notice.findMany({ where: { spenderId } })).map(({ kind }) => kind).sort()

test('what a connection did until the API stopped is looked at before it is gone, though it was looked at a moment ago', async () => {
  const { id, token } = await connect()
  const node = await world.startNode({}, { operator: fakeOperator() })
  for (let at = 0; at < PAUSE_RULES.number_block.numbers; at += 1) {
    const body = { to: `+${37_060_000_200 + at}`, from: 'Tests', message: 'Hello' }
    expect((await node.call('POST /sms', { token, body })).status).toBe(200)
    if (at === 0) await eventually(async () => (await toldOf(id)).length > 0)
  }
  await node.close()
  expect(await toldOf(id)).toEqual(['auto_pause', 'first_send'])
})

test('what went out of a list that ends with the API is looked at before it is gone', async () => {
  const { id, token } = await connect()
  const { operator, open } = gated()
  const node = await world.startNode({}, { operator, times: TIMES })
  const answer = node.call('POST /sms/batch', { token, body: twenty })
  await eventually(async () => operator.handOvers.size === 4, 60_000)
  const closing = node.close()
  await eventually(() => isClosed(node.url))
  open()
  expect((await answer).status).toBe(200)
  await closing
  expect(await toldOf(id)).toEqual(['first_send'])
}, 120_000)
