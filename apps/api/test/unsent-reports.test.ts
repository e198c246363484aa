// What is told of a message that was given an id and then did not go out: by its status, and at its caller's URL.
import type { Database } from '@vertexsms/db/client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { statusAnswer } from '../src/sending/answers.ts'
import { idle } from '../src/sending/hand-over.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { messageOf } from '../src/sending/rows.ts'
import { eventually } from './support/eventually.ts'
import { type Fate, fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makePayer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { startReceiver } from './support/receiver.ts'
import { startWorld, type World } from './support/world.ts'

const HOUR_MS = 3_600_000
const FILTERED = '447700900021'
const sms = { to: '37060000001', from: 'Tests', message: 'Hello' }
const UNPLACED = { mcc: '', mnc: '' }

let world: World
let receiver: Awaited<ReturnType<typeof startReceiver>>
let account: Awaited<ReturnType<World['makeAccount']>>
beforeAll(async () => {
  receiver = await startReceiver()
  world = await startWorld()
})
afterEach(() => world.followDate())
afterAll(async () => {
  await world?.close()
  await receiver.close()
})
beforeEach(async () => {
  account = await world.makeAccount()
})

const ask = (request: string, body?: unknown) => world.node.call(request, { token: account.token, body })
const inAnHour = () => new Date(Date.now() + HOUR_MS).toISOString()
const postsOf = (id: string) => receiver.posts.filter(({ body }) => body.id === id).map(({ body }) => body)
const posted = (id: string) => eventually(async () => postsOf(id)[0])
const statusOf = async (id: string) => (await ask(`GET /sms/status/${id}`)).body

async function schedule(members: Record<string, unknown>): Promise<string> {
  const { status, body } = await ask('POST /sms', { ...sms, dlrUrl: `${receiver.url}/x`, ...members })
  expect(status).toBe(200)
  return body[0]
}

test('a scheduled message that is refused at its time is reported with the code of the refusal', async () => {
  const id = await schedule({ to: FILTERED, scheduled: inAnHour() })
  expect(await statusOf(id)).toEqual({ id, status: null, error: null, state: 'scheduled' })
  await world.followDate(HOUR_MS)
  expect(await posted(id)).toEqual({ id, status: 2, error: 21, ...UNPLACED })
  expect(await statusOf(id)).toEqual({ id, status: 2, error: 21, state: 'failed' })
})

test('a scheduled message that a limit refuses at its time is reported without a code of the network', async () => {
  const id = await schedule({ scheduled: inAnHour() })
  await world.db.spender.updateMany({ where: { accountId: account.accountId }, data: { maxPerDayMicros: 0n } })
  await world.followDate(HOUR_MS)
  expect(await posted(id)).toEqual({ id, status: 2, error: 999, ...UNPLACED })
  expect(await statusOf(id)).toEqual({ id, status: 2, error: null, state: 'failed' })
})

test('a scheduled message whose time went by is reported as expired', async () => {
  const id = await schedule({ scheduled: inAnHour(), expireIn: 360 })
  await world.followDate(2 * HOUR_MS)
  expect(await posted(id)).toEqual({ id, status: 16, error: 2, ...UNPLACED })
  expect(await statusOf(id)).toEqual({ id, status: 16, error: 2, state: 'expired' })
})

test('of a list each message that failed is reported as well as those that went out', async () => {
  const body = { ...sms, to: [FILTERED, '37060000002'], dlrUrl: `${receiver.url}/x` }
  const [failed, sent] = (await ask('POST /sms/batch', body)).body.messages
  expect(await posted(failed.id)).toEqual({ id: failed.id, status: 2, error: 21, ...UNPLACED })
  expect(await posted(sent.id)).toMatchObject({ id: sent.id, status: 1, error: 0 })
  expect(postsOf(failed.id)).toHaveLength(1)
})

test('what a pause kept back of a list is reported as failed, as its status tells it', async () => {
  const { accountId, token } = account
  let handed = 0
  const operator = fakeOperator(undefined, async () => {
    if (++handed < 4) return
    await world.db.spender.updateMany({ where: { accountId }, data: { pausedAt: new Date() } })
  })
  const node = await world.startNode({}, { operator })
  const to = ['37060000001', '37060000002', '37060000003', '37060000004', '37060000005']
  const { body } = await node.call('POST /sms/batch', { token, body: { ...sms, to, dlrUrl: `${receiver.url}/x` } })
  await node.close()
  const { id, status, error } = body.messages[4]
  expect([status, error.code]).toEqual(['not_sent', 'CONNECTION_PAUSED'])
  expect(await posted(id)).toEqual({ id, status: 2, error: 999, ...UNPLACED })
  expect(await statusOf(id)).toEqual({ id, status: 2, error: null, state: 'failed' })
})

test('nothing is reported of what its caller cancelled, nor of a message that its answer refused', async () => {
  const id = await schedule({ scheduled: inAnHour() })
  expect((await ask(`DELETE /sms/${id}`)).status).toBe(204)
  expect((await ask('POST /sms', { ...sms, to: FILTERED, dlrUrl: `${receiver.url}/x` })).status).toBe(400)
  expect(await statusOf(id)).toEqual({ id, status: null, error: null, state: 'cancelled' })
  expect(await world.db.callback.count({ where: { accountId: account.accountId } })).toBe(0)
})

/** Sends under an operator who does not answer in time; what is owed for it once `then` has happened. */
async function owedFor(fate: Fate, then: (id: bigint, answer: () => void) => Promise<void> | void) {
  const { passed, open: answer } = makeGate()
  const operator = fakeOperator(
    () => fate,
    () => passed,
  )
  const { sending } = pathNode(world.db, operator, { times: { ...PATIENT_TIMES, handOverMs: 50 } })
  const payer = await makePayer(world.db)
  const call = smsCall(payer, ['37060000001'], { body: { dlrUrl: `${receiver.url}/x` } })
  await expect(sending.sendOne(call)).rejects.toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' })
  const [id = 0n] = operator.handOvers.keys()
  expect(await world.db.callback.count({ where: { accountId: payer.accountId } })).toBe(0)
  await then(id, answer)
  await eventually(async () => (await world.db.sendMessage.findUniqueOrThrow({ where: { id } })).state === 'released')
  answer()
  const owed = await world.db.callback.findMany({ where: { accountId: payer.accountId } })
  return owed.map(({ body }) => ({ ...(body as object), id: String((body as { id: string }).id === String(id)) }))
}

test('a message whose outcome was not known is reported once its refusal comes late', async () => {
  expect(await owedFor('refused', (_id, answer) => answer())).toEqual([
    { id: 'true', status: 2, error: 21, ...UNPLACED },
  ])
})

test('a message of which its owner says that it was not sent is reported as failed, as its status tells it', async () => {
  let told: unknown
  const owed = await owedFor('lost', async (id) => {
    await world.db.sendMessage.update({ where: { id }, data: { notSentAt: new Date() } })
    told = eventually(async () => {
      const row = await world.db.sendMessage.findUniqueOrThrow({ where: { id } })
      const shown = await messageOf(world.db, row.spenderId, id)
      return row.state === 'released' && shown ? statusAnswer(shown) : undefined
    })
  })
  expect(owed).toEqual([{ id: 'true', status: 2, error: 999, ...UNPLACED }])
  expect(await told).toMatchObject({ status: 2, error: null, state: 'failed' })
})

test('a message that a report gives back is reported once, as the report has it', async () => {
  const told = { status: 2, error: 21, mcc: '246', mnc: '03' }
  const { operator } = pathNode(world.db, fakeOperator()).deps
  const door = createReportDoor(
    world.db,
    () => operator,
    () => {},
  )
  expect(await owedFor('lost', (messageId) => door.delivery({ messageId, ...told }))).toEqual([{ id: 'true', ...told }])
})

test.each([
  ['before its refusal is reported, for its caller has its id', 20, [{ status: 2, error: 21 }]],
  ['with its refusal is not reported', 60_000, []],
] as const)('a list of one that is answered %s', async (_when, answerMs, owed) => {
  const { passed, open: answer } = makeGate()
  const operator = fakeOperator(
    () => 'refused',
    () => passed,
  )
  const { deps, sending } = pathNode(world.db, operator, { times: { ...PATIENT_TIMES, answerMs } })
  const payer = await makePayer(world.db)
  const asking = sending.sendList(smsCall(payer, ['37060000001'], { body: { dlrUrl: `${receiver.url}/x` } }))
  if (owed.length === 0) answer()
  const given = await asking.then(
    ({ answer: { messages } }) => messages[0]?.status,
    (error: { code: string }) => error.code,
  )
  expect(given).toBe(owed.length === 0 ? 'SEND_REFUSED' : 'queued')
  answer()
  await idle(deps)
  const posts = await world.db.callback.findMany({ where: { accountId: payer.accountId } })
  expect(posts.map(({ body }) => body)).toMatchObject(owed)
  expect(posts).toHaveLength(owed.length)
})

test.each([
  ['that no repeat was told is not reported', null, []],
  ['that its repeat was told is reported', 'k', [{ status: 2, error: 21 }]],
] as const)(
  'a refusal that is written down only after its lease, under an id %s',
  async (_what, idempotencyKey, owed) => {
    let isAway = true
    const db = world.db.$extends({
      query: {
        async $queryRaw({ args, query }) {
          if (isAway && String(args.sql).includes('WITH told AS')) throw new Error('connection reset')
          return query(args)
        },
      },
    }) as unknown as Database
    const { deps, sending } = pathNode(
      db,
      fakeOperator(() => 'refused'),
    )
    const payer = await makePayer(world.db)
    const call = smsCall(payer, ['37060000001'], { idempotencyKey, body: { dlrUrl: `${receiver.url}/x` } })
    const codeOf = () => sending.sendOne(call).catch((error: { code: string }) => error.code)
    expect(await codeOf()).toBe('SEND_REFUSED')
    const { accountId } = payer
    await world.db.sendMessage.updateMany({ where: { accountId }, data: { leaseUntil: new Date(0) } })
    const stateOf = async () => (await world.db.sendMessage.findFirstOrThrow({ where: { accountId } })).state
    await eventually(async () => (await stateOf()) === 'unknown')
    if (idempotencyKey !== null) expect(await codeOf()).toBe('SEND_OUTCOME_UNKNOWN')
    isAway = false
    await idle(deps)
    expect(await stateOf()).toBe('released')
    const posts = await world.db.callback.findMany({ where: { accountId } })
    expect(posts.map(({ body }) => body)).toMatchObject(owed)
    expect(posts).toHaveLength(owed.length)
  },
)
