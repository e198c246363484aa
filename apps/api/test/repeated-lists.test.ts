// The repeat of a list by its key tells of every recipient what became of him, also of those whom another call reached.
import type { Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { cancel } from '../src/sending/cancel.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'

let database: TestDatabase
let payer: Payer
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())
beforeEach(async () => {
  payer = await makePayer(database.db)
})

const [A, B, LATVIAN] = ['37060000001', '37060000002', '37120000003']
const route = '/sms/batch'
/** The two minutes in which a message counts as the same are over, and it has come to its end. */
const later = () =>
  database.db.sendMessage.updateMany({
    where: { accountId: payer.accountId },
    data: { fingerprintUntil: new Date(Date.now() - 1_000), finalAt: new Date() },
  })
const inAnHour = () => ({ scheduled: new Date(Date.now() + 3_600_000).toISOString() })

test.each([false, true])(
  'names the message of an earlier call again, and never calls its recipient not sent to (allowRepeat: %s)',
  async (allowRepeat) => {
    const { db } = database
    const operator = fakeOperator()
    const { sending } = pathNode(db, operator)
    const earlier = await sending.sendList(smsCall(payer, [A], { throughMcp: true, route }))
    const call = smsCall(payer, [A, B], { throughMcp: true, idempotencyKey: 'k' })
    const first = await sending.sendList(call)
    await later()
    const second = await sending.sendList({ ...call, allowRepeat })
    const told = ({ id, status }: { id: string | null; status: string }) => [id, status]
    expect(second.answer.messages.map(told)).toEqual(first.answer.messages.map(told))
    expect(second.answer.messages[0]).toMatchObject({ id: earlier.answer.messages[0]?.id, replayed: true })
    expect(second.answer.price).toBe(first.answer.price)
    expect(operator.recipients).toEqual([A, B])
  },
)

test.each([
  ['at once', {}, 'sent'],
  ['later', inAnHour(), 'scheduled'],
])(
  'sends %s what was let in, though it cannot be asked whom of the others an earlier call reached',
  async (_when, body, status) => {
    let isLetIn = false
    const db = database.db.$extends({
      query: {
        async $queryRaw({ args, query }) {
          if (isLetIn && /AS wanted\(fingerprint\)/.test(String(args.sql))) throw new Error('connection reset')
          const answer = await query(args)
          isLetIn ||= /INSERT INTO send_message/.test(String(args.sql)) && (await countOf()) > 0
          return answer
        },
      },
    }) as unknown as Database
    const countOf = () => database.db.sendMessage.count({ where: { accountId: payer.accountId } })
    await limit(database.db, payer, payer.tokenId, { countries: ['LT'] })
    const { sending } = pathNode(db, fakeOperator())
    const { answer } = await sending.sendList(smsCall(payer, [A, LATVIAN, B], { throughMcp: true, body }))
    expect(answer.messages.map((one) => one.status)).toEqual([status, 'failed', status])
  },
)

test('calls nothing let in where that cannot be asked and nothing was', async () => {
  const db = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        if (/AS wanted\(fingerprint\)/.test(String(args.sql))) throw new Error('connection reset')
        return query(args)
      },
    },
  }) as unknown as Database
  await limit(database.db, payer, payer.tokenId, { countries: ['LT'] })
  const { sending } = pathNode(db, fakeOperator())
  await expect(sending.sendList(smsCall(payer, [LATVIAN], { throughMcp: true, route }))).rejects.toThrow(
    'connection reset',
  )
  expect(await database.db.sendMessage.count({ where: { accountId: payer.accountId } })).toBe(0)
})

test('names the refusal of a country again, and calls its recipient not sent to once the country is allowed', async () => {
  const { db } = database
  await limit(db, payer, payer.tokenId, { countries: ['LT'] })
  const { sending } = pathNode(db, fakeOperator())
  const call = smsCall(payer, [A, LATVIAN, B], { idempotencyKey: 'k' })
  const first = await sending.sendList(call)
  const second = await sending.sendList(call)
  expect(first.answer.messages[1]).toMatchObject({ status: 'failed', error: { code: 'DESTINATION_NOT_ALLOWED' } })
  expect(second.answer.messages[1]?.error).toEqual(first.answer.messages[1]?.error)
  await limit(db, payer, payer.tokenId, { countries: ['LT', 'LV'] })
  const third = await sending.sendList(call)
  expect(third.answer.messages.map(({ status, error }) => [status, error])).toEqual([
    ['sent', null],
    ['not_sent', null],
    ['sent', null],
  ])
})

