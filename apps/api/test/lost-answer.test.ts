// What is told where the answer of the database was lost, and what was done all the same: one server behind one door, which
// loses, cuts or holds what each case names.
import { CLIENT_ADDRESS_HEADER, EDGE_SECRET_HEADER } from '@vertexsms/contract/headers'
import { readTestDatabaseUrl } from '@vertexsms/db/env'
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { makeGate } from './support/gate.ts'
import { PATIENT_TIMES } from './support/patience.ts'
import { waitingForLock } from './support/waiting.ts'
import { EDGE_SECRET, type Node, startWorld, type World } from './support/world.ts'

let world: World
let door: Door
let node: Node
beforeAll(async () => {
  world = await startWorld()
  door = await doorTo(world.databaseUrl)
  node = await world.startNode({ DATABASE_URL: door.url, DATABASE_NAMED_STATEMENTS: 'off' })
})
afterAll(async () => {
  await world.close()
  await door?.close()
})

const effects = [
  ['POST /sms', 'INSERT INTO message', { to: '37060000001', from: 'Tests', message: 'Hello' }],
  ['POST /hlr', 'INSERT INTO hlr_lookup', { msisdn: '37061234567' }],
] as const

const balanceOf = async (id: string) => (await world.db.account.findUniqueOrThrow({ where: { id } })).balanceMicros

test.each(effects)('%s whose answer was lost is called neither done nor undone', async (route, statement, body) => {
  const { accountId, token } = await world.makeAccount()
  const before = await balanceOf(accountId)
  door.loseAnswerTo(statement)
  const { status, headers, body: answer } = await node.call(route, { token, body })
  expect([status, answer.code, headers.get('retry-after')]).toEqual([500, 'SEND_OUTCOME_UNKNOWN', null])
  expect(answer.details.ids).toHaveLength(1)
  // A repetition would be charged again.
  await eventually(async () => (await balanceOf(accountId)) < before)
  expect((await node.call(route, { token, body })).status).toBe(200)
})

test.each(effects)('%s that reached no database is called undone, and is', async (route, _statement, body) => {
  const { accountId, token } = await world.makeAccount()
  const before = await balanceOf(accountId)
  door.shut()
  const { status, headers, body: answer } = await node.call(route, { token, body })
  door.open()
  expect([status, answer.code, Number(headers.get('retry-after')) > 0]).toEqual([503, 'UNAVAILABLE', true])
  expect(await balanceOf(accountId)).toBe(before)
})

test.each(effects)(
  '%s that was let in by a statement whose answer was lost is carried out once',
  async (route, _statement, body) => {
    const { accountId, token } = await world.makeAccount()
    const before = await balanceOf(accountId)
    door.loseAnswerTo('INSERT INTO send_message')
    const { status, body: answer } = await node.call(route, { token, body })
    expect(status).toBe(200)
    const rows = await world.db.sendMessage.findMany({ where: { accountId } })
    expect(rows.map(({ id, state }) => [String(id), state])).toEqual([[String(answer[0]), 'accepted']])
    expect(before - (await balanceOf(accountId))).toBe(rows[0]?.chargedMicros)
  },
)

test.each(effects)(
  '%s whose settlement was lost is answered with success, and settled later',
  async (route, _statement, body) => {
    const { accountId, token } = await world.makeAccount()
    door.loseAnswerTo('UPDATE spender_count n')
    expect((await node.call(route, { token, body })).status).toBe(200)
    const row = await eventually(() => world.db.sendMessage.findFirst({ where: { accountId, state: 'accepted' } }))
    const { totalSpentMicros, totalHeldMicros } = await world.db.spenderCount.findFirstOrThrow({
      where: { spenderId: accountId },
    })
    expect([totalSpentMicros, totalHeldMicros]).toEqual([row.chargedMicros, 0n])
  },
)

