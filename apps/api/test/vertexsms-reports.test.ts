// What the real operator reports, or is asked for, and what it comes to: for money, for the caller and for the customer.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LIMITS } from '../src/service-limits.ts'
import type { RateRow } from './stand-in/data.ts'
import type { Accepted } from './stand-in/stand-in.ts'
import { eventually } from './support/eventually.ts'
import { startReceiver } from './support/receiver.ts'
import { startVertexWorld, type VertexWorld } from './support/vertex.ts'

const LT = '37060000001'
const sms = { to: LT, from: 'Tests', message: 'Hello' }
const CUSTOMER = 'https://customer.example/reports'

let vertex: VertexWorld
let accountId: string
let token: string
const call = (request: string, body?: unknown, headers: Record<string, string> = {}) =>
  vertex.world.node.call(request, { token, body, headers })
const rowOf = () => vertex.world.db.sendMessage.findFirstOrThrow({ where: { accountId } })
const spentOf = async () =>
  (await vertex.world.db.spenderCount.findFirstOrThrow({ where: { spenderId: accountId, upstream: 'vertexsms' } }))
    .totalSpentMicros
const owed = () => vertex.world.db.callback.findMany({ where: { accountId }, orderBy: { id: 'asc' } })

test('what the operator reports is posted once it is owed, by a node that hardly ever looks', async () => {
  const receiver = await startReceiver()
  const apart = await startVertexWorld({ reportAfterMs: null }, { SANDBOX_POLL_MS: '3600000' })
  const account = await apart.makeAccount()
  const ask = (request: string, body: unknown) => apart.world.node.call(request, { token: account.token, body })
  const posted = (path: string) =>
    eventually(async () => receiver.posts.find((post) => post.path === path)).then(({ body }) => body.id)
  const [smsId] = (await ask('POST /sms', { ...sms, dlrUrl: `${receiver.url}/sms` })).body
  const order = apart.standIn.accepted.at(-1) as Accepted
  await apart.standIn.report(order, { id: order.id, status: 1, error: 0, mcc: '246', mnc: '02' })
  expect(await posted('/sms')).toBe(smsId)
  const name = { name: 'Bakery', type: 'AlphaNumeric', category: 'Company', categoryDescription: 'Bread' }
  const { body: senderId } = await ask('POST /senderId', { ...name, notificationUrl: `${receiver.url}/review` })
  const review = { address: apart.standIn.reviewAddresses.at(-1) } as Accepted
  await apart.standIn.report(review, { id: '1', name: 'Bakery', status: 'confirmed' })
  expect(await posted('/review')).toBe(senderId)
  await apart.close()
  await receiver.close()
})

