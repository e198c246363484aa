// One route: every member of its body, taken and refused.
import { VERTEX_ERROR_MEANINGS } from '@vertexsms/contract/api-errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { startReceiver } from './support/receiver.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
/** As in production: callbacks do not go to this machine. On a database of its own, or it would take the callbacks of the other. */
let strict: World
let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  world = await startWorld()
  strict = await startWorld({ OUTBOUND_ALLOW_LOCALHOST: 'off' })
})
afterAll(async () => {
  await strict.close()
  await world.close()
  await receiver.close()
})

const sms = { to: '37060000001', from: 'Tests', message: 'Hello' }

function send(body: Record<string, unknown>, token = world.token) {
  return world.node.call('POST /sms', { token, body: { ...sms, ...body } })
}

async function balance(accountId = world.accountId): Promise<bigint> {
  return (await world.db.account.findUniqueOrThrow({ where: { id: accountId } })).balanceMicros
}

function ended(id: string) {
  return eventually(async () => {
    const row = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(id) } })
    return row.status === 'delivered' || row.status === 'failed' ? row : undefined
  })
}

describe('POST /sms', () => {
  test('answers with the id and the number of parts, charges the price, delivers and reports', async () => {
    const before = await balance()
    const cost = await world.node.call('POST /sms/cost', {
      token: world.token,
      body: { ...sms, message: 'x'.repeat(161) },
    })
    expect(cost.body).toEqual([
      {
        from: 'Tests',
        to: '37060000001',
        parts: 2,
        countryISO: 'LT',
        mccmnc: '24603',
        pricePerPart: expect.any(Number),
        totalPrice: cost.body[0].pricePerPart * 2,
        currency: 'EUR',
      },
    ])
    const sent = await send({ message: 'x'.repeat(161), dlrUrl: `${receiver.url}/report` })
    expect(sent.status).toBe(200)
    expect(sent.body).toEqual([expect.stringMatching(/^\d+$/)])
    expect(sent.headers.get('x-vertexsms-amount-sent')).toBe('2')
    expect(Number(before - (await balance()))).toBe(Math.round(cost.body[0].totalPrice * 1_000_000))
    const [id] = sent.body
    const report = await eventually(async () => receiver.posts.find(({ body }) => body.id === id))
    expect(report).toMatchObject({ path: '/report', body: { id, status: 1, error: 0, mcc: '246', mnc: '03' } })
    const row = await ended(id)
    expect(row).toMatchObject({ status: 'delivered', errorCode: 0, text: '' })
    const text = await world.db.sandboxText.findFirstOrThrow({
      where: { accountId: world.accountId, recipient: '37060000001' },
    })
    expect(text).toMatchObject({ sender: 'Tests', text: 'x'.repeat(161), messageId: BigInt(id) })
  })

  test('is quoted with what the most that it may cost would refuse it for', async () => {
    const { token } = await world.makeAccount()
    const quoted = async (maxPrice: string) => {
      const { body } = await world.node.call('POST /sms/quote', { token, body: { ...sms, maxPrice } })
      return body
    }
    const { price } = await quoted('1')
    const { refusals } = await quoted('0.000001')
    const { status, body } = await send({ maxPrice: '0.000001' }, token)
    expect([status, body.code, body.details]).toEqual([
      409,
      'PRICE_CHANGED',
      { price, maxPrice: '0.000001', currency: 'EUR' },
    ])
    expect(refusals).toEqual([{ code: body.code, message: body.message, details: body.details }])
    expect((await quoted(price)).refusals).toEqual([])
    expect((await send({ maxPrice: price }, token)).status).toBe(200)
  })

  async function recipientOf(body: Record<string, unknown>): Promise<string> {
    const sent = await send(body)
    expect(sent.body).toEqual([expect.stringMatching(/^\d+$/)])
    const row = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(sent.body[0]) } })
    return row.recipient
  }

  test.each([
    '+370 600 00001',
    '0037060000001',
    '+370-(600)-00001',
    '３７０６００００００１',
    'tel:+370-600-00001',
    '+٣٧٠ ٦٠٠٠٠٠٠١',
    37060000001,
  ])('takes the number %j', async (to) => {
    expect(await recipientOf({ to })).toBe('37060000001')
  })

  test.each([
    ['+51987654321', 'BR', '51987654321', 'PE'],
    ['(51) 98765-4321', 'BR', '5551987654321', 'BR'],
    ['0011 370 600 00001', 'AU', '37060000001', 'LT'],
    ['009 372 512 3456', 'TH', '3725123456', 'EE'],
    ['61860698', 'LT', '37061860698', 'LT'],
  ])('sends %s with correctBy %s to %s, and the price names that number', async (to, correctBy, msisdn, country) => {
    const cost = await world.node.call('POST /sms/cost', { token: world.token, body: { ...sms, to, correctBy } })
    expect(cost.body).toMatchObject([{ to: msisdn, countryISO: country }])
    expect(await recipientOf({ to, correctBy })).toBe(msisdn)
  })

  test.each([
    ['(51) 98765-4321', /two ways: as \+51987654321 \(PE\), or as a national number/],
    ['009 372 512 3456', /two ways: as \+93725123456 \(AF\)/],
    ['436641234567.0', /no part of a number/],
    ['+37060000001¹', /no part of a number/],
    ['["+37060000001"]', /must be one phone number, and not a list/],
  ])('refuses the recipient %j with a sentence that says why', async (to, sentence) => {
    const { status, body } = await send({ to })
    expect([status, body.code, body.error_code]).toEqual([400, 'SEND_REFUSED', 53])
    expect(body.message).toMatch(sentence)
  })

  test('reads optional members that are null as left out, and required ones as missing', async () => {
    const nothing = { dlrUrl: null, priority: null, scheduled: null, udh: null, coding: null, correctBy: null }
    expect(await recipientOf({ ...nothing, expireIn: null, testMode: null })).toBe('37060000001')
    expect((await send({ message: null })).body.message).toBe("The field 'message' is missing: a text expected.")
    const sender = { type: 'AlphaNumeric', name: 'Nulled', category: 'Brand', categoryDescription: 'x' }
    const registered = await world.node.call('POST /senderId', {
      token: world.token,
      body: { ...sender, notificationUrl: null },
    })
    expect(registered.status).toBe(200)
  })

  test.each([
    { expireIn: '3600' },
    { coding: '0' },
    { from: ' Tests ' },
    { from: 'A-b_c&d#e!' },
    { coding: 1, udh: '%05%00%03%CC%02%01' },
    { coding: 1, udh: '050003cc0201' },
    { scheduled: `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 16)}+0000` },
    { scheduled: `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}-00:30` },
  ])('takes %j', async (changes) => {
    expect((await send(changes)).status).toBe(200)
  })

  test('stores a sender without the spaces around it, and a moment as what it is in UTC', async () => {
    const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
    const [id] = (await send({ from: 'Bakery ', scheduled: `${day} 12:30 +0200` })).body
    const row = await world.db.send.findFirstOrThrow({ where: { messages: { some: { id: BigInt(id) } } } })
    expect([row.sender, row.scheduledAt?.toISOString()]).toEqual(['Bakery', `${day}T10:30:00.000Z`])
  })

  test('splits a long text only where no coding is named', async () => {
    const message = 'x'.repeat(161)
    expect((await send({ message })).headers.get('x-vertexsms-amount-sent')).toBe('2')
    for (const route of ['POST /sms', 'POST /sms/cost']) {
      const refused = await world.node.call(route, { token: world.token, body: { ...sms, message, coding: 0 } })
      expect(refused.body).toMatchObject({ code: 'INVALID_INPUT', details: { reason: 'message_not_in_one_part' } })
    }
  })

  test('corrects a national number by the country it is given', async () => {
    const sent = await send({ to: '860000001', correctBy: 'LT' })
    expect(sent.status).toBe(200)
    const row = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(sent.body[0]) } })
    expect(row.recipient).toBe('37060000001')
    expect((await send({ to: '860000001' })).body).toMatchObject({ code: 'SEND_REFUSED', error_code: 53 })
  })

  test.each([
    ['12'],
    ['abc'],
    [''],
    ['+3705'],
    ['37052123456'],
    ['99999999999999'],
    ['+370600000011111111111111111111111111111111'],
    ["37060000001'--"],
  ])('refuses the recipient %j with code 53', async (to) => {
    const { status, body } = await send({ to })
    expect([status, body.code, body.error_code]).toEqual([400, 'SEND_REFUSED', 53])
    if (to !== '') expect(body.message).not.toContain(to)
  })

  test.each(['37060000001,37060000002', '+37060000001;+37060000002', '["+37060000001"]'])(
    'says of the recipients %j that they are a list',
    async (to) => {
      const { body } = await send({ to })
      expect(body).toMatchObject({ code: 'SEND_REFUSED', message: expect.stringContaining('and not a list of them') })
    },
  )

  test('takes a text of one visible sign among marks that nobody sees', async () => {
    expect((await send({ message: '\u2800\u3164☺\ufe0f' })).status).toBe(200)
  })

  test.each([
    [{ to: undefined }, "'to'"],
    [{ from: 5 }, "'from'"],
    [{ message: null }, "'message'"],
    [{ message: '' }, "'message'"],
    [{ message: ' \n\u00a0\u200b' }, "'message'"],
    [{ message: '\u2800\u3164\ufe0f' }, "'message': it holds nothing that can be read"],
    [{ message: 'x'.repeat(153 * 255 + 1) }, "'message'"],
    [{ message: 'Привет', coding: 0 }, "'message'"],
    [{ message: 'Привет', coding: 1 }, "'message'"],
    [{ coding: 3 }, "'coding'"],
    [{ priority: 'urgent-secret-value' }, "'priority'"],
    [{ scheduled: 'tomorrow' }, "'scheduled'"],
    [{ scheduled: '2026-11-22T10:00:00' }, "'scheduled'"],
    [{ scheduled: new Date(Date.now() - 60_000).toISOString() }, "'scheduled'"],
    [{ scheduled: new Date(Date.now() + 91 * 86_400_000).toISOString() }, "'scheduled'"],
    [{ expireIn: 359 }, "'expireIn'"],
    [{ expireIn: 432_001 }, "'expireIn'"],
    [{ testMode: 3 }, "'testMode'"],
    [{ scheduled: '2027-02-30T10:00:00Z' }, "'scheduled': it is not a date that exists"],
    [
      { scheduled: '2027-02-03' },
      "'scheduled': it must be ISO 8601 with an offset from UTC; the time of day is missing",
    ],
    [{ expireIn: 'soon' }, "'expireIn': a whole number of seconds from 360 to 432000"],
    [{ udh: 'xyz' }, "'udh'"],
    [{ udh: '%05%00%03%CC%02%01' }, "'udh': it needs coding"],
    [{ udh: '%0500', coding: 1 }, "'udh': pairs of hexadecimal digits"],
    [{ udh: '050003CC0201', coding: 0, message: 'x'.repeat(154) }, "'message': it is too long for one part"],
    [{ correctBy: 'lt' }, "'correctBy'"],
    [{ to: ['+37060000001'] }, "'to': a phone number in international form expected"],
    [{ to: Array(9).fill('+37060000001').join(',') }, 'POST /sms/batch takes a list'],
    [{ to: ['+37060000001'] }, 'POST /sms/batch takes a list'],
    [{ maxPrice: {} }, 'an amount in EUR'],
    [{ quoteId: 5 }, 'the quoteId of POST /sms/quote'],
    [{ extra: 'secret-value' }, "'extra'"],
    [{ 'secret-value <b>': 1 }, 'a field that this route does not take'],
  ])('refuses %j naming the field, never its value', async (changes, named) => {
    const { status, body } = await send(changes)
    expect([status, body.code, body.error_code]).toEqual([400, 'INVALID_INPUT', null])
    expect(body.message).toContain(named)
    expect(body.message).not.toContain('secret-value')
  })

  test.each([
    [
      'a list that is too long',
      Array.from({ length: 101 }, (_, at) => `+3706000${1000 + at}`),
      /'to': at most 100 entries expected/,
    ],
    ['an empty list', [], /'to': at least 1 entry expected/],
    ['a number without a list', '+37060000001', /'to': a list expected, and of each entry: a phone number/],
    ['a list in a list', [['+37060000001']], /'to\.0': a phone number in international form expected/],
    ['null in a list', [null], /'to\.0' is missing: a phone number in international form expected/],
  ])('refuses %s of POST /sms/batch saying what a list takes', async (_what, to, named) => {
    const { token } = world
    const body = { to, from: 'Tests', message: 'Hello' }
    const answer = await world.node.call('POST /sms/batch', { token, body })
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_INPUT'])
    expect(answer.body.message).toMatch(named)
  })

  test.each([[20], [21], [22], [23], [24]] as const)(
    'says what code %i means, of one message and of each of a list',
    async (code) => {
      const to = `447700900${String(code).padStart(3, '0')}`
      const told = { message: VERTEX_ERROR_MEANINGS[code], code: 'SEND_REFUSED', error_code: code }
      expect((await send({ to })).body).toEqual(told)
      const body = { ...sms, to: [to, '37060000001'] }
      const { messages } = (await world.node.call('POST /sms/batch', { token: world.token, body })).body
      expect(messages).toMatchObject([
        { status: 'failed', error: told },
        { status: 'sent', error: null },
      ])
    },
  )

  test.each([['Verylongname1'], ['Ünïcode'], [''], [' '], ['a$b'], ['a\nb'], ['+'], ['- _ & # !']])(
    'refuses the sender %j in the documented words',
    async (from) => {
      const { status, body } = await send({ from })
      expect([status, body.code, body.error_code]).toEqual([400, 'SEND_REFUSED', null])
      expect(body.message).toBe(
        "Invalid value for field 'from'. Sender ID must either be a valid MSISDN or an alpha-numeric string (max. length: 11 characters), which may consist only of upper+lower-case latin letters, digits, spaces and dots.",
      )
    },
  )

  test('takes a sender with the further signs that senders may have', async () => {
    for (const from of ['A-B_C & D!', 'No. 1 #Shop']) expect((await send({ from })).status).toBe(200)
  })

  test('refuses a number as sender that is not confirmed on this account', async () => {
    const other = await world.makeAccount()
    await world.db.senderId.create({
      data: {
        accountId: other.accountId,
        name: '37060000077',
        type: 'MSISDN',
        status: 'confirmed',
        createdAt: new Date(),
      },
    })
    await world.db.senderId.create({
      data: {
        accountId: world.accountId,
        name: '37060000078',
        type: 'MSISDN',
        status: 'pending_confirmation',
        createdAt: new Date(),
      },
    })
    for (const from of ['37060000077', '+37060000078']) expect((await send({ from })).body.code).toBe('SEND_REFUSED')
    expect((await send({ from: '+370 600 00077' }, other.token)).status).toBe(200)
  })

  test('refuses an unregistered name where networks ask for registration, and any name where they take numbers only', async () => {
    expect((await send({ to: '+971501234567' })).body.code).toBe('SEND_REFUSED')
    expect((await send({ to: '+12025550123' })).body.code).toBe('SEND_REFUSED')
    await world.db.senderId.create({
      data: {
        accountId: world.accountId,
        name: 'Shop',
        type: 'AlphaNumeric',
        status: 'confirmed',
        createdAt: new Date(),
      },
    })
    expect((await send({ to: '+971501234567', from: 'Shop' })).status).toBe(200)
  })

  test.each([
    'http://example.com/x',
    'https://127.0.0.1/x',
    'https://169.254.169.254/latest',
    'https://[::1]/x',
    'ftp://example.com',
    'javascript:alert(1)',
    'x',
    'https://user:pass@example.com/',
  ])('refuses the report URL %s', async (dlrUrl) => {
    const { status, body } = await strict.node.call('POST /sms', { token: strict.token, body: { ...sms, dlrUrl } })
    expect([status, body.code]).toEqual([400, 'URL_NOT_ALLOWED'])
    expect(body.message).toBe("Invalid value for field 'dlrUrl': it must be a public https URL.")
  })

  test('refuses a report URL that is too long to be called once its letters are written out', async () => {
    const dlrUrl = `https://example.com/${'ą'.repeat(400)}`
    const { status, body } = await strict.node.call('POST /sms', { token: strict.token, body: { ...sms, dlrUrl } })
    expect([status, body.code]).toEqual([400, 'URL_NOT_ALLOWED'])
    expect(body.message).toBe(
      "Invalid value for field 'dlrUrl': with its letters written out, as in %C4%85, it is longer than 2048 characters.",
    )
  })

  test('with testMode charges nothing, reports as asked and brings no text to the phone', async () => {
    const before = await balance()
    for (const [testMode, status, error] of [
      [1, 1, 0],
      ['2', 2, 2],
    ] as const) {
      const [id] = (await send({ testMode, to: '37060000099', dlrUrl: `${receiver.url}/test` })).body
      const report = await eventually(async () => receiver.posts.find(({ body }) => body.id === id))
      expect(report.body).toMatchObject({ status, error })
    }
    expect(await balance()).toBe(before)
    expect(await world.db.sandboxText.count({ where: { recipient: '37060000099' } })).toBe(0)
  })

  test('keeps a scheduled message until its time, held and not charged, and sends nothing once it is cancelled', async () => {
    const { accountId, token } = await world.makeAccount()
    const before = await balance(accountId)
    const held = async () =>
      (await world.db.spenderCount.findFirstOrThrow({ where: { spenderId: accountId } })).totalHeldMicros
    const scheduled = new Date(Date.now() + 3_600_000).toISOString()
    const [id] = (await send({ scheduled }, token)).body
    expect(await held()).toBeGreaterThan(0n)
    expect((await world.node.call(`GET /sms/status/${id}`, { token })).body.state).toBe('scheduled')
    expect((await world.node.call(`DELETE /sms/${id}`, { token: world.token })).status).toBe(404)
    // What is cancelled already is cancelled.
    for (const _ of ['once', 'again']) expect((await world.node.call(`DELETE /sms/${id}`, { token })).status).toBe(204)
    expect(await held()).toBe(0n)
    expect((await world.node.call(`GET /sms/status/${id}`, { token })).body.state).toBe('cancelled')
    expect(await balance(accountId)).toBe(before)
    const soon = new Date(Date.now() + 400).toISOString()
    const [next] = (await send({ scheduled: soon, to: '37060000098' }, token)).body
    expect(await world.db.message.count({ where: { accountId } })).toBe(0)
    await eventually(
      async () => (await world.db.message.count({ where: { orderId: BigInt(next), status: 'delivered' } })) > 0,
    )
    const text = await world.db.sandboxText.findFirstOrThrow({ where: { recipient: '37060000098' } })
    expect(text.receivedAt.getTime()).toBeGreaterThanOrEqual(new Date(soon).getTime())
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(1)
    const late = await world.node.call(`DELETE /sms/${next}`, { token })
    expect([late.status, late.body.code]).toEqual([409, 'ALREADY_HANDED_OVER'])
  })

  test('that is not of this token is told as there is none, in the same words whether another account has it', async () => {
    const { token } = await world.makeAccount()
    const scheduled = new Date(Date.now() + 3_600_000).toISOString()
    const [id] = (await send({ scheduled }, token)).body
    for (const route of ['GET /sms/status', 'DELETE /sms']) {
      for (const none of [id, '123456789012345678', '1', '0', 'x', '9'.repeat(22)]) {
        const { status, body } = await world.node.call(`${route}/${none}`, { token: world.token })
        expect([status, body], none).toEqual([
          404,
          { message: 'There is no such message of this token.', code: 'NOT_FOUND', error_code: null },
        ])
      }
    }
    expect((await world.node.call(`GET /sms/status/${id}`, { token })).body.state).toBe('scheduled')
  })

  test('is priced for no country that the limits of its token leave out, and a number that is none is told as such', async () => {
    const { accountId } = await world.makeAccount()
    const { id, token } = await world.makeToken({ accountId })
    const limits = { kind: 'token' as const, countries: ['LV'], createdAt: new Date() }
    await world.db.spender.create({ data: { id, accountId, ...limits } })
    const cost = async (to: string) => {
      const body = { to, from: 'Tests', message: 'Hello' }
      return (await world.node.call('POST /sms/cost', { token, body })).body
    }
    expect(await cost('37060000001')).toMatchObject({ code: 'DESTINATION_NOT_ALLOWED' })
    expect(await cost('37120000001')).toHaveLength(1)
    const wrong = await cost('999')
    expect(wrong).toMatchObject({ code: expect.any(String) })
    expect(wrong.code).not.toBe('DESTINATION_NOT_ALLOWED')
  })

  test('refuses with code 24 what the balance does not cover, and charges nothing', async () => {
    const { accountId, token } = await world.makeAccount(1_000n)
    expect((await send({}, token)).body).toMatchObject({ code: 'SEND_REFUSED', error_code: 24 })
    expect(await balance(accountId)).toBe(1_000n)
    expect(await world.db.message.count({ where: { accountId } })).toBe(0)
  })
})
