import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../src/service-limits.ts'
import { eventually } from './support/eventually.ts'
import { startReceiver } from './support/receiver.ts'
import { RACING, startWorld, type World } from './support/world.ts'

let world: World
let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  world = await startWorld({}, { poolSize: RACING })
})
afterAll(async () => {
  await world.close()
  await receiver.close()
})

const register = (body: Record<string, unknown>, token = world.token, node = world.node) =>
  node.call('POST /senderId', { token, body })
const confirm = (id: string, code: string, token = world.token, node = world.node) =>
  node.call(`POST /senderId/confirm/${id}`, { token, body: { code } })

async function pinOf(recipient: string): Promise<string> {
  const text = await world.db.sandboxText.findFirstOrThrow({ where: { recipient }, orderBy: { id: 'desc' } })
  expect(text.sender).toBe('VertexSMS')
  return /\b\d{5}\b/.exec(text.text)?.[0] ?? ''
}

const wrong = (pin: string) => String((Number(pin) + 1) % 100_000).padStart(5, '0')

let next = 37060010000
const freshNumber = () => String(next++)

describe('a number as sender', () => {
  test('gets a PIN by SMS and may be used once it is confirmed', async () => {
    const name = freshNumber()
    const registered = await register({ type: 'MSISDN', name: `+${name}` })
    expect([registered.status, registered.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(registered.body).toMatch(/^\d+$/)
    const sms = { to: '37060000001', from: name, message: 'Hello' }
    expect((await world.node.call('POST /sms', { token: world.token, body: sms })).body.code).toBe('SEND_REFUSED')
    expect((await confirm(registered.body, await pinOf(name))).status).toBe(200)
    expect((await world.node.call('POST /sms', { token: world.token, body: sms })).status).toBe(200)
    expect((await confirm(registered.body, '00000')).body.code).toBe('CONFLICT')
    expect((await register({ type: 'MSISDN', name })).body.code).toBe('CONFLICT')
  })

  test('stores neither the PIN nor a plain hash of it', async () => {
    const name = freshNumber()
    const { body: id } = await register({ type: 'MSISDN', name })
    const row = await world.db.senderId.findUniqueOrThrow({ where: { id: BigInt(id) } })
    const { createHash } = await import('node:crypto')
    const stored = Buffer.from(row.pinHash ?? []).toString('hex')
    for (let pin = 0; pin < 100_000; pin++) {
      const text = String(pin).padStart(5, '0')
      if (createHash('sha256').update(text).digest('hex') === stored) throw new Error('a plain hash')
    }
    expect(stored).toHaveLength(64)
  })

  test('takes five tries, and no more from two nodes in parallel', async () => {
    const name = freshNumber()
    const { body: id } = await register({ type: 'MSISDN', name })
    const pin = await pinOf(name)
    const second = await world.startNode()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => confirm(id, wrong(pin), world.token, index % 2 ? second : world.node)),
    )
    const codes = answers.map(({ body }) => body.code).sort()
    expect(codes).toEqual([...Array(7).fill('CODE_EXPIRED'), ...Array(5).fill('CODE_WRONG')])
    expect((await confirm(id, pin)).body.code).toBe('CODE_EXPIRED')
  })

  test('is confirmed on the fifth try after four wrong ones', async () => {
    const name = freshNumber()
    const { body: id } = await register({ type: 'MSISDN', name })
    const pin = await pinOf(name)
    for (let count = 0; count < 4; count++) expect((await confirm(id, wrong(pin))).body.code).toBe('CODE_WRONG')
    expect((await confirm(id, pin)).status).toBe(200)
  })

  test('refuses a PIN after ten minutes, and takes the one of a new registration under the same id', async () => {
    const name = freshNumber()
    const { body: id } = await register({ type: 'MSISDN', name })
    const old = await pinOf(name)
    const row = await world.db.senderId.findUniqueOrThrow({ where: { id: BigInt(id) } })
    expect((row.pinExpiresAt?.getTime() ?? 0) - row.createdAt.getTime()).toBe(600_000)
    await world.db.senderId.update({ where: { id: BigInt(id) }, data: { pinExpiresAt: new Date(Date.now() - 1) } })
    expect((await confirm(id, old)).body.code).toBe('CODE_EXPIRED')
    expect((await register({ type: 'MSISDN', name })).body).toBe(id)
    expect((await confirm(id, await pinOf(name))).status).toBe(200)
  })

  test('gets five PINs a day from one account, and ten in all before each account has its first alone', async () => {
    const name = freshNumber()
    const others = await Promise.all([1, 2, 3].map(() => world.makeAccount()))
    const [second, third, fourth] = others.map(({ token }) => token)
    const ask = (token = world.token) => register({ type: 'MSISDN', name }, token)
    for (let count = 0; count < 5; count++) expect((await ask()).status).toBe(200)
    // One account cannot use up what another may send.
    for (let count = 0; count < 5; count++) expect((await ask()).body.code).toBe('RATE_LIMITED')
    for (let count = 0; count < 5; count++) expect((await ask(second)).status).toBe(200)
    for (const token of [third, fourth]) {
      expect((await ask(token)).status).toBe(200)
      const refused = await ask(token)
      expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    }
  })

  test('gets no more than thirty PINs a day, however many accounts ask', async () => {
    const name = freshNumber()
    const accounts = await Promise.all(Array.from({ length: 32 }, () => world.makeAccount()))
    const statuses = await Promise.all(
      accounts.map(async ({ token }) => (await register({ type: 'MSISDN', name }, token)).status),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(30)
    expect(await world.db.sandboxText.count({ where: { recipient: name } })).toBe(30)
  })

  test('is one of twenty that may wait for their code, also when all are asked for at once on two nodes', async () => {
    const { accountId, token } = await world.makeAccount()
    const nodes = [await world.startNode(), await world.startNode()]
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, at) =>
        register({ type: 'MSISDN', name: freshNumber() }, token, nodes[at % 2] as World['node']),
      ),
    )
    const codes = answers.map(({ status, body }) => (status === 200 ? 'sent' : body.code)).sort()
    expect(codes).toEqual([...Array(4).fill('RATE_LIMITED'), ...Array(20).fill('sent')])
    const other = await world.makeAccount()
    expect((await register({ type: 'MSISDN', name: freshNumber() }, other.token)).status).toBe(200)
    // Those whose code has expired make room, up to the day's number.
    await world.db.senderId.updateMany({ where: { accountId }, data: { pinExpiresAt: new Date(Date.now() - 1) } })
    expect((await register({ type: 'MSISDN', name: freshNumber() }, token)).status).toBe(200)
  })

  test('is one of fifty a day of its account, and one of fifty guesses', async () => {
    const { accountId, token } = await world.makeAccount()
    const expire = () =>
      world.db.senderId.updateMany({ where: { accountId }, data: { pinExpiresAt: new Date(Date.now() - 1) } })
    let sent = 0
    let guesses = 0
    for (let at = 0; at < 53; at++) {
      const { status, body: id } = await register(
        { type: 'MSISDN', name: `3706009${String(at).padStart(4, '0')}` },
        token,
      )
      if (status === 200) sent++
      for (let guess = 0; guess < 4 && status === 200 && at < 14; guess++) {
        if ((await confirm(id, '00000', token)).body.code !== 'RATE_LIMITED') guesses++
      }
      // No more of them wait than may.
      if (at % 15 === 14) await expire()
    }
    expect([sent, guesses]).toEqual([50, 50])
    const other = await world.makeAccount()
    const name = freshNumber()
    const { body: id } = await register({ type: 'MSISDN', name }, other.token)
    expect((await confirm(id, await pinOf(name), other.token)).status).toBe(200)
  })

  test('uses up no code of the day where none was sent, because too many wait for theirs', async () => {
    const { accountId, token } = await world.makeAccount()
    const codes: unknown[] = []
    for (let at = 0; at < LIMITS.pins.outstanding; at++)
      codes.push((await register({ type: 'MSISDN', name: freshNumber() }, token)).status)
    const name = freshNumber()
    for (let at = 0; at <= LIMITS.pins.perNumberAndDay; at++)
      codes.push((await register({ type: 'MSISDN', name }, token)).body.message)
    expect([...new Set(codes)]).toEqual([200, expect.stringContaining('wait for their code')])
    await world.db.senderId.updateMany({ where: { accountId }, data: { pinExpiresAt: new Date(Date.now() - 1) } })
    expect((await register({ type: 'MSISDN', name }, token)).status).toBe(200)
  })

  test('cannot be confirmed from another account', async () => {
    const name = freshNumber()
    const { body: id } = await register({ type: 'MSISDN', name })
    const other = await world.makeAccount()
    const refused = [await confirm(id, await pinOf(name), other.token), await confirm('x', '12345', other.token)]
    for (const { status, body } of refused) {
      expect([status, body.code, body.message]).toEqual([404, 'NOT_FOUND', 'There is no such sender of this account.'])
    }
  })

  test.each(['123', 'abc', '', '+37052123456'])('is refused when it is %j', async (name) => {
    const { status, body } = await register({ type: 'MSISDN', name })
    expect([status, body.code, body.error_code]).toEqual([400, 'INVALID_INPUT', 53])
  })

  test.each(['1234', '123456', 'abcde', ' 1234', 12345])('refuses the code %j by its form', async (code) => {
    const { status, body } = await world.node.call('POST /senderId/confirm/1', { token: world.token, body: { code } })
    expect([status, body.code]).toEqual([400, 'INVALID_INPUT'])
  })
})

