import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import {
  accessClaims,
  approveAgain,
  deleteManualToken,
  endConnection,
  makeConnection,
  makeIssuer,
} from './support/issuer.ts'
import { RACING, startWorld, type World } from './support/world.ts'

let world: World
let issuer: Awaited<ReturnType<typeof makeIssuer>>
beforeAll(async () => {
  world = await startWorld({}, { poolSize: RACING })
  issuer = await makeIssuer(world.db, 'key-1')
})
afterAll(() => world.close())

// `pnpm test:full` runs more of them.
const ROUNDS = Number(process.env.ENDING_RACES ?? 20)
const AT_ONCE = 10
const NUMBER = '37060000001'
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const sms = (changes: Record<string, unknown> = {}) => ({ to: NUMBER, from: 'Tests', message: 'Hello', ...changes })

/** A caller, and the act that ends it. */
interface Ended {
  /** Of the connection, or of the token. */
  readonly id: string
  readonly token: string
  readonly end: () => Promise<unknown>
}

async function connected(accountId: string): Promise<Ended> {
  const claims = accessClaims(accountId)
  const { id } = await makeConnection(world.db, accountId, claims.jti)
  return { id, token: await issuer.sign(claims), end: () => endConnection(world.db, id) }
}

async function narrowed(accountId: string): Promise<Ended> {
  const { id, token } = await connected(accountId)
  return { id, token, end: () => approveAgain(world.db, id, ['sms:rates']) }
}

async function limited(accountId: string): Promise<Ended> {
  const { id, token } = await connected(accountId)
  // Long ago: to a statement that began a moment before, an end of now would still be to come, and its refusal another.
  const expiresAt = new Date(Date.now() - 60_000)
  const end = () => world.db.connection.update({ where: { id }, data: { expiresAt } })
  return { id, token, end }
}

async function byHand(accountId: string): Promise<Ended> {
  const { id, token } = await world.makeToken({ accountId })
  return { id, token, end: () => deleteManualToken(world.db, id) }
}

/** Everything scheduled on the account becomes due, and is gone through. */
async function letItBeDue(accountId: string): Promise<void> {
  await world.db.send.updateMany({
    where: { accountId, scheduledAt: { not: null } },
    data: { scheduledAt: new Date() },
  })
  await eventually(async () => {
    const [waiting, out] = await Promise.all([
      world.db.sendMessage.count({ where: { accountId, state: { in: ['scheduled', 'held', 'handed_over'] } } }),
      world.db.message.count({ where: { accountId, status: 'accepted' } }),
    ])
    return waiting + out === 0
  })
}

const balanceOf = async (id: string) => (await world.db.account.findUniqueOrThrow({ where: { id } })).balanceMicros

test.each([
  [
    'a connection',
    connected,
    (id: string, expiresAt: Date) => world.db.connection.update({ where: { id }, data: { expiresAt } }),
  ],
  [
    'a token made by hand',
    byHand,
    (id: string, expiresAt: Date) => world.db.apiToken.update({ where: { id }, data: { expiresAt } }),
  ],
])('%s schedules nothing for after its end, and what is due before it', async (_who, make, endAt) => {
  const { accountId } = await world.makeAccount()
  const { id, token } = await make(accountId)
  const schedule = (inMs: number, route: 'POST /sms' | 'POST /sms/quote' = 'POST /sms') =>
    world.node.call(route, { token, body: sms({ scheduled: new Date(Date.now() + inMs).toISOString() }) })
  await endAt(id, new Date(Date.now() + 1_800_000))
  const { status, body } = await schedule(3_600_000)
  expect([status, body.code, body.details]).toEqual([400, 'INVALID_INPUT', { reason: 'scheduled_after_end' }])
  expect(await world.db.send.count({ where: { accountId } })).toBe(0)
  const quoted = await schedule(3_600_000, 'POST /sms/quote')
  expect([quoted.status, quoted.body.details]).toEqual([400, { reason: 'scheduled_after_end' }])
  for (const route of ['POST /sms/quote', 'POST /sms'] as const)
    expect((await schedule(1_200_000, route)).status).toBe(200)
})

test('a token made by hand that runs out cancels what it scheduled, and gives its money back', async () => {
  const { accountId } = await world.makeAccount()
  const { id, token } = await world.makeToken({ accountId })
  const [message] = (await world.node.call('POST /sms', { token, body: sms({ scheduled: inAnHour() }) })).body
  const row = () => world.db.sendMessage.findUniqueOrThrow({ where: { id: BigInt(message) } })
  expect(await row()).toMatchObject({ state: 'scheduled' })
  expect((await row()).holdMicros).toBeGreaterThan(0n)
  await world.db.apiToken.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } })
  const cancelled = { state: 'released', failureReason: 'cancelled', holdMicros: 0n, chargedMicros: 0n }
  expect(await eventually(async () => ((await row()).state === 'scheduled' ? undefined : row()))).toMatchObject(
    cancelled,
  )
})

