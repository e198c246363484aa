// Faults that others shipped, each against the path of every send.
import { randomUUID } from 'node:crypto'
import type { Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { admit } from '../src/ledger/admit.ts'
import { settle } from '../src/ledger/settle.ts'
import { daysAround } from '../src/limits/days.ts'
import { cancel } from '../src/sending/cancel.ts'
import { idle } from '../src/sending/hand-over.ts'
import { createReportDoor } from '../src/sending/reports.ts'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { type ServiceDatabase, serviceDatabase } from './support/database.ts'
import { fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { admission, admitted, countOf, limit, makePayer, message, type Payer } from './support/ledger.ts'
import { dying, mortally, pathNode, smsCall } from './support/path.ts'
import { PATIENT_TIMES } from './support/patience.ts'
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

const sweep = async () => {
  const job = createSweepJob(db, 'sandbox', 1_000)
  while ((await turn(job)) > 0);
}
const numbers = (count: number) => Array.from({ length: count }, (_, at) => `3706000${String(at).padStart(4, '0')}`)
const statesOf = async (accountId: string) => {
  const rows = await owner.sendMessage.groupBy({ by: ['state'], where: { accountId }, _count: true })
  return Object.fromEntries(rows.map(({ state, _count }) => [state, _count]))
}

test('20 parallel calls with one key are one hand-over, and all are told the same message', async () => {
  const operator = fakeOperator()
  const nodes = [pathNode(db, operator), pathNode(db, operator)]
  const idempotencyKey = randomUUID()
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      pathNode(db, operator, {
        places: nodes[at % 2]?.deps.places ?? { take: async () => () => {} },
      }).sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey })),
    ),
  )
  expect(new Set(results.map(({ id }) => id)).size).toBe(1)
  expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
  expect([...operator.handOvers.values()]).toEqual([1])
})

test('a key with another request is refused, and one whose call is under way asks to come again', async () => {
  const { passed, open: go } = makeGate()
  const operator = fakeOperator(undefined, () => passed)
  const { sending } = pathNode(db, operator, { times: { ...PATIENT_TIMES, repeatMs: 50 } })
  const idempotencyKey = randomUUID()
  const first = sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey }))
  await expect.poll(() => operator.handOvers.size).toBe(1)
  await expect(sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey }))).rejects.toMatchObject({
    code: 'SEND_IN_PROGRESS',
    headers: { 'retry-after': '2' },
  })
  await expect(sending.sendOne(smsCall(payer, ['37060000002'], { idempotencyKey }))).rejects.toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  })
  go()
  const { id } = await first
  expect(await sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey }))).toMatchObject({
    id,
    replayed: true,
  })
})

test('a repeat whose limits were used up by the first is told the first, and a scheduled one after its time, too', async () => {
  const { sending } = pathNode(db, fakeOperator())
  await limit(owner, payer, payer.tokenId, { maxTotalMicros: 39_000n })
  const idempotencyKey = randomUUID()
  const { id } = await sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey }))
  await expect(sending.sendOne(smsCall(payer, ['37060000001']))).rejects.toMatchObject({ code: 'SPEND_CAP_REACHED' })
  expect((await sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey }))).id).toBe(id)
  const other = await makePayer(owner)
  const body = { scheduled: new Date(Date.now() + 60_000).toISOString() }
  const key = randomUUID()
  const scheduled = await sending.sendOne(smsCall(other, ['37060000001'], { idempotencyKey: key, body }))
  const later = () => new Date(Date.now() + 120_000)
  const again = await sending.sendOne(smsCall(other, ['37060000001'], { idempotencyKey: key, body, now: later }))
  expect(again).toMatchObject({ id: scheduled.id, replayed: true })
  await expect(sending.sendOne(smsCall(other, ['37060000001'], { body, now: later }))).rejects.toMatchObject({
    reason: 'scheduled_in_the_past',
  })
})