describe('with a public address', () => {
  beforeAll(async () => {
    vertex = await startVertexWorld()
  })
  afterAll(() => vertex?.close())
  beforeEach(async () => {
    ;({ accountId, token } = await vertex.makeAccount())
    // Each test reports by itself.
    vertex.standIn.behaviour.reportAfterMs = null
    vertex.standIn.behaviour.isDoubled = false
  })

  async function sent(): Promise<Accepted> {
    await call('POST /sms', { ...sms, dlrUrl: CUSTOMER })
    return vertex.standIn.accepted.at(-1) as Accepted
  }

  test('a report that comes twice, late and at once is taken once and passed on once, under our id', async () => {
    const order = await sent()
    const report = { id: order.id, status: 1, error: 0, mcc: '246', mnc: '02' }
    const answers = await Promise.all([1, 2, 3].map(() => vertex.standIn.report(order, report)))
    expect(answers).toEqual([1, 2, 3].map(() => ({ status: 200, body: 'OK' })))
    expect(await vertex.standIn.report(order, { ...report, status: 2, error: 1 })).toEqual({ status: 200, body: 'OK' })
    const { id } = await rowOf()
    expect((await owed()).map(({ url, body }) => [url, body])).toEqual([
      [CUSTOMER, { id: String(id), status: 1, error: 0, mcc: '246', mnc: '02' }],
    ])
    expect(await spentOf()).toBe(39_000n)
  })

  test('a network of another country does not lower what was held', async () => {
    const { rates } = vertex.standIn.behaviour
    vertex.standIn.behaviour.rates = rates.map((row) => ({
      ...(row as RateRow),
      Rate: (row as RateRow).MNC ? '0.06' : '0.02',
    }))
    const order = await sent()
    vertex.standIn.behaviour.rates = rates
    await vertex.standIn.report(order, { id: order.id, status: 1, error: 0, mcc: '247', mnc: '01' })
    expect(await rowOf()).toMatchObject({ delivery: 1, mccmnc: '24701', chargedMicros: 60_000n })
  })

  test('error 24 gives the money back, though the message was accepted; other failures do not', async () => {
    const paid = await sent()
    await vertex.standIn.report(paid, { id: paid.id, status: 2, error: 1, mcc: '', mnc: '' })
    const before = await spentOf()
    expect(before).toBe(45_000n)
    const unpaid = await sent()
    await vertex.standIn.report(unpaid, { id: unpaid.id, status: '2', error: '24' })
    expect(await spentOf()).toBe(before)
    const rows = await vertex.world.db.sendMessage.findMany({ where: { accountId } })
    expect(rows.map(({ state, failureNumber }) => [state, failureNumber]).sort()).toEqual([
      ['accepted', null],
      ['released', 24],
    ])
  })

  test('error 24 of one that was reported as delivered gives nothing back: it was sent', async () => {
    const order = await sent()
    await vertex.standIn.report(order, { id: order.id, status: 1, error: 0, mcc: '', mnc: '' })
    const unpaid = { id: order.id, status: 2, error: 24, mcc: '246', mnc: '01' }
    expect(await vertex.standIn.report(order, unpaid)).toEqual({ status: 200, body: 'OK' })
    expect(await rowOf()).toMatchObject({ state: 'accepted', delivery: 1, chargedMicros: 35_000n })
  })

  test('error 24 that is told again, after a report that it went after all, gives nothing back a second time', async () => {
    const order = await sent()
    const unpaid = { id: order.id, status: 2, error: 24, mcc: '246', mnc: '01' }
    await vertex.standIn.report(order, unpaid)
    await vertex.standIn.report(order, { ...unpaid, status: 1, error: 0 })
    const charged = { state: 'accepted', chargedMicros: 35_000n }
    expect(await rowOf()).toMatchObject(charged)
    expect(await vertex.standIn.report(order, unpaid)).toEqual({ status: 200, body: 'OK' })
    expect([await rowOf(), await spentOf()]).toMatchObject([charged, 35_000n])
  })

  test.each([
    ['was answered', null],
    ['lost its answer', 'reset_after'],
  ] as const)(
    'one without a limit whose price could not be had, and that %s, is charged the rate its report tells',
    async (_how, lost) => {
      vertex.standIn.behaviour.chance = (route) =>
        route === 'GET /rates/' ? { kind: 'status', status: 500 } : undefined
      if (lost) vertex.standIn.fault({ route: 'POST /sms', kind: lost })
      const order = await sent()
      expect([await spentOf(), (await rowOf()).holdMicros]).toEqual([0n, 0n])
      vertex.standIn.behaviour.chance = null
      for (let times = 0; times < 2; times++) {
        await vertex.standIn.report(order, { id: order.id, status: 1, error: 0, mcc: '246', mnc: '01' })
        expect([await spentOf(), (await rowOf()).chargedMicros]).toEqual([35_000n, 35_000n])
      }
    },
  )

  test('an unknown one that was never accepted is given back, one that arrived is charged, and one that was given back and arrived is charged late', async () => {
    for (const [fault, report, state, charged] of [
      ['reset_after', { status: 2, error: 21 }, 'released', 0n],
      ['reset_after', { status: 1, error: 0, mcc: '246', mnc: '01' }, 'accepted', 35_000n],
      ['status', { status: 1, error: 0, mcc: '246', mnc: '03' }, 'accepted', 37_000n],
    ] as const) {
      ;({ accountId, token } = await vertex.makeAccount())
      const order = await sent()
      await vertex.world.db.send.deleteMany({ where: { accountId } })
      const before = await spentOf()
      vertex.standIn.fault({ route: 'POST /sms', kind: fault, status: 400 })
      await call('POST /sms', sms)
      const row = await rowOf()
      const address = vertex.standIn.accepted.at(-1)?.address ?? order.address ?? ''
      // The address of the one that was refused is made as the operator was given it.
      const of =
        fault === 'status' ? { ...order, address: await addressOf(row.id, address) } : vertex.standIn.accepted.at(-1)
      expect(await vertex.standIn.report(of as Accepted, report)).toEqual({ status: 200, body: 'OK' })
      expect([(await rowOf()).state, (await spentOf()) - before]).toEqual([state, charged])
    }
  })

  /** The signed address of a message that the operator refused, and so did not keep. */
  async function addressOf(id: bigint, like: string, kind: 'sms' | 'hlr' = 'sms'): Promise<string> {
    const { createReportAddresses } = await import('../src/upstream/vertexsms/report-address.ts')
    const { API_KEY_PURPOSES, deriveApiKeys, derivedKeysSchema } = await import('@vertexsms/secrets/derived-keys')
    const keys = derivedKeysSchema(API_KEY_PURPOSES).parse(deriveApiKeys(Buffer.alloc(32, 7)))
    return createReportAddresses(keys['report-address'], new URL(like).origin).of(kind, id) ?? ''
  }

  test('a forged report is at no address, changes nothing, and learns nothing', async () => {
    const order = await sent()
    const other = await sent()
    const [, , kind = '', id = '', mac = ''] = new URL(order.address ?? '').pathname.split('/')
    const otherMac = new URL(other.address ?? '').pathname.split('/').at(-1) ?? ''
    const lie = { id: order.id, status: 2, error: 24 }
    for (const path of [
      `${kind}/${id}/${otherMac}`,
      `${kind}/${id}/${mac.slice(0, -2)}`,
      `${kind}/${id}/${'A'.repeat(22)}`,
      `hlr/${id}/${mac}`,
      `sender/${id}/${mac}`,
      `sms/0${id}/${mac}`,
      `toString/${id}/${mac}`,
      `${kind}/${BigInt(id) + 1n}/${mac}`,
    ]) {
      const answer = await call(`POST /reports/${path}`, lie)
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'NOT_FOUND'])
    }
    expect((await call(`GET /reports/${kind}/${id}/${mac}`)).status).toBe(405)
    expect(await vertex.world.db.sendMessage.count({ where: { accountId, state: 'accepted', delivery: null } })).toBe(2)
  })

  test('a report that makes no sense is not taken, so that it comes again; one of what is gone is', async () => {
    const order = await sent()
    for (const body of [{}, { status: 'delivered', error: 0 }, [], { status: 1, error: 'none' }, { error: 0 }]) {
      expect((await vertex.standIn.report(order, body)).status).toBe(400)
    }
    expect((await vertex.world.node.call(`POST ${new URL(order.address ?? '').pathname}`, { raw: 'OK' })).status).toBe(
      400,
    )
    // A state that is none yet is taken, and changes nothing.
    expect((await vertex.standIn.report(order, { id: order.id, status: 0, error: 0 })).status).toBe(200)
    expect((await rowOf()).delivery).toBeNull()
    await vertex.world.db.send.deleteMany({ where: { accountId } })
    expect(await vertex.standIn.report(order, { id: order.id, status: 1, error: 0 })).toEqual({
      status: 200,
      body: 'OK',
    })
  })

  const alarms = () =>
    vertex.world.node.lines
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ event, msg, requestId }) => ({ event, msg, requestId }))

  test.each<[string, BodyInit, Record<string, string>]>([
    ['says nothing', '', {}],
    ['says something else', '{"status":"delivered","error":0}', {}],
    ['is no JSON', 'status=1&error=0', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['names a member twice', '{"status":1,"status":2,"error":0}', {}],
    ['is packed', Buffer.from([0x1f, 0x8b, 8, 0]), { 'content-encoding': 'gzip' }],
    ['is of no type', '{"status":1,"error":0}', { 'content-type': '///' }],
    ['is long', ' '.repeat(17 * 1024), {}],
  ])('a report of the operator that %s raises an alarm, which names its kind', async (_what, body, headers) => {
    const { address = '' } = await sent()
    const before = alarms().length
    const answer = await fetch(address, { method: 'POST', body, headers })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    const requestId = answer.headers.get('x-request-id')
    expect(alarms().slice(before)).toEqual([{ event: 'sms', msg: 'report makes no sense', requestId }])
  })

  test('what strangers post where reports come raises none, and neither does another method', async () => {
    const { address = '' } = await sent()
    const before = alarms().length
    const elsewhere = `${address.slice(0, -4)}AAAA`
    const rubbish = ['', '{', '[]', '{"status":1,"error":0}', 'x'.repeat(20_000)]
    const answers = await Promise.all(rubbish.map((body) => fetch(elsewhere, { method: 'POST', body })))
    expect(answers.map(({ status }) => status)).toEqual(rubbish.map(() => 404))
    expect((await fetch(address)).status).toBe(405)
    expect((await fetch(address.replace('/sms/', '/%zz/'), { method: 'POST' })).status).toBe(400)
    expect(alarms().slice(before)).toEqual([])
  })

  test.each([
    ['an id that is no exact number', '{"id":12345678901234567890,"status":1,"error":0}'],
    ['no id', '{"id":null,"status":1,"error":0}'],
    ['an empty error', '{"id":"1","status":"1","error":"","mcc":null}'],
    ['a network that is none', `{"id":"1","status":1,"mcc":"${'9'.repeat(9_000)}","mnc":"<b>"}`],
    ['a network that is a number', '{"status":1,"error":0,"mcc":246,"mnc":-1}'],
  ])('a report with %s is taken for what it says', async (_what, raw) => {
    const order = await sent()
    const answer = await fetch(order.address ?? '', { method: 'POST', body: Buffer.from(raw) })
    expect([answer.status, await answer.text()]).toEqual([200, 'OK'])
    const { delivery, deliveryError, mccmnc } = await rowOf()
    expect([delivery, deliveryError]).toEqual([1, 0])
    expect(mccmnc ?? '').toMatch(/^\d{0,3}$/)
    expect(JSON.stringify((await owed()).map(({ body }) => body)).length).toBeLessThan(200)
  })

  test.each(['3000000000', '-1', '1.5', '"-24"', '1e400'])(
    'a report whose error is %s makes no sense, and fails nothing on our side',
    async (error) => {
      const order = await sent()
      const raw = `{"status":2,"error":${error}}`
      const { status } = await fetch(order.address ?? '', { method: 'POST', body: Buffer.from(raw) })
      expect(status).toBe(400)
      expect((await rowOf()).delivery).toBeNull()
    },
  )

  test('a lookup that was given back and came after all is charged what a lookup costs', async () => {
    vertex.standIn.fault({ route: 'POST /hlr', kind: 'status', status: 429 })
    expect((await call('POST /hlr', { msisdn: LT })).status).toBe(429)
    const { id } = await rowOf()
    const of = { address: await addressOf(id, vertex.world.node.url, 'hlr') } as Accepted
    const result = { id: '1', error: '0', country: 'LT', mcc: '246', mnc: '01' }
    for (let times = 0; times < 2; times++) expect((await vertex.standIn.report(of, result)).body).toBe('OK')
    expect(await rowOf()).toMatchObject({ state: 'accepted', chargedMicros: 5_000n, result: { country: 'LT' } })
    expect(await spentOf()).toBe(5_000n)
  })

  test('a report is taken after the account’s token is gone, whatever became of its message', async () => {
    const order = await sent()
    vertex.standIn.fault({ route: 'POST /sms', kind: 'status', status: 400 })
    await call('POST /sms', sms)
    const refused = await vertex.world.db.sendMessage.findFirstOrThrow({ where: { accountId, state: 'released' } })
    await vertex.world.db.upstreamAccount.updateMany({
      where: { accountId },
      data: { sealedToken: null, generation: 2 },
    })
    const late = { address: await addressOf(refused.id, order.address ?? '') } as Accepted
    for (const of of [order, late]) {
      expect(await vertex.standIn.report(of, { status: 1, error: 0, mcc: '', mnc: '' })).toEqual({
        status: 200,
        body: 'OK',
      })
    }
    const rows = await vertex.world.db.sendMessage.findMany({ where: { accountId } })
    expect(rows.map(({ state, delivery }) => [state, delivery])).toEqual(Array(2).fill(['accepted', 1]))
  })

  test('reports come only from where the installation says, if it says', async () => {
    const order = await sent()
    const path = new URL(order.address ?? '').pathname
    const report = { id: order.id, status: 1, error: 0 }
    const elsewhere = await vertex.world.startNode({ API_PORT: '0', REPORT_SOURCES: '178.33.133.192/28,178.32.167.92' })
    expect((await elsewhere.call(`POST ${path}`, { body: report })).status).toBe(404)
    const here = await vertex.world.startNode({ API_PORT: '0', REPORT_SOURCES: '127.0.0.0/8, 178.32.167.92' })
    expect((await here.call(`POST ${path}`, { body: report })).body).toBe('OK')
  })

  test('a lookup has its result from the operator’s call, costs what its owner said, and is passed on', async () => {
    vertex.standIn.behaviour.reportAfterMs = 20
    vertex.standIn.behaviour.outcomes = { '0000009': { status: 2, error: 43 } }
    const { status, body } = await call('POST /hlr', { msisdn: LT, callBackUrl: CUSTOMER })
    expect(status).toBe(200)
    const result = await call(`GET /hlr/${body[0]}?wait=20`)
    expect(result.body).toMatchObject({
      status: 'done',
      result: { id: String(body[0]), error: '0', country: 'LT', mnc: '02' },
    })
    expect(await spentOf()).toBe(5_000n)
    expect((await owed()).map(({ body: told }) => told)).toEqual([
      expect.objectContaining({ id: String(body[0]), imsi: '246010000000001' }),
    ])
    const absent = await call('POST /hlr', { msisdn: '37060000009' })
    expect((await call(`GET /hlr/${absent.body[0]}?wait=20`)).body.result).toMatchObject({ error: '43', imsi: null })
    expect(vertex.standIn.lookups.at(-1)?.body).toEqual({
      msisdn: '37060000009',
      callBackUrl: expect.stringMatching(/\/reports\/hlr\/\d+\/[\w-]{22}$/),
    })
  })

  test.each([
    ['that was accepted', undefined, 24],
    ['whose outcome was unknown', 'reset_after', 53],
  ] as const)(
    'a lookup %s and then refused has that as its result, is passed on and costs nothing',
    async (_which, fault, error) => {
      vertex.standIn.behaviour.reportAfterMs = 20
      vertex.standIn.behaviour.outcomes = { '0000009': { status: 2, error } }
      if (fault) vertex.standIn.fault({ route: 'POST /hlr', kind: fault })
      const { body } = await call('POST /hlr', { msisdn: '37060000009', callBackUrl: CUSTOMER })
      const id = String(body.details?.ids[0] ?? body[0])
      const { status, body: told } = await call(`GET /hlr/${id}?wait=20`)
      expect([status, told.status, told.result?.error]).toEqual([200, 'done', String(error)])
      expect((await owed()).map((one) => one.body)).toEqual([expect.objectContaining({ id, error: String(error) })])
      expect([(await rowOf()).state, await spentOf()]).toEqual(['released', 0n])
    },
  )

  test('a lookup that has a result costs what it did, whatever is told of it later', async () => {
    const { body } = await call('POST /hlr', { msisdn: LT, callBackUrl: CUSTOMER })
    const order = vertex.standIn.lookups.at(-1) as Accepted
    const found = { id: order.id, imsi: '246010000000001', country: 'LT', mcc: '246', mnc: '02' }
    for (const error of ['0', '24']) {
      expect(await vertex.standIn.report(order, { ...found, error })).toEqual({ status: 200, body: 'OK' })
    }
    expect((await call(`GET /hlr/${body[0]}?wait=20`)).body.result).toMatchObject({ error: '0' })
    expect([(await rowOf()).state, await spentOf()]).toEqual(['accepted', 5_000n])
  })

  test('a lookup whose price nobody said is not made under a limit', async () => {
    await vertex.world.db.upstreamAccount.updateMany({ where: { accountId }, data: { hlrPriceMicros: null } })
    await vertex.world.db.spender.create({
      data: { id: accountId, accountId, kind: 'account', createdAt: new Date(), maxPerDayMicros: 1_000_000n },
    })
    const before = vertex.standIn.lookups.length
    const answer = await call('POST /hlr', { msisdn: LT })
    expect([answer.status, answer.body.code]).toEqual([403, 'PRICE_UNKNOWN'])
    // It is theirs to say, and they are told where.
    expect(answer.body.message).toContain('Settings -> Sending account')
    expect(answer.body.details.manageUrl).toBe('http://localhost:4000/settings/vertexsms-account')
    expect(vertex.standIn.lookups.length).toBe(before)
  })

  test.each([
    ['that was registered is told', 'answered', 200, 1],
    ['whose answer was lost is told', 'lost', 504, 1],
    ['that was refused is not', 'refused', 409, 0],
  ] as const)('the review of a name %s', async (_what, how, status, told) => {
    const name = `Shop${accountId.slice(0, 6)}`
    const body = {
      name,
      type: 'AlphaNumeric',
      category: 'Company',
      categoryDescription: 'Bread',
      notificationUrl: CUSTOMER,
    }
    if (how === 'refused') {
      const first = await vertex.makeAccount()
      expect((await vertex.world.node.call('POST /senderId', { token: first.token, body })).status).toBe(200)
    }
    if (how === 'lost') vertex.standIn.fault({ route: 'POST /senderId', kind: 'reset_after' })
    expect((await call('POST /senderId', body)).status).toBe(status)
    const review = { address: vertex.standIn.reviewAddresses.at(-1) } as Accepted
    const report = { id: '1', name, status: 'confirmed' }
    expect(await vertex.standIn.report(review, report)).toEqual({ status: 200, body: 'OK' })
    expect((await owed()).map((one) => one.body)).toEqual(
      Array.from({ length: told }, () => ({ id: expect.any(String), name, status: 'confirmed' })),
    )
  })

  test('a number that could not be written down is refused, and the operator was not asked', async () => {
    const { db } = vertex.world
    await db.$executeRawUnsafe(
      `CREATE FUNCTION refuse_sender() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE lock_not_available; END'`,
    )
    await db.$executeRawUnsafe(
      'CREATE TRIGGER refuse_sender BEFORE INSERT ON upstream_sender FOR EACH ROW EXECUTE FUNCTION refuse_sender()',
    )
    const asked = vertex.standIn.calls.length
    try {
      const answer = await call('POST /senderId', { name: '37069876501', type: 'MSISDN' })
      expect([answer.status, answer.body.code]).toEqual([503, 'UNAVAILABLE'])
    } finally {
      await db.$executeRawUnsafe('DROP FUNCTION refuse_sender CASCADE')
    }
    expect(vertex.standIn.calls.slice(asked)).not.toContain('POST /senderId')
    expect((await rowOf()).state).toBe('released')
  })

  test('a sender is registered and confirmed under an id of ours, with as many guesses as a PIN takes', async () => {
    vertex.standIn.behaviour.reportAfterMs = 20
    const name = await call('POST /senderId', {
      name: `Bakery${accountId.slice(0, 4)}`,
      type: 'AlphaNumeric',
      category: 'Company',
      categoryDescription: 'Bread',
      notificationUrl: CUSTOMER,
    })
    expect(name.status).toBe(200)
    const [told] = await eventually(async () => {
      const rows = await owed()
      return rows.length > 0 && rows
    })
    expect(told?.body).toEqual({ id: name.body, name: `Bakery${accountId.slice(0, 4)}`, status: 'confirmed' })

    const own = `3706${accountId.replace(/\D/g, '').slice(0, 7).padEnd(7, '3')}`
    const { body: id } = await call('POST /senderId', { name: own, type: 'MSISDN' })
    expect(await call(`POST /senderId/confirm/${id}`, { code: '00000' })).toMatchObject({
      status: 400,
      body: { code: 'CODE_WRONG' },
    })
    const stranger = await vertex.makeAccount()
    const theirs = await vertex.world.node.call(`POST /senderId/confirm/${id}`, {
      token: stranger.token,
      body: { code: '00000' },
    })
    expect(theirs.body.code).toBe('NOT_FOUND')
    const pin = vertex.standIn.texts.findLast(({ to }) => to === own)?.message.slice(0, 5)
    expect((await call(`POST /senderId/confirm/${id}`, { code: pin })).body).toBe('OK')
    expect((await call(`POST /senderId/confirm/${id}`, { code: pin })).body.code).toBe('CONFLICT')
    expect((await call(`POST /senderId/confirm/${name.body}`, { code: pin })).body.code).toBe('CONFLICT')
    expect((await call('POST /sms', { ...sms, from: `+${own}` })).status).toBe(200)

    const { body: guessed } = await call('POST /senderId', { name: `3706${'9876543'}`, type: 'MSISDN' })
    const guesses = []
    for (let at = 0; at < 6; at++)
      guesses.push((await call(`POST /senderId/confirm/${guessed}`, { code: '00000' })).body.code)
    expect(guesses).toEqual([...Array(5).fill('CODE_WRONG'), 'CODE_EXPIRED'])
  })

  test('what surely reached nobody uses up no code and no guess, a guess whose answer is lost does', async () => {
    const dead = await vertex.world.startNode({ API_PORT: '0', VERTEXSMS_API_URL: 'http://127.0.0.1:9' })
    const number = { name: '37069876512', type: 'MSISDN' }
    const codes = new Set<string>()
    for (let at = 0; at <= LIMITS.pins.perNumberAndDay; at++)
      codes.add((await dead.call('POST /senderId', { token, body: number })).body.code)
    expect([...codes]).toEqual(['UNAVAILABLE'])

    const { body: id } = await call('POST /senderId', number)
    const confirm = `POST /senderId/confirm/${id}`
    const tries = async () =>
      (await vertex.world.db.upstreamSender.findUniqueOrThrow({ where: { id: BigInt(id) } })).tries
    vertex.standIn.fault({ route: 'POST /senderId/confirm', kind: 'reset_before' })
    expect((await call(confirm, { code: '00000' })).body.code).toBe('OUTCOME_UNKNOWN')
    expect(await tries()).toBe(1)
    for (let at = 0; at < LIMITS.pins.guessesPerDay; at++)
      codes.add((await dead.call(confirm, { token, body: { code: '00000' } })).body.code)
    expect([...codes]).toEqual(['UNAVAILABLE'])
    expect(await tries()).toBe(1)
    const pin = vertex.standIn.texts.findLast(({ to }) => to === number.name)?.message.slice(0, 5)
    expect((await call(confirm, { code: pin })).body).toBe('OK')
  })

  test('a price that rises between quote and send stops it; the charge is what was told', async () => {
    const quote = await call('POST /sms/quote', sms)
    expect(quote.body).toMatchObject({ price: '0.039', messages: [{ mccmnc: '24602', country: 'LT' }] })
    expect((await call('POST /sms', { ...sms, maxPrice: '0.038' })).body.code).toBe('PRICE_CHANGED')
    expect((await call('POST /sms', { ...sms, quoteId: quote.body.quoteId })).status).toBe(200)
    expect((await rowOf()).chargedMicros).toBe(39_000n)
  })
})