describe('a name as sender', () => {
  const request = { type: 'AlphaNumeric', category: 'Brand', categoryDescription: 'Our shop' }

  test('is reviewed by the network and the outcome posted, with all the tries that a callback may have', async () => {
    const { body: id } = await register({ ...request, name: 'Bakery 7', notificationUrl: `${receiver.url}/name` })
    const post = await eventually(async () => receiver.posts.find(({ body }) => body.id === id))
    expect(post).toMatchObject({ path: '/name', body: { id, name: 'Bakery 7', status: 'confirmed' } })
    const [owed] = await world.db.callback.findMany({ where: { body: { path: ['id'], equals: id } } })
    expect(owed?.attemptsMax).toBe(LIMITS.tries.usual)
    expect((await register({ ...request, name: 'Bakery 7' })).body.code).toBe('CONFLICT')
    expect((await confirm(id, '12345')).body.code).toBe('CONFLICT')
  })

  test('is rejected when it says nothing of the sender, and may be registered again', async () => {
    const { body: id } = await register({ ...request, name: 'Bank', notificationUrl: `${receiver.url}/name` })
    const post = await eventually(async () => receiver.posts.find(({ body }) => body.id === id))
    expect(post.body).toEqual({ id, name: 'Bank', status: 'rejected' })
    expect((await register({ ...request, name: 'Bank' })).body).toBe(id)
  })

  test.each([
    [{ name: 'ab' }],
    [{ name: 'abcdefghijkl' }],
    [{ name: 'Café' }],
    [{ name: '12345' }],
    [{ name: 'Good', category: 'Pet' }],
    [{ name: 'Good', categoryDescription: '' }],
    [{ name: 'Good', type: 'Other' }],
  ])('is refused with %j', async (changes) => {
    const { status, body } = await register({ ...request, ...changes })
    expect([status, body.code]).toEqual([400, 'INVALID_INPUT'])
  })

  test.each([
    ['category', /: one of Company, Product, Brand, Shortcode, Landline, Other expected\.$/],
    ['categoryDescription', /: a text of 1 to 500 characters expected\.$/],
    ['name', /: a name of 3 to 11 characters expected, or .* a phone number in international form/],
    ['type', /: AlphaNumeric or MSISDN expected\.$/],
  ])('is refused without its %s, and told what belongs there', async (field, way) => {
    const { status, body } = await register({ ...request, name: 'Good', [field]: null })
    expect([status, body.code]).toEqual([400, 'INVALID_INPUT'])
    expect(body.message.startsWith(`The field '${field}' is missing:`)).toBe(true)
    expect(body.message).toMatch(way)
  })

  test('may be digits where it is a short code', async () => {
    expect((await register({ ...request, name: '1324', category: 'Shortcode' })).status).toBe(200)
  })

  test('is refused with a notification URL that must not be called', async () => {
    const { body } = await register({ ...request, name: 'Other 1', notificationUrl: 'https://192.168.1.1/' })
    expect(body).toMatchObject({ code: 'URL_NOT_ALLOWED', message: expect.stringContaining("'notificationUrl'") })
  })
})