test('through MCP [A,B] tried again as [B] sends nothing, as [B,C] only C, and over REST without a key both are sent', async () => {
  const operator = fakeOperator()
  const { sending } = pathNode(db, operator)
  const [a = '', b = '', c = ''] = numbers(3)
  const first = await sending.sendList(smsCall(payer, [a, b], { throughMcp: true }))
  expect(first.answer.messages.map(({ status, replayed }) => [status, replayed])).toEqual([
    ['sent', false],
    ['sent', false],
  ])
  const route = '/sms/batch'
  const second = await sending.sendList(smsCall(payer, [b], { throughMcp: true, route }))
  expect(second.answer).toMatchObject({
    sendId: null,
    price: '0',
    messages: [{ id: first.answer.messages[1]?.id, replayed: true, status: 'sent' }],
  })
  const third = await sending.sendList(smsCall(payer, [b, c], { throughMcp: true }))
  expect(third.answer.messages.map(({ replayed }) => replayed)).toEqual([true, false])
  expect(operator.recipients.sort()).toEqual([a, b, c])
  await sending.sendList(smsCall(payer, [b, c]))
  expect(operator.recipients).toHaveLength(5)
  const fresh = { throughMcp: true, allowRepeat: true, route }
  await expect(sending.sendList(smsCall(payer, [b], fresh))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await sending.sendList(smsCall(payer, [b], { ...fresh, idempotencyKey: randomUUID() }))
  expect(operator.recipients).toHaveLength(6)
})

test('through MCP a list is let in without whom an earlier call reached, so that only the rest counts against a limit, and a repeat is told what it sent', async () => {
  const operator = fakeOperator()
  const { sending } = pathNode(db, operator)
  const [a = '', b = '', c = ''] = numbers(3)
  await limit(owner, payer, payer.tokenId, { maxTotalMicros: 78_000n })
  const list = (to: string[]) => sending.sendList(smsCall(payer, to, { throughMcp: true, route: '/sms/batch' }))
  const first = await list([a])
  const second = await list([a, b])
  expect(second.answer.messages.map(({ id, replayed }) => [id, replayed])).toEqual([
    [first.answer.messages[0]?.id, true],
    [second.answer.messages[1]?.id, false],
  ])
  expect((await list([b, a])).answer.messages.map(({ status, replayed }) => [status, replayed])).toEqual([
    ['sent', true],
    ['sent', true],
  ])
  await expect(list([a, c])).rejects.toMatchObject({ code: 'SPEND_CAP_REACHED' })
  await limit(owner, payer, payer.tokenId, { countries: ['LV'] })
  const narrowed = await list([a, c])
  expect(narrowed.answer.messages.map(({ status, replayed, error }) => [status, replayed, error?.code])).toEqual([
    ['sent', true, undefined],
    ['failed', false, 'DESTINATION_NOT_ALLOWED'],
  ])
  await limit(owner, payer, payer.tokenId, { countries: [], pausedAt: new Date() })
  expect((await list([a])).answer.messages.map(({ status, replayed }) => [status, replayed])).toEqual([['sent', true]])
  await expect(list([c])).rejects.toMatchObject({ code: 'CONNECTION_PAUSED' })
  expect(operator.recipients).toEqual([a, b])
})

test('spellings of one number are one message, and a recipient that is refused fails alone', async () => {
  const operator = fakeOperator()
  await limit(owner, payer, payer.tokenId, { countries: ['LT'] })
  const { answer } = await pathNode(db, operator).sending.sendList(
    smsCall(payer, ['+370 600 00001', '0037060000001', '+37120000001', 'nobody', '37060000002']),
  )
  expect(answer.messages.map(({ status, duplicateOf, error }) => [status, duplicateOf, error?.code ?? null])).toEqual([
    ['sent', null, null],
    ['sent', 0, null],
    ['failed', null, 'DESTINATION_NOT_ALLOWED'],
    ['failed', null, 'SEND_REFUSED'],
    ['sent', null, null],
  ])
  expect(operator.recipients.sort()).toEqual(['37060000001', '37060000002'])
  expect(answer.price).toBe('0.078')
})

test('a stalled node that wakes after the sweep hands nothing over: not what it claimed, nor the rest of its list', async () => {
  const operator = fakeOperator()
  const { passed: stalled, open: wake } = makeGate()
  let stalls = true
  const times = { ...PATIENT_TIMES, leaseSlackMs: 0, runnerMs: 1_000, answerMs: 600_000 }
  const { sending } = pathNode(db, operator, {
    at: (step) => (step === 'claimed' && stalls ? stalled : undefined),
    times,
  })
  const sent = sending.sendList(smsCall(payer, numbers(12)))
  await expect.poll(async () => (await statesOf(payer.accountId)).handed_over).toBe(4)
  await database.followDate(3_600_000)
  await sweep()
  expect(await statesOf(payer.accountId)).toEqual({ unknown: 4, released: 8 })
  stalls = false
  wake()
  const { answer } = await sent
  expect(operator.recipients).toEqual([])
  expect(new Set(answer.messages.map(({ status }) => status))).toEqual(new Set(['not_sent']))
  expect(await countOf(owner, payer.accountId)).toMatchObject({
    totalHeldMicros: 0n,
    totalSpentMicros: 0n,
    handedOver: 0,
  })
})

test('a process that is killed after 37 of 100 leaves 37 sent, the few in flight unknown, and gives the rest back', async () => {
  let handed = 0
  const operator = fakeOperator()
  const { sending } = pathNode(db, operator, { at: dying })
  const dies = mortally(
    (step) => {
      if (step === 'handed') handed += 4
      return handed > 37
    },
    () => sending.sendList(smsCall(payer, numbers(100))),
  )
  await expect(dies).rejects.toThrow('died')
  await database.followDate(3_600_000)
  await sweep()
  expect(await statesOf(payer.accountId)).toEqual({ accepted: 36, unknown: 4, released: 60 })
  expect(operator.handOvers.size).toBe(40)
  expect(await countOf(owner, payer.accountId)).toMatchObject({
    totalSpentMicros: 36n * 39_000n,
    totalHeldMicros: 4n * 39_000n,
    handedOver: 0,
  })
  // Another node goes on with nothing of it.
  await sweep()
  expect(operator.handOvers.size).toBe(40)
})

test('a report that comes before the settle, and one for what was given back, are both counted once', async () => {
  const door = createReportDoor(
    db,
    () => operator,
    () => {},
  )
  const operator = fakeOperator(undefined, ({ messageId }) =>
    door.delivery({ messageId, status: 1, error: 0, mcc: '246', mnc: '01' }),
  )
  const { sending } = pathNode(db, operator)
  const { id } = await sending.sendOne(smsCall(payer, ['37060000001']))
  expect(await owner.sendMessage.findUniqueOrThrow({ where: { id } })).toMatchObject({
    state: 'accepted',
    delivery: 1,
    chargedMicros: 39_000n,
  })
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 39_000n, totalHeldMicros: 0n })
  await settle(db, [{ messageId: id, outcome: 'released', failure: 'SEND_REFUSED' }])
  await door.delivery({ messageId: id, status: 1, error: 0, mcc: '246', mnc: '01' })
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 39_000n, totalHeldMicros: 0n })
})

