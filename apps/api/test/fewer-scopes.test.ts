// An app that is connected is approved again for less: what waits under its connection goes while that may still send.
import type { Scope } from '@vertexsms/contract/scopes'
import { createDatabase, type Database } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createScheduleJob } from '../src/sending/schedule.ts'
import { createSweepJob } from '../src/sending/sweep.ts'
import { eventually } from './support/eventually.ts'
import { type FakeOperator, fakeOperator } from './support/fake-operator.ts'
import { makeGate } from './support/gate.ts'
import { accessClaims, approveAgain, makeConnection, makeIssuer } from './support/issuer.ts'
import { countOf } from './support/ledger.ts'
import { pathNode } from './support/path.ts'
import { PATIENT_LIMITS, PATIENT_TIMES } from './support/patience.ts'
import { turn } from './support/turn.ts'
import { type Node, startWorld, type World } from './support/world.ts'

const NUMBER = '37060000001'
const MONTH_MS = 30 * 86_400_000
const PRICE_MICROS = 39_000n
const READING: readonly Scope[] = ['sms:rates', 'numbers:read']
const SENDING: readonly Scope[] = ['sms:send']
const CANCELLED = { state: 'released', failureReason: 'scope_lost', holdMicros: 0n, chargedMicros: 0n }

let world: World
let node: Node
let db: Database
let issuer: Awaited<ReturnType<typeof makeIssuer>>
let app: { readonly connectionId: string; readonly accountId: string; readonly token: string }
beforeAll(async () => {
  // The jobs of its nodes look once, at their start: a test says which of them looks, and when.
  world = await startWorld({ SANDBOX_POLL_MS: '3600000' })
  node = await world.startNode({}, { operator: fakeOperator() })
  db = createDatabase({ url: world.databaseUrl, poolSize: 3, limits: PATIENT_LIMITS })
  issuer = await makeIssuer(world.db, 'key-1')
})
afterAll(async () => {
  await db?.$disconnect()
  await world?.close()
})
beforeEach(async () => {
  const { accountId } = await world.makeAccount()
  const claims = accessClaims(accountId)
  const { id: connectionId } = await makeConnection(world.db, accountId, claims.jti)
  app = { connectionId, accountId, token: await issuer.sign(claims) }
})

/** Schedules a message that holds its price, and gives its id. */
async function schedule(aheadMs: number): Promise<bigint> {
  const scheduled = new Date(Date.now() + aheadMs).toISOString()
  const body = { to: NUMBER, from: 'Tests', message: 'Hello', scheduled }
  const answer = await node.call<[string]>('POST /sms', { token: app.token, body })
  expect(answer.status).toBe(200)
  expect(await heldAndWaiting()).toEqual([PRICE_MICROS, 1])
  return BigInt(answer.body[0])
}

/** Of the account and of the connection alike. */
async function heldAndWaiting() {
  const [account, connection] = await Promise.all(
    [app.accountId, app.connectionId].map(async (id) => {
      const { totalHeldMicros, scheduled } = await countOf(world.db, id)
      return [totalHeldMicros, scheduled]
    }),
  )
  expect(connection).toEqual(account)
  return account
}

const again = (scopes: readonly Scope[]) => approveAgain(world.db, app.connectionId, scopes)
const messageOf = (id: bigint) => world.db.sendMessage.findUniqueOrThrow({ where: { id } })
const sweep = () => turn(createSweepJob(db, 'sandbox', 1_000))

/** Everything that the connection scheduled is due, and the job that hands it over looks, alone. */
async function comeDue(operator: FakeOperator): Promise<void> {
  const scheduledAt = new Date(Date.now() - 1_000)
  await world.db.send.updateMany({ where: { connectionId: app.connectionId }, data: { scheduledAt } })
  const { deps, sending } = pathNode(db, operator)
  await turn(createScheduleJob(deps, sending, 1_000))
}

describe('a message that an app has scheduled', () => {
  test('is cancelled and given back once its connection loses the scope to send, though it is due in a month', async () => {
    const id = await schedule(MONTH_MS)
    await again(READING)
    await sweep()
    expect(await messageOf(id)).toMatchObject(CANCELLED)
    expect(await heldAndWaiting()).toEqual([0n, 0])
  })

  test('is told as ended, not as of an app that may not send, once its connection has ended as well', async () => {
    const id = await schedule(MONTH_MS)
    await again(READING)
    await world.db.connection.update({ where: { id: app.connectionId }, data: { endedAt: new Date() } })
    await sweep()
    expect(await messageOf(id)).toMatchObject({ ...CANCELLED, failureReason: 'cancelled' })
  })

  test('waits on while its connection keeps the scope to send and loses others', async () => {
    const id = await schedule(MONTH_MS)
    await again(SENDING)
    await sweep()
    expect((await messageOf(id)).state).toBe('scheduled')
    expect(await heldAndWaiting()).toEqual([PRICE_MICROS, 1])
  })

  test('is not handed over, but cancelled and given back, when it is due before anybody has swept', async () => {
    const id = await schedule(3_600_000)
    await again(READING)
    const operator = fakeOperator()
    await comeDue(operator)
    expect(await messageOf(id)).toMatchObject(CANCELLED)
    expect(await heldAndWaiting()).toEqual([0n, 0])
    expect(operator.handOvers.size).toBe(0)
  })

  test('is not handed over when the scope goes between the look at what is due and the hand-over', async () => {
    const id = await schedule(3_600_000)
    const operator = fakeOperator()
    // Asked of every send that was found due, before it is admitted.
    const generation = async () => {
      await again(READING)
      return 0
    }
    await comeDue({ ...operator, generation })
    expect(await messageOf(id)).toMatchObject(CANCELLED)
    expect(await heldAndWaiting()).toEqual([0n, 0])
    expect(operator.handOvers.size).toBe(0)
  })

  test('goes out once and is paid when its connection keeps the scope to send and loses others', async () => {
    const id = await schedule(3_600_000)
    await again(SENDING)
    const operator = fakeOperator()
    await comeDue(operator)
    await eventually(async () => (await messageOf(id)).state === 'accepted')
    expect(await messageOf(id)).toMatchObject({ holdMicros: 0n, chargedMicros: PRICE_MICROS })
    expect([...operator.handOvers]).toEqual([[id, 1]])
  })
})