describe('a send that takes the last room there is', () => {
  const [[, , body]] = effects
  const limit = (id: string, limits: Record<string, unknown>) =>
    world.db.spender.update({ where: { id }, data: limits })
  type Account = Awaited<ReturnType<typeof world.makeAccount>>

  /** Leaves room for one more like the first. */
  const rooms: Record<string, (account: Account) => Promise<unknown>> = {
    'of the recipients of a day': ({ accountId }) => limit(accountId, { recipientsPerDay: 2 }),
    'of the total': async ({ accountId }) => {
      const { chargedMicros } = await world.db.sendMessage.findFirstOrThrow({ where: { accountId } })
      // What is held is the dearest of the country.
      await limit(accountId, { maxTotalMicros: chargedMicros * 3n - 1n })
    },
    'with the upstream': ({ accountId: spenderId }) =>
      world.db.spenderCount.updateMany({ where: { spenderId }, data: { handedOver: 7 } }),
    'under an approval': async ({ accountId, token }) => {
      await limit(accountId, { askAboveMicros: 0n })
      expect((await node.call('POST /sms', { token, body })).body.code).toBe('APPROVAL_REQUIRED')
      await world.db.approval.updateMany({ where: { accountId }, data: { state: 'approved' } })
    },
  }
  const withOneSent = async () => {
    const account = await world.makeAccount()
    expect((await node.call('POST /sms', { token: account.token, body })).status).toBe(200)
    return account
  }
  const states = async (accountId: string) =>
    (await world.db.sendMessage.findMany({ where: { accountId } })).map(({ state }) => state)

  test.each(Object.entries(rooms))(
    '%s does not stand in its own way where the answer was lost',
    async (room, leave) => {
      const account = await withOneSent()
      await leave(account)
      door.loseAnswerTo(room === 'under an approval' ? "SET state = 'used'" : 'INSERT INTO send_message')
      const { status, body: answer } = await node.call('POST /sms', { token: account.token, body })
      expect([status, answer]).toEqual([200, [expect.any(String)]])
      expect(await states(account.accountId)).toEqual(['accepted', 'accepted'])
    },
  )

  test('is refused where another took it, though that answer was lost', async () => {
    const { accountId, token } = await withOneSent()
    await limit(accountId, { recipientsPerDay: 1 })
    door.loseAnswerTo('INSERT INTO send_message')
    const { status, body: answer } = await node.call('POST /sms', { token, body })
    expect([status, answer.code]).toEqual([403, 'RECIPIENTS_REACHED'])
    expect(await states(accountId)).toEqual(['accepted'])
  })
})

describe('a send that was let in, of which that cannot be asked', () => {
  const own = 'AS day FROM send_message m WHERE m.send_id'
  const body = { ...effects[0][2], scheduled: new Date(Date.now() + 3_600_000).toISOString() }

  test.each([
    ['at first is told as let in', [own], 200, 'scheduled'],
    ['at all is called undone, and given back', [own, own], 503, 'released'],
  ] as const)('%s', async (_what, unasked, status, state) => {
    const { accountId, token } = await world.makeAccount()
    // What it spends by is written with its first.
    await node.call('POST /hlr', { token, body: effects[1][2] })
    door.loseAnswerTo('INSERT INTO send_message', ...unasked)
    expect((await node.call('POST /sms', { token, body })).status).toBe(status)
    await eventually(() => world.db.sendMessage.findFirst({ where: { accountId, send: { kind: 'sms' }, state } }))
    const where = { accountId, send: { kind: 'sms' } } as const
    expect(await world.db.sendMessage.count({ where })).toBe(1)
  })
})

test('a send that a server which stood still comes to long after its caller was told is not let in', async () => {
  const [route, , body] = effects[0]
  const { accountId, token } = await world.makeAccount()
  // What it spends by is written with its first.
  expect((await node.call(route, { token, body })).status).toBe(200)
  const carriedOut = door.hold('INSERT INTO send_message', 'cut')
  const { status, body: answer } = await node.call(route, { token, body })
  expect([status, answer.code]).toEqual([503, 'UNAVAILABLE'])
  await world.followDate(31_000)
  door.open()
  await carriedOut
  await world.followDate()
  expect(await world.db.sendMessage.count({ where: { accountId } })).toBe(1)
})