test('twins that take the same rows in opposite order both end, and everybody gets one message', async () => {
  const operator = fakeOperator()
  const { sending } = pathNode(db, operator)
  const to = numbers(20)
  const lists = [to, to.toReversed(), to, to.toReversed()]
  const results = await Promise.all(
    lists.map((list) => sending.sendList(smsCall(payer, list, { throughMcp: true, route: '/sms/batch' }))),
  )
  for (const { answer } of results) expect(new Set(answer.messages.map(({ id }) => id)).size).toBe(20)
  expect(new Set(operator.recipients).size).toBe(20)
  expect(operator.recipients).toHaveLength(20)
})

test('a pause in the middle of a list stops the rest of it, which reads as not sent', async () => {
  let sent = 0
  const operator = fakeOperator(undefined, async () => {
    if (++sent === 8) await limit(owner, payer, payer.tokenId, { pausedAt: new Date() })
  })
  const { answer } = await pathNode(db, operator).sending.sendList(smsCall(payer, numbers(20)))
  expect(answer.messages.filter(({ status }) => status === 'sent')).toHaveLength(8)
  const rest = answer.messages.filter(({ status }) => status === 'not_sent')
  expect([rest.length, new Set(rest.map(({ error }) => error?.code))]).toEqual([12, new Set(['CONNECTION_PAUSED'])])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 0n, dayRecipients: 8 })
})

test('a limit that is lowered in the middle of a list takes nothing back of it, and refuses what comes next', async () => {
  await limit(owner, payer, payer.tokenId, { maxPerDayMicros: 5_000_000n })
  let sent = 0
  const operator = fakeOperator(undefined, async () => {
    if (++sent === 4) await limit(owner, payer, payer.tokenId, { maxPerDayMicros: 1n })
  })
  const { sending } = pathNode(db, operator)
  const { answer } = await sending.sendList(smsCall(payer, numbers(20)))
  expect(answer.messages.map(({ status }) => status)).toEqual(Array(20).fill('sent'))
  const counted = await countOf(owner, payer.tokenId)
  await expect(sending.sendOne(smsCall(payer, ['37060000099']))).rejects.toMatchObject({ code: 'SPEND_CAP_REACHED' })
  expect(operator.recipients).toHaveLength(20)
  expect([counted, await countOf(owner, payer.tokenId)]).toEqual([
    expect.objectContaining({ totalHeldMicros: 0n, dayRecipients: 20 }),
    counted,
  ])
})