describe('a list that is under way', () => {
  // Not in a row, for which a connection is paused.
  const to = Array.from({ length: 20 }, (_, at) => String(37060000100 + 100 * at))
  test.each([
    ['is not handed over any further once its connection loses the scope to send', READING, 4],
    ['goes on to its end when its connection keeps the scope to send and loses others', SENDING, 20],
  ] as const)(
    '%s, and holds nothing then',
    async (_promise, scopes, sent) => {
      const { passed, open } = makeGate()
      const operator = fakeOperator(undefined, () => passed)
      const times = { ...PATIENT_TIMES, handOverMs: 300_000, leaseSlackMs: 300_000, answerMs: 300_000 }
      const node = await world.startNode({}, { operator, times })
      const answer = node.call('POST /sms/batch', { token: app.token, body: { to, from: 'Tests', message: 'Hello' } })
      await eventually(async () => operator.handOvers.size === 4)
      await again(scopes)
      open()
      const { status, body } = await answer
      expect(status).toBe(200)
      const statuses = body.messages.map((message: { status: string }) => message.status).sort()
      expect(statuses).toEqual([...Array(20 - sent).fill('not_sent'), ...Array(sent).fill('sent')])
      expect(operator.handOvers.size).toBe(sent)
      expect(await heldAndWaiting()).toEqual([0n, 0])
      expect((await countOf(world.db, app.accountId)).totalSpentMicros).toBe(PRICE_MICROS * BigInt(sent))
    },
    120_000,
  )
})

describe('the rest of a scheduled list', () => {
  const to = Array.from({ length: 6 }, (_, at) => String(37060000100 + 100 * at))
  const where = () => ({ accountId: app.accountId })
  const countIn = (state: 'held' | 'handed_over') => world.db.sendMessage.count({ where: { ...where(), state } })
  const rest = () => world.db.sendMessage.findMany({ where: { ...where(), handedAt: null } })

  /** Four of the six are under way when the connection is changed, at a node that goes on or is gone. */
  async function underWay(changed: () => Promise<unknown>, goesOn: boolean): Promise<void> {
    const scheduled = new Date(Date.now() + 3_600_000).toISOString()
    const body = { to, from: 'Tests', message: 'Hello', scheduled }
    expect(await node.call('POST /sms/batch', { token: app.token, body })).toMatchObject({ status: 200 })
    const { passed, open } = makeGate()
    await comeDue(fakeOperator(undefined, () => passed))
    await eventually(async () => (await countIn('handed_over')) === 4)
    await changed()
    if (goesOn) return open()
    await world.db.send.updateMany({ where: where(), data: { runnerUntil: new Date(Date.now() - 1_000) } })
    const { deps, sending } = pathNode(db, fakeOperator())
    await turn(createScheduleJob(deps, sending, 1_000))
  }

  test.each([
    ['in the middle of it', true],
    ['before another node takes it up', false],
  ])('is refused for the scope that its connection lost %s, not as if its token had ended', async (_when, goesOn) => {
    await underWay(() => again(READING), goesOn)
    await eventually(async () => (await countIn('held')) === 0)
    const refused = { state: 'released', failure: 'PERMISSION_MISSING', failureReason: 'not_sent', holdMicros: 0n }
    expect(await rest()).toMatchObject([refused, refused])
  })

  test('is refused as of what has ended once its connection has ended as well', async () => {
    await underWay(async () => {
      await again(READING)
      await world.db.connection.update({ where: { id: app.connectionId }, data: { endedAt: new Date() } })
    }, true)
    await eventually(async () => (await countIn('held')) === 0)
    expect((await rest()).map(({ failure }) => failure)).toEqual(['TOKEN_INVALID', 'TOKEN_INVALID'])
  })
})

test('a connection that holds the scope to look numbers up, and not that to send, looks them up', async () => {
  const claims = accessClaims(app.accountId, { scope: 'hlr:lookup' })
  const { id } = await makeConnection(world.db, app.accountId, claims.jti)
  await world.db.connection.update({ where: { id }, data: { scopes: ['hlr:lookup'] } })
  const body = { msisdn: '37061234567' }
  expect(await world.node.call('POST /hlr', { token: await issuer.sign(claims), body })).toMatchObject({ status: 200 })
})
