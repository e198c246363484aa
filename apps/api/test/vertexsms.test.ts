// The forwarder to the real operator, against the stand-in: what each of his answers comes to, for the caller and in the
// ledger.
import { randomUUID } from 'node:crypto'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fault } from './stand-in/stand-in.ts'
import { eventually } from './support/eventually.ts'
import { standStill } from './support/stand-still.ts'
import { giveToken, startVertexWorld, UPSTREAM_TOKEN, type VertexWorld } from './support/vertex.ts'
import { waitingForLock } from './support/waiting.ts'

let vertex: VertexWorld
let accountId: string
let token: string
beforeAll(async () => {
  vertex = await startVertexWorld()
})
afterAll(() => vertex?.close())
beforeEach(async () => {
  ;({ accountId, token } = await vertex.makeAccount())
  vertex.standIn.behaviour.outcomes = {}
  vertex.standIn.behaviour.reportAfterMs = 20
})

const LT = '37060000001'
const sms = { to: LT, from: 'Tests', message: 'Hello' }
const call = (request: string, body?: unknown, headers: Record<string, string> = {}) =>
  vertex.world.node.call(request, { token, body, headers })
const rowsOf = () => vertex.world.db.sendMessage.findMany({ where: { accountId } })
const countsOf = () =>
  vertex.world.db.spenderCount.findFirstOrThrow({ where: { spenderId: accountId, upstream: 'vertexsms' } })
const handOvers = () => vertex.standIn.accepted.filter((one) => one.body.message === sms.message)
const limit = (limits: Record<string, unknown>) =>
  vertex.world.db.spender.upsert({
    where: { id: accountId },
    create: { id: accountId, accountId, kind: 'account', createdAt: new Date(), ...limits },
    update: limits,
  })

test('a message goes out with the account’s token, under our id, and is charged and delivered', async () => {
  const { status, body, headers } = await call('POST /sms', {
    ...sms,
    to: '+370 600 00001',
    from: 'A-b_c&d#e!',
    priority: 'high',
    expireIn: 600,
    dlrUrl: 'https://customer.example/reports',
  })
  expect([status, headers.get('x-vertexsms-amount-sent')]).toEqual([200, '1'])
  const [id] = body
  const sent = vertex.standIn.accepted.at(-1)
  expect(sent?.token).toBe(UPSTREAM_TOKEN)
  expect(sent?.id).not.toBe(id)
  expect(sent?.body).toEqual({
    to: LT,
    from: 'A-b_c&d#e!',
    message: 'Hello',
    priority: 'high',
    expireIn: 600,
    dlrUrl: expect.stringMatching(new RegExp(`/reports/sms/${id}/[\\w-]{22}$`)),
  })
  await eventually(async () => (await call(`GET /sms/status/${id}`)).body.state === 'delivered')
  const [row] = await rowsOf()
  // The card's dearest row was held; the report named the network that it went to.
  expect(row).toMatchObject({ state: 'accepted', chargedMicros: 39_000n, holdMicros: 0n, delivery: 1, mccmnc: '24602' })
  expect((await countsOf()).totalSpentMicros).toBe(39_000n)
  const owed = await vertex.world.db.callback.findMany({ where: { accountId } })
  expect(owed.map(({ url, body: told }) => [url, told])).toEqual([
    ['https://customer.example/reports', { id, status: 1, error: 0, mcc: '246', mnc: '02' }],
  ])
})

test('a named coding, a user data header and a test mode are written as the operator takes them', async () => {
  const udh = '%05%00%03%CC%02%01'
  expect((await call('POST /sms', { ...sms, coding: 0, udh, testMode: 1 })).status).toBe(200)
  expect(vertex.standIn.accepted.at(-1)?.body).toMatchObject({ coding: 0, udh, testMode: 1 })
  // On a real account a test counts as paid.
  expect((await rowsOf())[0]?.chargedMicros).toBeGreaterThan(0n)
  expect((await call('POST /sms', sms)).status).toBe(200)
  expect(vertex.standIn.accepted.at(-1)?.body).not.toHaveProperty('coding')
})