test('calls what was cancelled, and what its time went by, not sent and no failure of ours', async () => {
  const { db } = database
  const { sending } = pathNode(db, fakeOperator())
  const call = smsCall(payer, [A, B, LATVIAN], { idempotencyKey: 'k', body: inAnHour() })
  const { answer } = await sending.sendList(call)
  await cancel(db, payer.tokenId, BigInt(answer.messages[0]?.id ?? 0))
  const outcomes = async () =>
    (await sending.sendList(call)).answer.messages.map(({ status, price, error }) => [status, price, error])
  expect(await outcomes()).toEqual([
    ['not_sent', null, null],
    ['scheduled', '0.039', null],
    ['scheduled', '0.052', null],
  ])
  await db.sendMessage.updateMany({ where: { failureReason: 'cancelled' }, data: { failureReason: 'expired' } })
  expect((await outcomes())[0]).toEqual(['not_sent', null, null])
})

test('names what went out, though by now no country of it is allowed', async () => {
  const { db } = database
  const operator = fakeOperator()
  const { sending } = pathNode(db, operator)
  // More than have their very price asked for.
  const to = Array.from({ length: 11 }, (_, at) => `3706000${1_000 + at}`)
  const call = smsCall(payer, to, { idempotencyKey: 'k' })
  const first = await sending.sendList(call)
  await limit(db, payer, payer.tokenId, { countries: ['LV'] })
  expect(await sending.sendList(call)).toEqual({
    answer: { ...first.answer, messages: first.answer.messages.map((one) => ({ ...one, replayed: true })) },
    replayed: true,
  })
  expect(operator.recipients).toHaveLength(11)
})

test('is refused under the key of another list, also where nobody of it can be sent to', async () => {
  const { db } = database
  const { sending } = pathNode(db, fakeOperator())
  const unread = { to: ['1', '2'] }
  const nobody = await sending.sendList(smsCall(payer, [], { idempotencyKey: 'k', body: unread, route }))
  expect(nobody.answer.messages.map(({ status }) => status)).toEqual(['failed', 'failed'])
  await sending.sendList(smsCall(payer, [A, B], { idempotencyKey: 'k' }))
  const again = sending.sendList(smsCall(payer, [], { idempotencyKey: 'k', body: unread, route }))
  await expect(again).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})

