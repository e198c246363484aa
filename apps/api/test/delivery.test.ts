import { randomUUID } from 'node:crypto'
import { createJobRunner } from '@vertexsms/service/jobs'
import { createLogger } from '@vertexsms/service/logger'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCleanUpJob, TEXT_LIFETIME_MS } from '../src/jobs/clean-up.ts'
import { eventually } from './support/eventually.ts'
import { approveAgain, makeConnection } from './support/issuer.ts'
import { startReceiver } from './support/receiver.ts'
import { turn } from './support/turn.ts'
import { RACING, startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ SANDBOX_DELIVERY_MS: '300' }, { poolSize: RACING })
})
afterAll(async () => {
  await world.close()
})

const sms = (changes: Record<string, unknown> = {}) => ({
  to: '37060000001',
  from: 'Tests',
  message: 'Hello',
  ...changes,
})

/** So many calls, as many at the same time as an account has places with the upstream. */
async function inTurns<Result>(
  count: number,
  call: (at: number) => Promise<Result> | undefined,
): Promise<(Result | undefined)[]> {
  const results: (Result | undefined)[] = []
  let next = 0
  const work = async () => {
    for (let at = next++; at < count; at = next++) results[at] = await call(at)
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return results
}

describe('delivery', () => {
  test('goes on after a restart in the middle: every message ends once and every report is posted', async () => {
    const receiver = await startReceiver()
    const { accountId, token } = await world.makeAccount()
    const node = await world.startNode({ SANDBOX_DELIVERY_MS: '200' })
    await world.node.close()
    const sent = await inTurns(24, () => node.call('POST /sms', { token, body: sms({ dlrUrl: `${receiver.url}/x` }) }))
    const ids = sent.map((answer) => answer?.body[0])
    await eventually(async () => receiver.posts.length > 0)
    await node.close()
    world.node = await world.startNode()
    await eventually(async () => (await world.db.message.count({ where: { accountId, status: 'delivered' } })) === 24)
    // Owed is a report only a moment after its message is delivered: none owed yet is not all posted.
    const isPosted = { accountId, deliveredAt: { not: null } }
    await eventually(async () => (await world.db.callback.count({ where: isPosted })) === 24)
    expect(new Set(receiver.posts.map(({ body }) => body.id))).toEqual(new Set(ids))
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(24)
    await receiver.close()
  })

  test('by two nodes on one database posts each report once', async () => {
    const receiver = await startReceiver()
    const { accountId, token } = await world.makeAccount()
    const nodes = [world.node, await world.startNode(), await world.startNode()]
    const sent = await inTurns(24, (at) =>
      nodes[at % 3]?.call('POST /sms', { token, body: sms({ dlrUrl: `${receiver.url}/x` }) }),
    )
    await eventually(
      async () => (await world.db.callback.count({ where: { accountId, deliveredAt: { not: null } } })) === 24,
    )
    expect(receiver.posts.map(({ body }) => body.id).sort()).toEqual(sent.map((answer) => answer?.body[0]).sort())
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(24)
    await receiver.close()
  })

  test('is owed for every message that a stopping node had taken: no answer is lost, none is without its row', async () => {
    const { accountId, token } = await world.makeAccount()
    const node = await world.startNode()
    let received = 0
    node.app.server.on('request', () => received++)
    const sending = Array.from({ length: 30 }, () => node.call('POST /sms', { token, body: sms() }))
    await eventually(async () => received === 30)
    const [answers] = await Promise.all([Promise.all(sending), node.close()])
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200))
    const rows = await world.db.message.findMany({ where: { accountId } })
    expect(rows.map(({ orderId }) => String(orderId)).sort()).toEqual(answers.map(({ body }) => body[0]).sort())
  })

  test('is posted once it is owed, a report, a result or a review, by a node that hardly ever looks', async () => {
    const receiver = await startReceiver()
    const { token } = await world.makeAccount()
    const node = await world.startNode({ SANDBOX_POLL_MS: '3600000' })
    await world.node.close()
    const posted = (path: string) =>
      eventually(async () => receiver.posts.find((post) => post.path === path)).then(({ body }) => body.id)
    const [smsId] = (await node.call('POST /sms', { token, body: sms({ dlrUrl: `${receiver.url}/sms` }) })).body
    expect(await posted('/sms')).toBe(smsId)
    const lookup = { msisdn: '37061234567', callBackUrl: `${receiver.url}/hlr` }
    const [hlrId] = (await node.call('POST /hlr', { token, body: lookup })).body
    expect(String(await posted('/hlr'))).toBe(String(hlrId))
    const name = { name: 'Bakery', type: 'AlphaNumeric', category: 'Company', categoryDescription: 'Bread' }
    const review = { ...name, notificationUrl: `${receiver.url}/review` }
    const { body: senderId } = await node.call('POST /senderId', { token, body: review })
    expect(String(await posted('/review'))).toBe(String(senderId))
    await node.close()
    world.node = await world.startNode()
    await receiver.close()
  })

  test('of what is due together begins with high priority', async () => {
    const { accountId, token } = await world.makeAccount()
    const order: number[] = []
    for (const priority of ['low', 'normal', 'high']) {
      const { body } = await world.node.call('POST /sms', { token, body: sms({ priority }) })
      const row = await world.db.message.findFirstOrThrow({ where: { accountId, orderId: BigInt(body[0]) } })
      order.push(row.priority)
    }
    expect(order).toEqual([2, 1, 0])
  })

  test('of a message whose validity ends first is reported as expired', async () => {
    const receiver = await startReceiver()
    const { token } = await world.makeAccount()
    const slow = await world.startNode({ SANDBOX_DELIVERY_MS: '80000000' })
    const { body } = await slow.call('POST /sms', { token, body: sms({ expireIn: 360, dlrUrl: receiver.url }) })
    await slow.close()
    const row = await world.db.message.findFirstOrThrow({ where: { orderId: BigInt(body[0]) } })
    expect(row.reportAt.getTime() - row.createdAt.getTime()).toBe(360_000)
    await world.db.message.update({ where: { id: row.id }, data: { reportAt: new Date(), expiresAt: new Date(0) } })
    const post = await eventually(async () => receiver.posts[0])
    expect(post.body).toMatchObject({ id: body[0], status: 16, error: 2 })
    await receiver.close()
  })

  test('of a disabled account is cancelled', async () => {
    const { accountId, token } = await world.makeAccount()
    const scheduled = new Date(Date.now() + 3_600_000).toISOString()
    const { body } = await world.node.call('POST /sms', { token, body: sms({ scheduled }) })
    await world.db.account.update({ where: { id: accountId }, data: { status: 'disabled' } })
    await world.db.send.updateMany({
      where: { accountId, scheduledAt: { not: null } },
      data: { scheduledAt: new Date() },
    })
    await eventually(
      async () =>
        (await world.db.sendMessage.findUniqueOrThrow({ where: { id: BigInt(body[0]) } })).state === 'released',
    )
    expect(await world.db.message.count({ where: { accountId } })).toBe(0)
  })

  test('of a row from before sends had tables is cancelled once its connection has run out or may not send, and not before', async () => {
    const { accountId } = await world.makeAccount()
    const now = new Date()
    const times = { createdAt: now, sendAt: now, reportAt: now, expiresAt: now }
    const schedule = async (then: (connectionId: string) => Promise<unknown>) => {
      const { id: connectionId } = await makeConnection(world.db, accountId, randomUUID())
      await then(connectionId)
      const text = { recipient: '37060000001', sender: 'Test', text: 'later', coding: 0, parts: 1, mccmnc: '24601' }
      const data = { accountId, connectionId, ...text, ...times, priority: 0, outcomeCode: 0, priceMicros: 0n }
      return (await world.db.message.create({ data: { ...data, status: 'scheduled' } })).id
    }
    const expiresAt = new Date(now.getTime() - 1)
    const ids = [
      await schedule((id) => approveAgain(world.db, id, ['sms:send'])),
      await schedule((id) => world.db.connection.update({ where: { id }, data: { expiresAt } })),
      await schedule((id) => approveAgain(world.db, id, ['sms:rates'])),
    ]
    const statuses = async () =>
      (await world.db.message.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } })).map((row) => row.status)
    await eventually(async () => !(await statuses()).includes('scheduled'))
    expect((await statuses())[0]).not.toBe('cancelled')
    expect((await statuses()).slice(1)).toEqual(['cancelled', 'cancelled'])
  })
})