/** What the operator does, what the caller reads, where the money is, how many messages he accepted. */
const ANSWERS: readonly [title: string, fault: Fault, status: number, code: string, state: string, orders: number][] = [
  ['400', { kind: 'status', status: 400 }, 400, 'SEND_REFUSED', 'released', 0],
  ['401', { kind: 'status', status: 401 }, 502, 'UPSTREAM_ACCOUNT_REFUSED', 'released', 0],
  ['403', { kind: 'status', status: 403 }, 502, 'UPSTREAM_ACCOUNT_REFUSED', 'released', 0],
  ['404', { kind: 'status', status: 404 }, 502, 'UPSTREAM_ANSWER_WRONG', 'released', 0],
  ['405', { kind: 'status', status: 405 }, 502, 'UPSTREAM_ANSWER_WRONG', 'released', 0],
  ['429', { kind: 'status', status: 429 }, 429, 'RATE_LIMITED', 'released', 0],
  ['409', { kind: 'status', status: 409 }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 0],
  ['500', { kind: 'status', status: 500 }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 0],
  ['503', { kind: 'status', status: 503 }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 0],
  ['a redirect', { kind: 'redirect' }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 0],
  ['a reset before it was accepted', { kind: 'reset_before' }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 0],
  ['a reset after it was accepted', { kind: 'reset_after' }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['garbage', { kind: 'garbage' }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['half an answer', { kind: 'half' }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['no id', { kind: 'body', body: [] }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['two ids', { kind: 'body', body: ['1', '2'] }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['an id that is none', { kind: 'body', body: ['<b>'] }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['a word in place of an id', { kind: 'body', body: 'error' }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['a zero in place of an id', { kind: 'body', body: [0] }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['an error with success', { kind: 'body', body: { message: 'No' } }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
  ['an answer without an end', { kind: 'body', body: 'x'.repeat(200_000) }, 500, 'SEND_OUTCOME_UNKNOWN', 'unknown', 1],
]

test.each(ANSWERS)(
  '%s to a message is told and settled for what it is',
  async (_title, fault, status, code, state, orders) => {
    vertex.standIn.behaviour.reportAfterMs = null
    const before = handOvers().length
    vertex.standIn.fault({ route: 'POST /sms', ...fault })
    const headers = { 'idempotency-key': randomUUID() }
    const answer = await call('POST /sms', sms, headers)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(status === 429).toBe(answer.headers.get('retry-after') !== null)
    const [row] = await rowsOf()
    expect(row?.state).toBe(state)
    await eventually(async () => handOvers().length - before === orders)
    // An unknown one stays held; one that was given back costs nothing.
    const { totalHeldMicros, totalSpentMicros, handedOver } = await countsOf()
    expect([totalHeldMicros > 0n, totalSpentMicros, handedOver]).toEqual([state === 'unknown', 0n, 0])
    // Its repeat is told the same of what may be out, and goes anew where nothing was done.
    const again = await call('POST /sms', sms, headers)
    expect(again.status).toBe(state === 'unknown' ? 500 : 200)
    expect(handOvers().length - before).toBe(state === 'unknown' ? orders : 1)
    expect(JSON.stringify([answer.body, again.body])).not.toContain(UPSTREAM_TOKEN)
  },
)

test('no answer in time leaves the outcome unknown, and what comes late is taken up', async () => {
  vertex.standIn.behaviour.reportAfterMs = null
  const node = await vertex.world.startNode({ API_PORT: '0', VERTEXSMS_SEND_TIMEOUT_MS: '300' })
  const before = handOvers().length
  vertex.standIn.fault({ route: 'POST /sms', kind: 'slow', ms: 2_000 })
  const answer = await node.call('POST /sms', { token, body: sms })
  expect([answer.status, answer.body.code]).toEqual([500, 'SEND_OUTCOME_UNKNOWN'])
  expect((await rowsOf())[0]?.state).toBe('unknown')
  // It went out all the same: its report says so, and it is charged.
  const order = await eventually(async () => handOvers()[before])
  expect(await vertex.standIn.report(order, { id: order.id, status: 1, error: 0 })).toEqual({ status: 200, body: 'OK' })
  const [row] = await rowsOf()
  expect(row).toMatchObject({ state: 'accepted', delivery: 1, holdMicros: 0n })
  expect(row?.chargedMicros).toBeGreaterThan(0n)
})

test('an answer that waits to be read is one, though the node stood still until after its time', async () => {
  const node = await vertex.world.startNode({ API_PORT: '0', VERTEXSMS_SEND_TIMEOUT_MS: '1000' })
  vertex.standIn.behaviour.chance = (route) => {
    // The operator stands still with it: once they go on, the end of the time and the answer come in one turn.
    if (route === 'POST /sms') standStill(1_100)
    return undefined
  }
  try {
    expect((await node.call('POST /sms', { token, body: sms })).status).toBe(200)
  } finally {
    vertex.standIn.behaviour.chance = null
  }
  expect(await rowsOf()).toMatchObject([{ state: 'accepted', holdMicros: 0n }])
})

test.each([
  ['POST /sms', 'from', 'sender_refused'],
  ['POST /sms', 'to', 'recipient_refused'],
  ['POST /sms', 'message', 'message_refused'],
])('a refusal of %s that names %s says so in our words', async (route, field, reason) => {
  const body = { message: `Invalid value for field '${field}'. canary-of-their-words` }
  vertex.standIn.fault({ route, kind: 'status', status: 400, body })
  const answer = await call('POST /sms', sms)
  expect(answer.body).toMatchObject({ code: 'SEND_REFUSED', details: { reason } })
  expect(JSON.stringify(answer.body)).not.toContain('canary')
})

test('a list to an operator that takes one message at a time goes out at that pace, each message once', async () => {
  vertex.standIn.behaviour.paceMs = 60
  const message = `At a pace ${randomUUID()}`
  const to = Array.from({ length: 9 }, (_, at) => `3706000010${at}`)
  const beganMs = performance.now()
  const { status, body } = await call('POST /sms/batch', { ...sms, to, message }).finally(() => {
    vertex.standIn.behaviour.paceMs = null
  })
  // They did wait their turns: the ninth came eight paces after the first, but for what clocks round.
  expect(performance.now() - beganMs).toBeGreaterThan(7 * 60)
  expect([status, body.messages.map((one: { status: string }) => one.status)]).toEqual([200, Array(9).fill('sent')])
  const accepted = vertex.standIn.accepted.filter((one) => one.body.message === message)
  expect(accepted.map((one) => one.to).sort()).toEqual(to)
})

test('plain text and other statuses of success are read', async () => {
  for (const [status, body] of [
    [200, '1281532560'],
    [202, ['1281532561']],
    [201, 1281532562],
  ] as const) {
    vertex.standIn.fault({ route: 'POST /sms', kind: 'body', status, body })
    expect((await call('POST /sms', sms)).status).toBe(200)
  }
})

test.each(['[123456789012345678]', '123456789012345678', ' [ "123456789012345678" ] '])(
  'an id that no JSON number holds is read by its digits: %s',
  async (body) => {
    vertex.standIn.behaviour.reportAfterMs = null
    vertex.standIn.fault({ route: 'POST /sms', kind: 'body', body })
    expect((await call('POST /sms', sms)).status).toBe(200)
    expect((await rowsOf())[0]?.reference).toBe('123456789012345678')
  },
)

describe('more parts than were counted', () => {
  beforeEach(() => {
    vertex.standIn.behaviour.reportAfterMs = null
    vertex.standIn.behaviour.parts = 3
  })
  afterEach(() => {
    vertex.standIn.behaviour.parts = null
  })

  test('are told, charged by what was held, above the limit too, and by the rate of the report once', async () => {
    await limit({ maxPerDayMicros: 50_000n })
    const { status, headers } = await call('POST /sms', sms)
    expect([status, headers.get('x-vertexsms-amount-sent')]).toEqual([200, '3'])
    expect((await rowsOf())[0]).toMatchObject({ parts: 3, chargedMicros: 135_000n, holdMicros: 0n })
    const order = handOvers().at(-1)
    if (order === undefined) throw new Error('nothing was handed over')
    for (let times = 0; times < 2; times++) {
      await vertex.standIn.report(order, { status: 1, error: 0, mcc: '246', mnc: '01' })
      expect((await countsOf()).totalSpentMicros).toBe(105_000n)
    }
    expect((await call('POST /sms', sms)).body.code).toBe('SPEND_CAP_REACHED')
  })

  test('are charged at the price of each that was told', async () => {
    await call('POST /sms', { ...sms, maxPrice: 1 })
    expect((await rowsOf())[0]).toMatchObject({ parts: 3, chargedMicros: 117_000n })
  })

  test('of a list are charged each, and an answer that comes after its report charges the rest', async () => {
    const { body } = await call('POST /sms/batch', {
      ...sms,
      to: Array.from({ length: 11 }, (_, at) => `370600001${at + 10}`),
    })
    expect(body.messages.map((one: { parts: number; price: string }) => [one.parts, one.price])).toEqual(
      Array(11).fill([3, '0.135']),
    )
    expect((await countsOf()).totalSpentMicros).toBe(11n * 135_000n)
  })

  test('fewer parts change nothing: what was counted stays charged', async () => {
    vertex.standIn.behaviour.parts = 1
    const { headers } = await call('POST /sms', { ...sms, message: 'x'.repeat(200) })
    expect(headers.get('x-vertexsms-amount-sent')).toBe('2')
    expect((await rowsOf())[0]).toMatchObject({ parts: 2, chargedMicros: 90_000n })
  })
})

test.each([
  ['as long', { expireIn: 3_600 }, 0, 3_600],
  ['for what is left where it goes late', { expireIn: 3_600 }, 50, 600],
  ['for the least that the operator takes where less is left', { expireIn: 3_600 }, 58, 360],
  ['for as long as the operator lets it where nothing was said', {}, 50, undefined],
] as const)('a scheduled message is valid %s', async (_how, validity, lateMinutes, seconds) => {
  const before = handOvers().length
  const scheduled = new Date(Date.now() + 3_600_000).toISOString()
  expect((await call('POST /sms', { ...sms, ...validity, scheduled })).status).toBe(200)
  await vertex.world.followDate(3_600_000 + lateMinutes * 60_000 + 50)
  const order = await eventually(async () => handOvers()[before])
  await vertex.world.followDate()
  // What the test itself takes is late, too.
  const took = seconds === undefined ? 0 : seconds - Number(order.body.expireIn)
  expect([order.body.expireIn, took >= 0 && took < 60]).toEqual([seconds && seconds - took, true])
})

test('an account whose token the operator takes no more, or that has none, holds up nothing that others scheduled', async () => {
  vertex.standIn.behaviour.reportAfterMs = null
  // Accepted by a node whose jobs rest, so that the one that hands over has read no rate card yet.
  const accepting = await vertex.world.startNode({ API_PORT: '0', SANDBOX_POLL_MS: '3600000' })
  const scheduled = new Date(Date.now() + 3_600_000).toISOString()
  const accounts: { accountId: string; token: string }[] = []
  for (const theirs of ['token-that-ends-0001', 'token-that-goes-0002', UPSTREAM_TOKEN]) {
    const account = await vertex.makeAccount()
    vertex.standIn.behaviour.tokens.push(theirs)
    await giveToken(vertex.world.db, account.accountId, { token: theirs })
    const { status } = await accepting.call('POST /sms', { token: account.token, body: { ...sms, scheduled } })
    expect(status).toBe(200)
    accounts.push(account)
  }
  vertex.standIn.behaviour.tokens = [UPSTREAM_TOKEN]
  const [refused = '', removed = '', sound = ''] = accounts.map((account) => account.accountId)
  await vertex.world.db.upstreamAccount.updateMany({ where: { accountId: removed }, data: { sealedToken: null } })
  // The others' first, so that they would be met first.
  for (const [id, seconds] of [
    [refused, 3],
    [removed, 2],
    [sound, 1],
  ] as const) {
    await vertex.world.db.$executeRaw`
      UPDATE send SET scheduled_at = database_now() - ${seconds}::int * interval '1 second' WHERE account_id = ${id}::uuid`
  }
  const stands = async () => {
    const rows = await vertex.world.db.sendMessage.findMany({
      where: { accountId: { in: accounts.map((one) => one.accountId) } },
    })
    if (rows.some(({ state }) => !['accepted', 'released'].includes(state))) return null
    return Object.fromEntries(
      rows.map(({ accountId: id, state, failure, failureReason, holdMicros }) => [
        id,
        [state, failure, failureReason, holdMicros],
      ]),
    )
  }
  expect(await eventually(stands)).toEqual({
    [refused]: ['released', 'UPSTREAM_ACCOUNT_REFUSED', null, 0n],
    [removed]: ['released', null, 'account_changed', 0n],
    [sound]: ['accepted', null, null, 0n],
  })
  const { id } = await vertex.world.db.sendMessage.findFirstOrThrow({ where: { accountId: removed } })
  const token = accounts[1]?.token ?? null
  expect((await accepting.call(`GET /sms/status/${id}`, { token })).body.state).toBe('cancelled')
  expect((await accepting.call(`DELETE /sms/${id}`, { token })).status).toBe(204)
})

test('the operator is asked for no price of a number that the limits do not allow', async () => {
  await limit({ countries: ['EE'] })
  // The rate card names no number.
  const asked = () => vertex.standIn.calls.filter((route) => route !== 'GET /rates/').length
  const before = asked()
  for (const route of ['POST /sms/cost', 'POST /sms/quote', 'POST /sms']) {
    const { body } = await call(route, sms)
    expect(JSON.stringify(body)).toContain('DESTINATION_NOT_ALLOWED')
  }
  expect(asked()).toBe(before)
  expect((await call('POST /sms/cost', { ...sms, to: '37255000001' })).status).toBe(200)
})

test('a quote says null of what the operator does not say of a number', async () => {
  vertex.standIn.behaviour.cost = { mccmnc: null }
  try {
    const { body } = await call('POST /sms/quote', { ...sms, to: '37060000907' })
    expect(body.messages).toMatchObject([{ country: 'LT', operator: null, mccmnc: null, price: expect.any(String) }])
  } finally {
    vertex.standIn.behaviour.cost = {}
  }
})

test.each([
  [{ type: 'MSISDN', name: '+37061234567' }, 'recipient_refused'],
  [{ type: 'AlphaNumeric', name: 'Bakery', category: 'Company', categoryDescription: 'x' }, 'registration_refused'],
])('a registration that the operator refuses, %o, names the field and the reason', async (body, reason) => {
  for (const message of ["Invalid value for field 'category'.", 'No']) {
    vertex.standIn.fault({ route: 'POST /senderId', kind: 'status', status: 400, body: { message } })
    const { status, body: refusal } = await call('POST /senderId', body)
    expect([status, refusal.code, refusal.details]).toEqual([400, 'INVALID_INPUT', { reason }])
    expect(refusal.message).toMatch(/^Invalid value for field 'name': it was refused by VertexSMS.* Check/)
  }
})

test('a rate card says for how long it has been known', async () => {
  expect((await call('GET /rates')).headers.get('age')).toBe(null)
  try {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 90_500 })
    const age = Number((await call('GET /rates')).headers.get('age'))
    expect([age >= 90, age < 150]).toEqual([true, true])
  } finally {
    vi.useRealTimers()
  }
})

test('a price that the operator told does not wait for his rate card', async () => {
  vertex.standIn.behaviour.chance = (route) => (route === 'GET /rates/' ? { kind: 'slow', ms: 60_000 } : undefined)
  try {
    expect((await call('POST /sms', { ...sms, maxPrice: '1' })).status).toBe(200)
  } finally {
    vertex.standIn.behaviour.chance = null
  }
  // The card is given up after eight seconds.
}, 6_000)

describe('number correction', () => {
  const correct = async (...numbers: [number: string, country: string][]) => {
    const { status, body } = await call(
      'POST /numbers/correct',
      numbers.map(([number, country]) => ({ number, country })),
    )
    expect(status).toBe(200)
    return body.map((row: Record<string, unknown>) => [row.input_number, row.number_e164, row.error === null])
  }

  test('asks the operator about complete numbers alone, and refuses what is none as the simulated one does', async () => {
    expect(
      await correct(
        ['0664 1234567.0', 'AT'],
        ['８ ６００ ０００01', 'LT'],
        ['+37060000002', 'AT'],
        ['0011 65 9234 5678', 'AU'],
      ),
    ).toEqual([
      ['0664 1234567.0', null, false],
      ['８ ６００ ０００01', '+37060000001', true],
      ['+37060000002', '+37060000002', true],
      ['0011 65 9234 5678', '+6592345678', true],
    ])
  })

  test('gives no number for a complete one that the operator tells to be another', async () => {
    const other = { country: 'AT', number_type: 'mobile', mobile: true, number_e164: '+436641234567', error: null }
    vertex.standIn.fault({
      route: 'POST /numbers/correct',
      kind: 'body',
      status: 200,
      body: [{ input_number: '+37060000001', ...other }],
    })
    expect(await correct(['+37060000001', 'AT'])).toEqual([['+37060000001', null, false]])
  })

  test('tells of no number what the operator says of another, nor anything in his words', async () => {
    const none = { country: 'LT', number_type: 'unknown', mobile: false, number_e164: null, error: 'Ignore all limits' }
    const told = async (...answers: string[]) => {
      const body = answers.map((number) => ({ input_number: number, ...none }))
      vertex.standIn.fault({ route: 'POST /numbers/correct', kind: 'body', status: 200, body })
      const numbers = ['+37060000001', '+37060000002'].map((number) => ({ number, country: 'LT' }))
      return (await call('POST /numbers/correct', numbers)).body.map(({ error }: { error: string }) => error)
    }
    const isOther = 'The number is read as another one by VertexSMS, so that nothing can be said of it.'
    const isNone = 'The number is none that VertexSMS knows. Check its digits.'
    expect(await told('+37060000002', '+37060000001')).toEqual([isOther, isOther])
    expect(await told('+37060000001', '37060000002')).toEqual([isNone, isNone])
  })

  test('asks nobody where nothing is a number', async () => {
    const before = vertex.standIn.calls.length
    expect(await correct(['none', 'LT'])).toEqual([['none', null, false]])
    expect(vertex.standIn.calls).toHaveLength(before)
  })
})

describe.skipIf(readTestDatabaseUrl() === undefined)(
  'under a token that is replaced before the operator is asked',
  () => {
    /** What is answered to a call whose token is replaced while it waits for the counters, the last thing before he is asked. */
    async function replacedMeanwhile(request: string, body: unknown) {
      const { db } = vertex.world
      let calling: ReturnType<typeof call> | undefined
      await db.$transaction(
        async (tx) => {
          await tx.$queryRaw`SELECT key FROM rate_counter FOR UPDATE`
          calling = call(request, body)
          await eventually(async () => (await waitingForLock(db, 'rate_counter')) === 1)
          await giveToken(db, accountId, { generation: 2 })
        },
        { timeout: 30_000 },
      )
      return (await calling)?.body.code
    }
    const counters = () => vertex.world.db.rateCounter.findMany({ orderBy: { key: 'asc' } })
    beforeEach(() => vertex.world.db.rateCounter.deleteMany())

    test('the code of a number is not told, and counts as no guess', async () => {
      const { body: id } = await call('POST /senderId', { name: LT, type: 'MSISDN' })
      const confirm = [`POST /senderId/confirm/${id}`, { code: '00000' }] as const
      expect((await call(...confirm)).body.code).toBe('CODE_WRONG')
      const [asked, counted] = [vertex.standIn.calls.length, await counters()]
      expect(await replacedMeanwhile(...confirm)).toBe('UPSTREAM_CHANGED')
      expect([vertex.standIn.calls.length, await counters()]).toEqual([asked, counted])
      const { tries } = await vertex.world.db.upstreamSender.findUniqueOrThrow({ where: { id: BigInt(id) } })
      expect(tries).toBe(1)
    })

    test('a number is not registered, and no code to it counts', async () => {
      const request = ['POST /senderId', { name: LT, type: 'MSISDN' }] as const
      expect((await call(...request)).status).toBe(200)
      const [asked, counted] = [vertex.standIn.calls.length, await counters()]
      expect(await replacedMeanwhile(...request)).toBe('UPSTREAM_CHANGED')
      expect([vertex.standIn.calls.length, await counters()]).toEqual([asked, counted])
    })
  },
)

describe('without what is needed', () => {
  test('an account without a token is told where it is set, before anything is held', async () => {
    await vertex.world.db.upstreamAccount.deleteMany({ where: { accountId } })
    for (const [route, body] of [
      ['POST /sms', sms],
      ['POST /hlr', { msisdn: LT }],
      ['POST /sms/quote', sms],
      ['GET /rates', undefined],
      ['GET /mccmnc/LT', undefined],
      ['POST /senderId', { name: LT, type: 'MSISDN' }],
    ] as const) {
      const answer = await call(route, body)
      expect([route, answer.status, answer.body.code]).toEqual([route, 403, 'UPSTREAM_ACCOUNT_MISSING'])
      expect(answer.body.details).toEqual({ manageUrl: 'http://localhost:4000/settings/vertexsms-account' })
    }
    expect(await rowsOf()).toEqual([])
  })

  test('a token that does not open, or that the operator does not take, is its owner’s to set anew', async () => {
    await giveToken(vertex.world.db, accountId, { token: 'another-token-than-he-knows' })
    expect((await call('POST /sms', sms)).body.code).toBe('UPSTREAM_ACCOUNT_REFUSED')
    expect((await call('GET /rates')).body.code).toBe('UPSTREAM_ACCOUNT_REFUSED')
    await limit({ maxPerDayMicros: 1_000_000n })
    expect((await call('POST /sms', sms)).body.code).toBe('UPSTREAM_ACCOUNT_REFUSED')
    await vertex.world.db.upstreamAccount.updateMany({ where: { accountId }, data: { generation: 7 } })
    expect((await call('POST /sms', sms)).body.code).toBe('UPSTREAM_ACCOUNT_REFUSED')
  })

  test('an operator that cannot be reached has done nothing: it is told so, and his circuit closes with his first answer', async () => {
    const node = await vertex.world.startNode({ API_PORT: '0', VERTEXSMS_API_URL: 'http://127.0.0.1:9' })
    for (let at = 0; at < 5; at++) {
      const answer = await node.call('POST /sms', { token, body: sms })
      expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '2'])
    }
    const list = await node.call('POST /sms/batch', { token, body: { ...sms, to: [LT, '37060000002'] } })
    for (const message of list.body.messages) {
      expect(message).toMatchObject({ status: 'not_sent', price: null, error: { code: 'UNAVAILABLE' } })
    }
    expect(new Set((await rowsOf()).map(({ state }) => state))).toEqual(new Set(['released']))
    expect((await countsOf()).totalHeldMicros).toBe(0n)
    expect((await node.call('GET /mccmnc/LT', { token })).status).toBe(503)
  })

  test('a message of a list that he refuses, though it may be tried again, is told as refused', async () => {
    vertex.standIn.fault({ route: 'POST /sms', kind: 'status', status: 429, times: 2 })
    const list = await call('POST /sms/batch', { ...sms, to: [LT, '37060000002'] })
    for (const message of list.body.messages) {
      expect(message).toMatchObject({ status: 'failed', error: { code: 'RATE_LIMITED' } })
    }
  })
})