test.each([
  ['all', [A], [A]],
  ['some', [A], [A, LATVIAN]],
])(
  'sends nothing again under the key of a call of which earlier ones had sent %s, however late, and only that request has it',
  async (_, first, asked) => {
    const { db } = database
    await limit(db, payer, payer.tokenId, { countries: ['LT'] })
    const operator = fakeOperator()
    const { sending } = pathNode(db, operator)
    await sending.sendList(smsCall(payer, first, { throughMcp: true, route }))
    const call = smsCall(payer, asked, { throughMcp: true, route, idempotencyKey: 'k' })
    const told = await sending.sendList(call)
    expect(told).toMatchObject({
      replayed: false,
      answer: {
        sendId: null,
        price: '0',
        messages: [{ status: 'sent', replayed: true }, ...asked.slice(1).map(() => ({ status: 'failed' }))],
      },
    })
    await limit(db, payer, payer.tokenId, { countries: [] })
    await later()
    const again = await sending.sendList(call)
    expect([again.replayed, again.answer.sendId, again.answer.price]).toEqual([true, null, '0'])
    expect(again.answer.messages).toMatchObject([
      told.answer.messages[0],
      ...asked.slice(1).map(() => ({ status: 'not_sent' })),
    ])
    await expect(sending.sendList({ ...call, body: { ...call.body, message: 'Another' } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
    expect(operator.recipients).toEqual([A])
    // Under another key it is a new wish by now.
    await sending.sendList({ ...call, idempotencyKey: 'other' })
    expect(operator.recipients).toEqual([A, ...asked])
  },
)

test('keeps the key of a call whose own part the operator refused for what an earlier one sent', async () => {
  const operator = fakeOperator(({ to }) => (to === B ? 'refused' : 'accepted'))
  const { sending } = pathNode(database.db, operator)
  const earlier = await sending.sendList(smsCall(payer, [A], { throughMcp: true, route }))
  const call = smsCall(payer, [A, B], { throughMcp: true, idempotencyKey: 'k' })
  const told = ({ id, status }: { id: string | null; status: string }) => [id, status]
  const expected = [
    [earlier.answer.messages[0]?.id, 'sent'],
    [expect.any(String), 'failed'],
  ]
  expect((await sending.sendList(call)).answer.messages.map(told)).toEqual(expected)
  await later()
  expect((await sending.sendList(call)).answer.messages.map(told)).toEqual(expected)
  expect(operator.recipients).toEqual([A, B])
})

test('frees the key of a call that sent nothing once what it was told of is given back', async () => {
  const { sending } = pathNode(database.db, fakeOperator())
  const changes = { throughMcp: true, route, body: inAnHour() }
  const { answer } = await sending.sendList(smsCall(payer, [A], changes))
  const call = smsCall(payer, [A], { ...changes, idempotencyKey: 'k' })
  const id = answer.messages[0]?.id
  expect((await sending.sendList(call)).answer.messages[0]).toMatchObject({ id, replayed: true })
  await cancel(database.db, payer.tokenId, BigInt(id ?? 0))
  const anew = await sending.sendList(call)
  expect(anew.answer.messages[0]).toMatchObject({ status: 'scheduled', replayed: false })
  expect(anew.answer.messages[0]?.id).not.toBe(id)
})

test('is one key, however many calls with it come together and are told of an earlier one', async () => {
  const operator = fakeOperator()
  const nodes = [pathNode(database.db, operator), pathNode(database.db, operator)]
  const { sending } = pathNode(database.db, operator)
  const { answer } = await sending.sendList(smsCall(payer, [A], { throughMcp: true, route }))
  const call = smsCall(payer, [A], { throughMcp: true, route, idempotencyKey: 'k' })
  const told = await Promise.all(nodes.flatMap((node) => Array.from({ length: 10 }, () => node.sending.sendList(call))))
  expect(new Set(told.map((one) => one.answer.messages[0]?.id))).toEqual(new Set([answer.messages[0]?.id]))
  const keys = await database.db.send.findMany({ where: { accountId: payer.accountId, keyHash: { not: null } } })
  expect(keys).toMatchObject([
    { spenderId: payer.tokenId, tokenId: payer.tokenId, connectionId: null, sealedText: null },
  ])
})

test('keeps no key for a call whose token has ended meanwhile', async () => {
  const { sending } = pathNode(database.db, fakeOperator())
  const call = smsCall(payer, [A], { throughMcp: true, route, idempotencyKey: 'k' })
  await sending.sendList({ ...call, idempotencyKey: null })
  await database.db.apiToken.deleteMany({ where: { id: payer.tokenId } })
  await expect(sending.sendList(call)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  expect(await database.db.send.count({ where: { accountId: payer.accountId } })).toBe(1)
})

test('fails where the key of a call that sent nothing cannot be kept', async () => {
  const { sending } = pathNode(database.db, fakeOperator())
  const call = smsCall(payer, [A], { throughMcp: true, route, idempotencyKey: 'k' })
  await sending.sendList({ ...call, idempotencyKey: null })
  await database.db.$executeRaw`ALTER TABLE send ADD CONSTRAINT "full" CHECK (cardinality(repeats) = 0) NOT VALID`
  try {
    await expect(sending.sendList(call)).rejects.toThrow('full')
  } finally {
    await database.db.$executeRaw`ALTER TABLE send DROP CONSTRAINT "full"`
  }
  expect((await sending.sendList(call)).answer.messages).toMatchObject([{ status: 'sent', replayed: true }])
})

test('frees the key of a call that sent nothing after its day, once what it was told of has come to its end', async () => {
  const { db } = database
  const operator = fakeOperator()
  const { sending } = pathNode(db, operator)
  const call = smsCall(payer, [A], { throughMcp: true, route, idempotencyKey: 'k' })
  await sending.sendList({ ...call, idempotencyKey: null })
  await sending.sendList(call)
  await db.send.updateMany({ where: { accountId: payer.accountId }, data: { keyUntil: new Date(Date.now() - 1_000) } })
  expect((await sending.sendList(call)).answer.messages).toMatchObject([{ replayed: true }])
  await later()
  expect((await sending.sendList(call)).answer.messages).toMatchObject([{ replayed: false }])
  expect(operator.recipients).toEqual([A, A])
})

test.each(['handed_over', 'unknown'] as const)(
  'tells a repeat of a message that an earlier call had scheduled the same as that call, also while it is %s',
  async (state) => {
    const { db } = database
    const { sending } = pathNode(db, fakeOperator(), { times: { ...PATIENT_TIMES, repeatMs: 0 } })
    const call = smsCall(payer, [A], { throughMcp: true, idempotencyKey: 'k', body: inAnHour() })
    const other = { ...call, idempotencyKey: 'other' }
    await sending.sendOne(call)
    await sending.sendOne(other)
    const leaseUntil = new Date(Date.now() + 60_000)
    await db.sendMessage.updateMany({ where: { accountId: payer.accountId }, data: { state, leaseUntil } })
    expect(await sending.sendOne(other)).toEqual(await sending.sendOne(call))
  },
)
