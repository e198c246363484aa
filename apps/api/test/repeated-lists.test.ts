// The repeat of a list by its key tells of every recipient what became of him, also of those whom another call reached.
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { cancel } from '../src/sending/cancel.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { limit, makePayer, type Payer } from './support/ledger.ts'
import { pathNode, smsCall } from './support/path.ts'

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
    await db.sendMessage.updateMany({
      where: { accountId: payer.accountId },
      data: { fingerprintUntil: new Date(Date.now() - 1_000) },
    })
    const second = await sending.sendList({ ...call, allowRepeat })
    const told = ({ id, status }: { id: string | null; status: string }) => [id, status]
    expect(second.answer.messages.map(told)).toEqual(first.answer.messages.map(told))
    expect(second.answer.messages[0]).toMatchObject({ id: earlier.answer.messages[0]?.id, replayed: true })
    expect(second.answer.price).toBe(first.answer.price)
    expect(operator.recipients).toEqual([A, B])
  },
)

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