describe('without a public address', () => {
  beforeAll(async () => {
    vertex = await startVertexWorld({}, {}, { reports: false })
  })
  afterAll(() => vertex?.close())
  beforeEach(async () => {
    ;({ accountId, token } = await vertex.makeAccount())
  })

  test('the operator is asked what became of a message, and the answer is taken as a report is', async () => {
    vertex.standIn.behaviour.outcomes = { '24': { status: 2, error: 24 } }
    const { body } = await call('POST /sms', { ...sms, dlrUrl: CUSTOMER })
    expect(vertex.standIn.accepted.at(-1)?.body).not.toHaveProperty('dlrUrl')
    await eventually(async () => (await call(`GET /sms/status/${body[0]}`)).body.state === 'delivered')
    expect((await owed()).map(({ body: told }) => told)).toEqual([
      { id: body[0], status: 1, error: 0, mcc: '', mnc: '' },
    ])
    const unpaid = await call('POST /sms', { ...sms, to: '37060000024' })
    await eventually(async () => (await call(`GET /sms/status/${unpaid.body[0]}`)).body.state === 'failed')
    expect(await spentOf()).toBe(45_000n)
  })

  test('any node goes on asking, with pauses that grow, also after the one that sent is gone', async () => {
    vertex.standIn.behaviour.reportAfterMs = 600_000
    const sender = await vertex.world.startNode({ API_PORT: '0', SANDBOX_POLL_MS: '3600000' })
    const { body } = await sender.call('POST /sms', { token, body: sms })
    await sender.close()
    const order = vertex.standIn.accepted.at(-1)
    const asked = () => vertex.standIn.calls.filter((route) => route === 'GET /sms/status').length
    await eventually(async () => (await rowOf()).askAt !== null)
    const first = await rowOf()
    await eventually(async () => ((await rowOf()).askAt ?? 0) > (first.askAt ?? 0))
    const { askAt, handedAt } = await rowOf()
    const { askAt: firstAt } = first
    expect((askAt?.getTime() ?? 0) - (handedAt?.getTime() ?? 0)).toBeGreaterThan(
      (firstAt?.getTime() ?? 0) - (handedAt?.getTime() ?? 0),
    )
    expect(asked()).toBeGreaterThan(0)
    if (order) order.outcome = { status: 16, error: 2 }
    await eventually(async () => (await call(`GET /sms/status/${body[0]}`)).body.state === 'expired')
    vertex.standIn.behaviour.reportAfterMs = 20
  })

  test('a lookup is refused before any money, with or without a key, and named as what it is', async () => {
    for (const headers of [{}, { 'idempotency-key': 'once' }]) {
      const answer = await call('POST /hlr', { msisdn: LT }, headers)
      expect([answer.status, answer.body.code]).toEqual([501, 'CALLBACK_ADDRESS_MISSING'])
      expect(answer.body.message).toContain('REPORT_ADDRESS')
    }
    expect(vertex.standIn.lookups).toEqual([])
    expect(await vertex.world.db.sendMessage.count({ where: { accountId } })).toBe(0)
  })

  test('a notification that could not come is refused, and a registration without one is made', async () => {
    const name = {
      name: `Shop${accountId.slice(0, 4)}`,
      type: 'AlphaNumeric',
      category: 'Brand',
      categoryDescription: 'x',
    }
    const answer = await call('POST /senderId', { ...name, notificationUrl: CUSTOMER })
    expect([answer.status, answer.body.code]).toEqual([501, 'CALLBACK_ADDRESS_MISSING'])
    expect((await call('POST /senderId', name)).status).toBe(200)
  })
})