test('a long list is answered in time, its rest reads queued and goes on', async () => {
  const { passed, open: go } = makeGate()
  const operator = fakeOperator(undefined, () => passed)
  const { sending } = pathNode(db, operator, { times: { ...PATIENT_TIMES, answerMs: 300 } })
  const { answer } = await sending.sendList(smsCall(payer, numbers(10)))
  expect(new Set(answer.messages.map(({ status }) => status))).toEqual(new Set(['queued']))
  expect(answer.messages.every(({ id }) => id !== null)).toBe(true)
  go()
  await expect.poll(async () => (await statesOf(payer.accountId)).accepted, { timeout: 30_000 }).toBe(10)
})

test.each([
  ['looks at it first', [2, 24], [1, 0]],
  ['goes on with what it saw before', [1, 0], [2, 24]],
] as const)('error 24 beside a report that it arrived, which %s, gives nothing back', async (_which, quick, slow) => {
  const accepted = async () => ({ kind: 'accepted', reference: 'r', parts: 1, priceMicros: null }) as const
  const { sending } = pathNode(db, { ...fakeOperator(), send: accepted })
  const { id } = await sending.sendOne(smsCall(payer, ['37060000001']))
  const told = ([status, error]: readonly [number, number]) => ({ messageId: id, status, error })
  const unseen = { mcc: null, mnc: null }
  const door = (networkRateMicros: () => Promise<bigint>) =>
    createReportDoor(
      db,
      () => ({ ...fakeOperator(), networkRateMicros }),
      () => {},
    )
  const quickly = door(async () => 39_000n)
  // The slow one has looked at the message when it asks for the rate of the network.
  const slowly = door(async () => {
    await quickly.delivery({ ...told(quick), ...unseen })
    return 39_000n
  })
  await slowly.delivery({ ...told(slow), mcc: '246', mnc: '01' })
  const row = await owner.sendMessage.findUniqueOrThrow({ where: { id } })
  expect([row.state, row.chargedMicros]).toEqual(['accepted', 39_000n])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 39_000n, dayRecipients: 1 })
})

test.each([
  ['a message', 1],
  ['a list', 11],
])(
  '%s that a report gave back before the answer took it without a price costs what was held for it',
  async (_of, count) => {
    const operator = fakeOperator()
    const door = createReportDoor(
      db,
      () => operator,
      () => {},
    )
    const { deps, sending } = pathNode(db, {
      ...operator,
      async send({ messageId }) {
        await owner.sendMessage.update({ where: { id: messageId }, data: { leaseUntil: new Date(0) } })
        await door.delivery({ messageId, status: 2, error: 21, mcc: null, mnc: null })
        return { kind: 'accepted', reference: `r${messageId}`, parts: 1, priceMicros: null }
      },
    })
    const call = smsCall(payer, numbers(count))
    await (count === 1 ? sending.sendOne(call) : sending.sendList(call))
    await idle(deps)
    expect(await statesOf(payer.accountId)).toEqual({ accepted: count })
    expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalSpentMicros: 39_000n * BigInt(count) })
  },
)

test('what was not handed over yet of a list that has begun is cancelled, and its money given back', async () => {
  const { passed, open: go } = makeGate()
  const operator = fakeOperator(undefined, () => passed)
  const { sending } = pathNode(db, operator, { times: { ...PATIENT_TIMES, answerMs: 300 } })
  const { answer } = await sending.sendList(smsCall(payer, numbers(10)))
  const [first, last] = [answer.messages.at(0), answer.messages.at(-1)]
  await expect.poll(async () => (await statesOf(payer.accountId)).handed_over, { timeout: 30_000 }).toBe(4)
  for (const _ of ['once', 'again']) await cancel(db, payer.tokenId, BigInt(last?.id ?? 0))
  const late = cancel(db, payer.tokenId, BigInt(first?.id ?? 0))
  await expect(late).rejects.toMatchObject({ code: 'ALREADY_HANDED_OVER' })
  go()
  await expect.poll(() => statesOf(payer.accountId), { timeout: 30_000 }).toEqual({ accepted: 9, released: 1 })
  expect(operator.recipients).not.toContain(last?.to)
  expect(await countOf(owner, payer.tokenId)).toMatchObject({
    totalHeldMicros: 0n,
    totalSpentMicros: 9n * 39_000n,
    dayRecipients: 9,
  })
})