test('a send that is refused at its second try is not let in by the first, to which the server comes later', async () => {
  const [route, , body] = effects[0]
  const { accountId, token } = await world.makeAccount()
  expect((await node.call(route, { token, body })).status).toBe(200)
  const limits = { DATABASE_STATEMENT_TIMEOUT_MS: '1000' }
  const settings = { DATABASE_URL: door.url, DATABASE_NAMED_STATEMENTS: 'off', ...limits }
  const impatient = await world.startNode(settings, { times: { ...PATIENT_TIMES, placeMs: 100 } })
  const places = (handedOver: number) =>
    world.db.spenderCount.updateMany({ where: { spenderId: accountId }, data: { handedOver } })
  await places(8)
  const carriedOut = door.holdNext('INSERT INTO send_message')
  const { status, body: answer } = await impatient.call(route, { token, body })
  expect([status, answer.code]).toEqual([429, 'RATE_LIMITED'])
  await places(0)
  door.open()
  await carriedOut
  await eventually(() => world.db.sendMessage.findFirst({ where: { accountId, state: 'released' } }))
  expect(await world.db.sendMessage.count({ where: { accountId } })).toBe(2)
})

describe('what a server that stood still may let in after all', () => {
  const scheduled = { ...effects[0][2], to: ['37060000001'], scheduled: new Date(Date.now() + 3_600_000).toISOString() }
  const headers = { 'idempotency-key': 'one' }
  const ofLists = { scheduledAt: { not: null } } as const

  /** A node of its own, and calls of accounts by it that are told that nothing was sent. */
  async function toldUndone(calls: number) {
    const accounts = await Promise.all(Array.from({ length: calls }, () => world.makeAccount()))
    for (const { token } of accounts) await node.call('POST /sms', { token, body: effects[0][2] })
    const settings = { DATABASE_URL: door.url, DATABASE_NAMED_STATEMENTS: 'off' }
    const other = await world.startNode(settings)
    const carriedOut = door.hold('INSERT INTO send_message', 'cut')
    for (const { token } of accounts) {
      const { status, body } = await other.call('POST /sms/batch', { token, headers, body: scheduled })
      expect([status, body.code]).toEqual([503, 'UNAVAILABLE'])
    }
    const letIn = () => {
      door.open()
      return carriedOut
    }
    return { accounts, other, letIn }
  }

  test('holds up no process that stops', async () => {
    const { other, letIn } = await toldUndone(1)
    await other.close()
    await letIn()
  })

  test('is looked for once more by a process that stops', async () => {
    const { accounts, other, letIn } = await toldUndone(1)
    await letIn()
    await other.close()
    const where = { accountId: accounts[0]?.accountId ?? '', send: ofLists }
    expect(await world.db.sendMessage.findMany({ where, select: { state: true } })).toEqual([{ state: 'released' }])
  })

  test('is met by no repeat, of several such calls neither', async () => {
    const { accounts, other, letIn } = await toldUndone(2)
    await letIn()
    for (const { accountId, token } of accounts) {
      const { status, body } = await other.call('POST /sms/batch', { token, headers, body: scheduled })
      expect([status, body.messages[0].status]).toEqual([200, 'scheduled'])
      const where = { accountId, send: ofLists }
      await eventually(() => world.db.sendMessage.findFirst({ where: { ...where, state: 'released' } }))
      const waits = await world.db.sendMessage.findMany({ where: { ...where, state: 'scheduled' } })
      expect(waits.map(({ id }) => String(id))).toEqual([body.messages[0].id])
    }
  })
})

test('a list whose messages left is never called undone: where they cannot be read, it is told their ids', async () => {
  const { accountId, token } = await world.makeAccount()
  door.loseAnswerTo('WHERE s.id = $1::uuid ORDER BY m.position')
  const body = { to: ['37060000001', '37060000002'], from: 'Tests', message: 'Hello' }
  const { status, headers, body: answer } = await node.call('POST /sms/batch', { token, body })
  expect([status, answer.code, headers.get('retry-after')]).toEqual([500, 'SEND_OUTCOME_UNKNOWN', null])
  const rows = await world.db.sendMessage.findMany({ where: { accountId }, orderBy: { position: 'asc' } })
  expect(rows.map(({ state }) => state)).toEqual(['accepted', 'accepted'])
  expect(answer.details).toEqual({ sendId: rows[0]?.sendId, ids: rows.map(({ id }) => String(id)) })
})