describe('prices that cannot be had', () => {
  beforeAll(async () => {
    vertex = await startVertexWorld()
  })
  afterAll(() => vertex?.close())
  beforeEach(async () => {
    ;({ accountId, token } = await vertex.makeAccount())
  })

  const row = { CountryName: 'Lithuania', CountryCode: 'LT', Operator: 'All', Network: 'All', MCC: '246', MNC: null }
  const bad: readonly [title: string, rate: string, more?: Record<string, unknown>][] = [
    ['negative', '-0.05'],
    ['infinite', '1e400'],
    ['not a number', '"NaN"'],
    ['huge', '10000000'],
    ['in words', '"five cents"'],
    ['foreign', '0.05', { Currency: 'USD' }],
  ]
  test.each(bad)('%s ones stop what is limited, and nothing leaves', async (_title, rate, more) => {
    await vertex.world.db.spender.create({
      data: { id: accountId, accountId, kind: 'account', createdAt: new Date(), maxPerDayMicros: 1_000_000n },
    })
    const rates = `[${JSON.stringify({ ...row, ...more, Rate: 0 }).replace('"Rate":0', `"Rate":${rate}`)}]`
    vertex.standIn.fault({ route: 'GET /rates/', kind: 'body', status: 200, body: rates, times: -1 })
    const currency = more === undefined ? 'EUR' : 'USD'
    const cost = `{"parts":1,"countryISO":"LT","mccmnc":"24601","pricePerPart":${rate},"totalPrice":${rate},"currency":"${currency}"}`
    vertex.standIn.fault({ route: 'POST /sms/cost', kind: 'body', status: 200, body: cost, times: -1 })
    const before = vertex.standIn.accepted.length
    for (const body of [sms, { ...sms, maxPrice: '1' }]) {
      const answer = await call('POST /sms', body)
      expect([answer.status, answer.body.code]).toEqual([403, 'PRICE_UNKNOWN'])
    }
    const quote = await call('POST /sms/quote', sms)
    expect(quote.body).toMatchObject({
      quoteId: null,
      messages: [{ price: null }],
      refusals: [{ code: 'PRICE_UNKNOWN' }],
    })
    expect((await call('POST /sms/cost', sms)).body.code).toBe('UPSTREAM_ANSWER_WRONG')
    expect(vertex.standIn.accepted.length).toBe(before)
    // Whoever has no limit is not stopped.
    ;({ accountId, token } = await vertex.makeAccount())
    expect((await call('POST /sms', sms)).status).toBe(200)
  })
})