describe.each([
  ['a connection', connected],
  ['a connection that runs out before its tokens', limited],
  ['a connection that loses the scope to send', narrowed],
  ['a token made by hand', byHand],
] as const)('%s that ends while it schedules a message', (_name, make) => {
  test(`sends nothing and pays nothing in ${ROUNDS} races, whichever came first`, async () => {
    const { accountId } = await world.makeAccount()
    const before = await balanceOf(accountId)
    const statuses = new Map<number, number>()
    for (let round = 0; round < ROUNDS / AT_ONCE; round++) {
      const callers = await Promise.all(Array.from({ length: AT_ONCE }, () => make(accountId)))
      await Promise.all(
        callers.flatMap(({ token, end }, at) => [
          world.node.call('POST /sms', { token, body: sms({ scheduled: inAnHour() }) }).then(({ status }) => {
            statuses.set(status, (statuses.get(status) ?? 0) + 1)
          }),
          // Some endings come with the request, some while it is on its way.
          (async () => {
            for (let turn = 0; turn < at * 2; turn++) await new Promise((resolve) => setImmediate(resolve))
            await end()
          })(),
        ]),
      )
    }
    await letItBeDue(accountId)
    const wentOut = await world.db.message.count({
      where: { accountId, status: { in: ['accepted', 'delivered', 'failed'] } },
    })
    expect(wentOut).toBe(0)
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(0)
    expect(await balanceOf(accountId)).toBe(before)
    const held = await world.db.spenderCount.findMany({ where: { spenderId: accountId } })
    // An account has no counter before its first send got as far as that.
    expect(held.length).toBeGreaterThanOrEqual(statuses.has(200) ? 1 : 0)
    for (const { totalHeldMicros, scheduled } of held) expect([totalHeldMicros, scheduled]).toEqual([0n, 0])
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 401)).toEqual([])
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(ROUNDS)
  })

  test('sends it when it does not end', async () => {
    const { accountId } = await world.makeAccount()
    const { token } = await make(accountId)
    const { body } = await world.node.call('POST /sms', { token, body: sms({ scheduled: inAnHour() }) })
    await letItBeDue(accountId)
    const row = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(body[0]) } })
    expect(row.status).toBe('delivered')
  })

  test('is refused as 401 once it has ended between the look at its token and the act, and nothing is charged', async () => {
    const { accountId } = await world.makeAccount()
    const before = await balanceOf(accountId)
    for (const [called, body] of [
      ['POST /sms', sms()],
      ['POST /sms', sms({ scheduled: inAnHour() })],
      ['POST /hlr', { msisdn: '37061234567' }],
      ['POST /senderId', { type: 'MSISDN', name: '37060020001' }],
      ['POST /senderId', { type: 'AlphaNumeric', name: 'Shop 9', category: 'Brand', categoryDescription: 'x' }],
    ] as const) {
      const answer = await endBeforeBody(await make(accountId), called, body)
      expect([answer.status, answer.code], called).toEqual([401, 'TOKEN_INVALID'])
    }
    expect(await balanceOf(accountId)).toBe(before)
    expect(await world.db.message.count({ where: { accountId } })).toBe(0)
    expect(await world.db.hlrLookup.count({ where: { accountId } })).toBe(0)
    expect(await world.db.senderId.count({ where: { accountId } })).toBe(0)
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(0)
  })
})

/** Sends the headers; once the guard has noted the token as used, ends its owner; then sends the body. */
async function endBeforeBody({ id, token, end }: Ended, called: string, body: unknown) {
  const [method = '', path = ''] = called.split(' ')
  const text = JSON.stringify(body)
  const headers = { 'x-vertexsms-token': token, 'content-type': 'application/json', 'content-length': text.length }
  const sent = request(world.node.url + path, { method, headers })
  // Also after the answer: what is still to be read of the body may make the end of the connection a reset.
  sent.on('error', () => {})
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  sent.flushHeaders()
  await eventually(() =>
    world.db.apiToken.findFirst({ where: { lastUsedAt: { not: null }, OR: [{ id }, { connectionId: id }] } }),
  )
  await end()
  sent.end(text)
  const [answer] = await answered
  const { code } = (await json(answer)) as { code: string }
  return { status: answer.statusCode, code }
}
