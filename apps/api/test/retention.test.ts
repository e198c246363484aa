// How long what was sent is kept, and with how much of its number.
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { idle } from '../src/sending/hand-over.ts'
import { sendOther } from '../src/sending/other.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { readLookup } from '../src/sending/rows.ts'
import { createRetentionJob, createSweepJob } from '../src/sending/sweep.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { makePayer, type Payer } from './support/ledger.ts'
import { pathNode, senderOf, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'

const ACCEPTED = { kind: 'accepted', reference: '1', parts: null, priceMicros: null } as const
const RESULT = {
  error: '0',
  imsi: null,
  country: 'LT',
  operatorId: null,
  operator: null,
  mcc: null,
  mnc: null,
  ported: [],
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

let database: ServiceDatabase
let owner: Database
let db: Database
let payer: Payer
beforeAll(async () => {
  database = await serviceDatabase(4)
  owner = database.owner
  db = database.db
})
afterAll(() => database?.close())
/** How far the database's clock was moved on. */
let aheadMs: number
beforeEach(async () => {
  await database.followDate()
  aheadMs = 0
  payer = await makePayer(owner)
})

const keep = async (forMs: number) => {
  aheadMs = forMs
  await database.followDate(aheadMs)
  while ((await turn(createRetentionJob(db))) > 0);
}
const send = async () => {
  const operator = fakeOperator()
  const { id } = await pathNode(db, operator).sending.sendOne(smsCall(payer, ['37060000123'], { throughMcp: true }))
  return {
    id,
    door: createReportDoor(
      db,
      () => operator,
      () => {},
    ),
  }
}
const rowOf = (id: bigint) => owner.sendMessage.findUniqueOrThrow({ where: { id } })

test('a message that was reported shrinks to its country and last three digits thirty days later, and not before', async () => {
  const { id, door } = await send()
  await door.delivery({ messageId: id, status: 1, error: 0, mcc: '246', mnc: '01' })
  await keep(30 * DAY_MS - MINUTE_MS)
  expect((await rowOf(id)).recipient).toBe('37060000123')
  await keep(30 * DAY_MS + MINUTE_MS)
  expect(await rowOf(id)).toMatchObject({ recipient: '123', country: 'LT', fingerprint: null, chargedMicros: 39_000n })
})

test('the URL that takes reports, which may tell the number, goes with the last number of its send', async () => {
  const dlrUrl = 'https://customer.example/reports/37060000123'
  const { sending } = pathNode(db, fakeOperator())
  await sending.sendList(smsCall(payer, ['37060000123', '37060000124'], { body: { dlrUrl } }))
  const sent = await owner.sendMessage.findMany({ where: { accountId: payer.accountId }, orderBy: { position: 'asc' } })
  const [one = 0n, other = 0n] = sent.map(({ id }) => id)
  const urlOf = async () => (await owner.send.findFirstOrThrow({ where: { messages: { some: { id: one } } } })).dlrUrl
  const now = Date.now()
  await owner.sendMessage.updateMany({ where: { id: { in: [one, other] } }, data: { finalAt: new Date(now) } })
  await owner.sendMessage.update({ where: { id: other }, data: { finalAt: new Date(now + DAY_MS) } })
  await keep(30 * DAY_MS + MINUTE_MS)
  expect([(await rowOf(one)).recipient, (await rowOf(other)).recipient, await urlOf()]).toEqual([
    '123',
    '37060000124',
    dlrUrl,
  ])
  await keep(31 * DAY_MS + MINUTE_MS)
  expect([(await rowOf(other)).recipient, await urlOf()]).toEqual(['124', null])
})

test('a message of which nobody reports is final after four days, and shrinks thirty days after that', async () => {
  const { id } = await send()
  await keep(4 * DAY_MS - MINUTE_MS)
  expect((await rowOf(id)).finalAt).toBeNull()
  await keep(4 * DAY_MS + MINUTE_MS)
  expect((await rowOf(id)).finalAt).not.toBeNull()
  await keep(34 * DAY_MS - MINUTE_MS)
  expect((await rowOf(id)).recipient).toBe('37060000123')
  await keep(34 * DAY_MS + 2 * MINUTE_MS)
  expect((await rowOf(id)).recipient).toBe('123')
})

/** A lookup that the operator has accepted, and what it tells of it later. */
async function lookUp() {
  const { deps } = pathNode(db, { ...fakeOperator(), hlr: async () => ACCEPTED })
  const sender = senderOf(payer)
  const call = { sender, kind: 'hlr', route: '/hlr', number: '+37060000123', idempotencyKey: null } as const
  const id = BigInt((await sendOther(deps, { ...call, throughMcp: false, allowRepeat: false })).id)
  const door = createReportDoor(
    db,
    () => deps.operator,
    () => {},
  )
  const tell = (error: string) => door.lookup({ messageId: id, result: { ...RESULT, error, imsi: '246010000000001' } })
  return { id, sender, tell }
}

test('a lookup is told as long as its result is kept, and then as none, not as one that waits', async () => {
  const { id, sender, tell } = await lookUp()
  const read = async () => (await readLookup(db, sender, id))?.status
  expect(await read()).toMatchObject({ status: 'pending' })
  await tell('0')
  await keep(30 * DAY_MS - MINUTE_MS)
  expect(await read()).toMatchObject({ status: 'done', msisdn: '37060000123' })
  await keep(30 * DAY_MS + MINUTE_MS)
  await expect(read()).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a first result that comes once the number is not kept any more is not kept, and gives nothing back after that', async () => {
  const { id, tell } = await lookUp()
  await keep(4 * DAY_MS + MINUTE_MS)
  await keep(34 * DAY_MS + 2 * MINUTE_MS)
  for (const error of ['0', '24']) {
    await tell(error)
    const { chargedMicros, ...kept } = await rowOf(id)
    expect([kept.recipient, kept.state, kept.result, chargedMicros]).toEqual(['123', 'accepted', {}, 5_000n])
  }
})

test.each(['0', '24'])(
  'a result that is told again once it is not kept any more is not kept, and with %s gives nothing back',
  async (error) => {
    const { id, sender, tell } = await lookUp()
    await tell('0')
    const { chargedMicros } = await rowOf(id)
    expect(chargedMicros).toBe(5_000n)
    await keep(30 * DAY_MS + MINUTE_MS)
    await tell(error)
    expect(await rowOf(id)).toMatchObject({ state: 'accepted', chargedMicros, recipient: '123', result: {} })
    await expect(readLookup(db, sender, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  },
)

/** Registers a number under one key, at an operator that gives this id, late or at once, or does not answer. */
function registration(id: string | null, answer: Promise<void> | undefined = undefined) {
  const asked = { times: 0 }
  const { deps } = pathNode(db, fakeOperator(), {
    times: answer === undefined ? PATIENT_TIMES : { ...PATIENT_TIMES, handOverMs: 500 },
    async registerNumber() {
      asked.times += 1
      await answer
      if (id === null) throw new Error('connection reset')
      return id
    },
  })
  const sender = senderOf(payer, () => new Date(Date.now() + aheadMs))
  const call = { sender, kind: 'msisdn', route: '/senderId', number: '+37060000123' } as const
  const register = () =>
    sendOther(deps, { ...call, idempotencyKey: 'k', throughMcp: false, allowRepeat: false }).then(
      ({ id }) => id,
      (error: { code: string }) => error.code,
    )
  return { deps, register, asked }
}

test.each([
  ['for a day', '1', '1', 2],
  ['for longer while its outcome is not known', null, 'SEND_OUTCOME_UNKNOWN', 1],
])('a key of the registration of a number is kept %s', async (_how, id, next, times) => {
  const { register, asked } = registration(id)
  await register()
  await keep(DAY_MS + MINUTE_MS)
  expect([await register(), asked]).toEqual([next, { times }])
})

test('a key of the registration of a number is kept for a day, too, where its answer came late', async () => {
  const { passed, open } = makeGate()
  const { deps, register, asked } = registration('1', passed)
  expect(await register()).toBe('SEND_OUTCOME_UNKNOWN')
  open()
  await idle(deps)
  expect([await register(), asked]).toEqual(['1', { times: 1 }])
  await keep(DAY_MS + MINUTE_MS)
  expect([await register(), asked]).toEqual(['1', { times: 2 }])
})

test('a registration whose owner says that it was sent has no id to tell all the same', async () => {
  const { register, asked } = registration(null)
  await register()
  await owner.sendMessage.updateMany({ where: { accountId: payer.accountId }, data: { wasSentAt: new Date() } })
  await turn(createSweepJob(db, 'sandbox', 1_000))
  const row = await owner.sendMessage.findFirstOrThrow({ where: { accountId: payer.accountId } })
  expect([row.state, await register(), asked]).toEqual(['accepted', 'SEND_OUTCOME_UNKNOWN', { times: 1 }])
})

test('activity and sends are kept for 13 months, and the counters and limits of who lives for ever', async () => {
  const { id, door } = await send()
  await door.delivery({ messageId: id, status: 1, error: 0, mcc: '246', mnc: '01' })
  const { spenderId, accountId } = await rowOf(id)
  const kept = async () => [
    await owner.activity.count({ where: { accountId } }),
    await owner.send.count({ where: { accountId } }),
    await owner.sendMessage.count({ where: { accountId } }),
    await owner.spenderCount.count({ where: { spenderId } }),
  ]
  await keep(394 * DAY_MS)
  expect(await kept()).toEqual([1, 1, 1, 1])
  await keep(400 * DAY_MS)
  expect(await kept()).toEqual([0, 0, 0, 1])
})