test('the time that prices take is of the time after which a list is answered', async () => {
  let later = 0
  const clock = performance.now.bind(performance)
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock() + later)
  const { passed, open: go } = makeGate()
  const operator = fakeOperator(undefined, () => passed)
  const cost: typeof operator.cost = async (order) => {
    later = PATIENT_TIMES.answerMs
    return operator.cost(order)
  }
  const { deps, sending } = pathNode(db, { ...operator, cost })
  const { answer } = await sending.sendList(smsCall(payer, numbers(10)))
  now.mockRestore()
  expect(new Set(answer.messages.map(({ status }) => status))).toEqual(new Set(['queued']))
  go()
  await idle(deps)
  expect(await statesOf(payer.accountId)).toEqual({ accepted: 10 })
})

test('a node that stops claims nothing more and gives back the rest of its list', async () => {
  const operator = fakeOperator(undefined, () => node.sending.stop())
  const node = pathNode(db, operator)
  const { answer } = await node.sending.sendList(smsCall(payer, numbers(20)))
  const statuses = answer.messages.map(({ status }) => status).sort()
  expect(statuses).toEqual([...Array(16).fill('not_sent'), ...Array(4).fill('sent')])
  expect(await countOf(owner, payer.accountId)).toMatchObject({ totalHeldMicros: 0n, handedOver: 0 })
})

test('an outcome that is unknown is told with its ids, stays held, and is given back when the owner says it was not sent', async () => {
  const operator = fakeOperator(() => 'lost')
  const { sending } = pathNode(db, operator)
  const idempotencyKey = randomUUID()
  const error = await sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey })).catch((caught) => caught)
  expect(error).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', details: { ids: [expect.stringMatching(/^\d{18}$/)] } })
  await expect(sending.sendOne(smsCall(payer, ['37060000001'], { idempotencyKey }))).rejects.toMatchObject({
    code: 'SEND_OUTCOME_UNKNOWN',
    details: error.details,
  })
  expect(operator.handOvers.size).toBe(1)
  const id = BigInt(error.details.ids[0])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 39_000n })
  await owner.sendMessage.update({ where: { id }, data: { notSentAt: new Date() } })
  await sweep()
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 0n, totalSpentMicros: 0n })
})

test('of more than one statement moves, what was not sent is given back, however old it is', async () => {
  const one = message(1_000n)
  expect((await admitted(db, payer, [one])).kind).toBe('admitted')
  const { accountId } = payer
  const { result: _, ...row } = await owner.sendMessage.findFirstOrThrow({ where: { accountId } })
  const free = { ...row, holdMicros: 0n, leaseUntil: null, state: 'unknown', notSentAt: new Date() } as const
  await owner.sendMessage.createMany({ data: Array.from({ length: 149 }, () => ({ ...free, id: message(0n).id })) })
  await owner.sendMessage.update({ where: { id: one.id }, data: { notSentAt: new Date() } })
  await database.followDate(5 * 86_400_000)
  await sweep()
  const states = await owner.sendMessage.groupBy({ by: ['state'], where: { accountId }, _count: true })
  expect(states).toEqual([{ state: 'released', _count: 150 }])
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 0n, totalSpentMicros: 0n })
})

test('an unknown that nobody tells of is charged after four days, and not before', async () => {
  const { sending } = pathNode(
    db,
    fakeOperator(() => 'lost'),
  )
  await sending.sendOne(smsCall(payer, ['37060000001'])).catch(() => {})
  await database.followDate(4 * 86_400_000 - 60_000)
  await sweep()
  expect(await statesOf(payer.accountId)).toEqual({ unknown: 1 })
  await database.followDate(4 * 86_400_000 + 60_000)
  await sweep()
  expect(await statesOf(payer.accountId)).toEqual({ accepted: 1 })
  expect(await countOf(owner, payer.tokenId)).toMatchObject({ totalHeldMicros: 0n, totalSpentMicros: 39_000n })
})