test('texts on the sandbox phone, finished callbacks and their like go after seven days', async () => {
  const { accountId } = await world.makeAccount()
  const now = new Date()
  const old = new Date(now.getTime() - TEXT_LIFETIME_MS - 1)
  const young = new Date(now.getTime() - TEXT_LIFETIME_MS + 60_000)
  for (const receivedAt of [old, young]) {
    await world.db.sandboxText.create({ data: { accountId, recipient: '1', sender: 'x', text: 'x', receivedAt } })
    await world.db.callback.create({
      data: { accountId, url: 'x', body: {}, createdAt: receivedAt, nextAt: receivedAt, abandonedAt: receivedAt },
    })
  }
  await turn(createCleanUpJob(world.db), now)
  expect(await world.db.sandboxText.findMany({ where: { accountId } })).toMatchObject([{ receivedAt: young }])
  expect(await world.db.callback.findMany({ where: { accountId } })).toMatchObject([{ createdAt: young }])
})

test('a job that fails is tried again, and does not disturb the others', async () => {
  let failures = 0
  let runs = 0
  const lines: string[] = []
  const logger = createLogger({
    service: 'api',
    level: 'info',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const runner = createJobRunner(
    [
      {
        name: 'broken',
        everyMs: 10,
        run: async () => {
          failures++
          throw new Error('secret text')
        },
      },
      {
        name: 'sound',
        everyMs: 10,
        run: async () => {
          runs++
          return 0
        },
      },
    ],
    async () => new Date(),
    logger,
  )
  runner.start()
  await eventually(async () => failures >= 2 && runs >= 5)
  await runner.stop()
  const [failuresThen, runsThen] = [failures, runs]
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([failures, runs]).toEqual([failuresThen, runsThen])
  expect(lines.join()).toContain('job failed')
  expect(lines.join()).not.toContain('secret text')
})