describe.skipIf(readTestDatabaseUrl() === undefined)('at a server that still runs what nobody waits for', () => {
  /** A call that is told that nothing was sent, while its statement waits for the account: `release` lets that go on. */
  async function stuck(
    { accountId, token }: { accountId: string; token: string },
    { headers, body }: { headers: Record<string, string>; body: Record<string, unknown> },
  ): Promise<() => Promise<unknown>> {
    let release = () => {}
    const { passed: held, open: isHeld } = makeGate()
    const holding = world.db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT id::text FROM account WHERE id = ${accountId}::uuid FOR UPDATE`
        isHeld()
        await new Promise<void>((resolve) => {
          release = resolve
        })
      },
      { timeout: 60_000 },
    )
    await held
    let isAnswered = false
    const answering = node
      .call(Array.isArray(body.to) ? 'POST /sms/batch' : 'POST /sms', { token, headers, body })
      .finally(() => {
        isAnswered = true
      })
    // As often as the statement is tried.
    for (let cuts = 0; !isAnswered; cuts++) {
      await eventually(async () => isAnswered || (await waitingForLock(world.db, 'WITH owner AS')) > cuts)
      door.cut()
    }
    const { status, body: answer } = await answering
    expect([status, answer.code]).toEqual([503, 'UNAVAILABLE'])
    // What may have been let in is looked for, and is not there yet.
    await eventually(async () => {
      const [row] = await world.db.$queryRaw<[{ count: bigint }]>`
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle' AND query LIKE '%WITH told AS%'`
      return row.count > 0n
    })
    return () => {
      release()
      return holding
    }
  }

  const dlrUrl = 'http://127.0.0.1:9/never'
  const later = () => ({ scheduled: new Date(Date.now() + 3_600_000).toISOString(), dlrUrl })
  test.each([
    ['handed over', { dlrUrl }, {}, 0],
    ['scheduled', later(), {}, 0],
    ['scheduled under a key', later(), { 'idempotency-key': 'one' }, 1],
  ])(
    'a send that is let in after its caller was told that nothing was sent is given back: %s',
    async (_how, more, headers, posts) => {
      const account = await world.makeAccount()
      const { accountId, token } = account
      const [, , body] = effects[0]
      expect((await node.call('POST /sms', { token, body })).status).toBe(200)
      const release = await stuck(account, { headers, body: { ...body, ...more } })
      await release()
      const given = () => world.db.sendMessage.findFirst({ where: { accountId, state: 'released' } })
      expect((await eventually(given)).failureReason).toBe('not_sent')
      // Nobody was told its id, but for who may have met it by its key.
      expect(await world.db.callback.count({ where: { accountId } })).toBe(posts)
      const { totalHeldMicros, handedOver, scheduled } = await world.db.spenderCount.findFirstOrThrow({
        where: { spenderId: accountId },
      })
      expect([totalHeldMicros, handedOver, scheduled]).toEqual([0n, 0, 0])
    },
  )

  test.each([
    ['its key', { 'idempotency-key': 'one' }],
    ['what it sends', { [EDGE_SECRET_HEADER]: EDGE_SECRET, [CLIENT_ADDRESS_HEADER]: '127.0.0.1' }],
  ])('a repeat that finds such a send by %s is told of one that stays', async (_how, headers) => {
    const account = await world.makeAccount()
    const { accountId, token } = account
    expect((await node.call('POST /sms', { token, body: effects[0][2] })).status).toBe(200)
    const body = { ...effects[0][2], to: ['37060000001'], ...later() }
    const release = await stuck(account, { headers, body })
    await release()
    const where = { accountId, send: { scheduledAt: { not: null } } }
    await eventually(() => world.db.sendMessage.findFirst({ where }))
    const { status, body: answer } = await node.call('POST /sms/batch', { token, headers, body })
    expect([status, answer.messages[0].status]).toEqual([200, 'scheduled'])
    await eventually(() => world.db.sendMessage.findFirst({ where: { ...where, state: 'released' } }))
    const waits = await world.db.sendMessage.findMany({ where: { ...where, state: 'scheduled' } })
    expect(waits.map(({ id }) => String(id))).toEqual([answer.messages[0].id])
  })
})