test('midnight begins a new day for all nodes, a clock that goes back does not bring the old one back', async () => {
  const midnight = new Date('2026-12-02T00:00:00Z').getTime()
  const at = (offsetMs: number) => database.followDate(midnight + offsetMs - Date.now())
  const send = async (zone: string | null = null) => {
    const [row] = await owner.$queryRaw<{ now: Date }[]>`SELECT database_now() AS now`
    const days = daysAround(row?.now ?? new Date(), zone)
    const one = await admission(db, payer, [message(60_000n)], { how: 'at_once' })
    return (await admit(db, { ...one, ledger: { ...one.ledger, days } })).kind
  }
  await at(-5_000)
  await limit(owner, payer, payer.tokenId, { maxPerDayMicros: 100_000n })
  expect(await send()).toBe('admitted')
  expect(await send()).toBe('refused')
  await at(1_000)
  expect(await send()).toBe('admitted')
  await at(-5_000)
  expect(await send()).toBe('refused')
  // A change of zone counts from its next midnight: not at once, though another day has begun there.
  expect(await send('Pacific/Kiritimati')).toBe('refused')
  await at(86_400_000 + 1_000)
  expect(await send('Pacific/Kiritimati')).toBe('admitted')
  // What was taken yesterday is given back to the total alone.
  const old = await owner.sendMessage.findFirstOrThrow({
    where: { accountId: payer.accountId },
    orderBy: { createdAt: 'asc' },
  })
  const before = await countOf(owner, payer.tokenId)
  await settle(db, [{ messageId: old.id, outcome: 'released', failure: 'SEND_REFUSED' }])
  const after = await countOf(owner, payer.tokenId)
  expect([after.dayHeldMicros, after.totalHeldMicros]).toEqual([before.dayHeldMicros, before.totalHeldMicros - 60_000n])
})

test('a day that loses or gains an hour is one day', async () => {
  for (const [before, after] of [
    ['2027-03-27T22:30:00Z', '2027-03-28T20:30:00Z'],
    ['2027-10-30T21:30:00Z', '2027-10-31T21:30:00Z'],
  ] as const) {
    const one = await makePayer(owner)
    await limit(owner, one, one.tokenId, { maxPerDayMicros: 100_000n })
    const send = async (moment: string) => {
      await database.followDate(new Date(moment).getTime() - Date.now())
      const next = await admission(db, one, [message(60_000n)])
      return (
        await admit(db, { ...next, ledger: { ...next.ledger, days: daysAround(new Date(moment), 'Europe/Vilnius') } })
      ).kind
    }
    expect(await send(before)).toBe('admitted')
    expect(await send(after)).toBe('refused')
  }
})

test('a scheduled send is judged on the day it goes, and a refusal then is final', async () => {
  const operator = fakeOperator()
  const node = pathNode(db, operator)
  const schedule = createScheduleJob(node.deps, node.sending, 1_000)
  const run = () => turn(schedule)
  const other = await makePayer(owner)
  const body = { scheduled: new Date(Date.now() + 3_600_000).toISOString() }
  const kept = await node.sending.sendOne(smsCall(payer, ['37060000001'], { body }))
  const stopped = await node.sending.sendOne(smsCall(other, ['37060000002'], { body }))
  expect(await countOf(owner, payer.tokenId)).toMatchObject({
    dayHeldMicros: 0n,
    totalHeldMicros: 39_000n,
    scheduled: 1,
  })
  await run()
  expect(operator.handOvers.has(kept.id)).toBe(false)
  await limit(owner, other, other.tokenId, { countries: ['LV'] })
  await database.followDate(3_700_000)
  await run()
  await expect.poll(async () => (await statesOf(payer.accountId)).accepted, { timeout: 30_000 }).toBe(1)
  expect(operator.handOvers.get(kept.id)).toBe(1)
  expect(await countOf(owner, payer.tokenId)).toMatchObject({
    daySpentMicros: 39_000n,
    totalHeldMicros: 0n,
    scheduled: 0,
  })
  expect(await owner.sendMessage.findUniqueOrThrow({ where: { id: stopped.id } })).toMatchObject({
    state: 'released',
    failure: 'DESTINATION_NOT_ALLOWED',
  })
  expect((await owner.send.findFirstOrThrow({ where: { messages: { some: { id: kept.id } } } })).sealedText).toBeNull()
  await limit(owner, other, other.tokenId, { countries: [] })
  await run()
  expect([operator.handOvers.get(kept.id), operator.handOvers.get(stopped.id)]).toEqual([1, undefined])
})
