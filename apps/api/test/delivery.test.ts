import { createLogger } from '@vertexsms/service/logger'
import { createOutbound } from '@vertexsms/service/outbound'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createCallbackPost } from '../src/callback-urls.ts'
import { CALLBACK_LIFETIME_MS, createCallbackJob, pauseAfterMs } from '../src/jobs/callbacks.ts'
import { createCleanUpJob, TEXT_LIFETIME_MS } from '../src/jobs/clean-up.ts'
import { createJobRunner } from '../src/jobs/runner.ts'
import { eventually, startReceiver, startWorld, type World } from './support.ts'

let world: World
const outbound = createOutbound({ allowLocalhost: true })
beforeAll(async () => {
  world = await startWorld({ SANDBOX_DELIVERY_MS: '300' })
})
afterAll(async () => {
  await outbound.close()
  await world.close()
})
afterEach(() => vi.useRealTimers())

const sms = (changes: Record<string, unknown> = {}) => ({
  to: '37060000001',
  from: 'Tests',
  message: 'Hello',
  ...changes,
})

describe('delivery', () => {
  test('goes on after a restart in the middle: every message ends once and every report is posted', async () => {
    const receiver = await startReceiver()
    const { accountId, token } = await world.makeAccount()
    const node = await world.startNode({ SANDBOX_DELIVERY_MS: '200' })
    await world.node.close()
    const sent = await Promise.all(
      Array.from({ length: 60 }, () => node.call('POST /sms', { token, body: sms({ dlrUrl: `${receiver.url}/x` }) })),
    )
    const ids = sent.map(({ body }) => body[0])
    await eventually(async () => receiver.posts.length > 0)
    await node.close()
    world.node = await world.startNode()
    await eventually(async () => (await world.db.message.count({ where: { accountId, status: 'delivered' } })) === 60)
    await eventually(async () => (await world.db.callback.count({ where: { accountId, deliveredAt: null } })) === 0)
    expect(new Set(receiver.posts.map(({ body }) => body.id))).toEqual(new Set(ids))
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(60)
    await receiver.close()
  })

  test('by two nodes on one database posts each report once', async () => {
    const receiver = await startReceiver()
    const { accountId, token } = await world.makeAccount()
    const nodes = [world.node, await world.startNode(), await world.startNode()]
    const sent = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        nodes[at % 3]?.call('POST /sms', { token, body: sms({ dlrUrl: `${receiver.url}/x` }) }),
      ),
    )
    await eventually(
      async () => (await world.db.callback.count({ where: { accountId, deliveredAt: { not: null } } })) === 60,
    )
    expect(receiver.posts.map(({ body }) => body.id).sort()).toEqual(sent.map((answer) => answer?.body[0]).sort())
    expect(await world.db.sandboxText.count({ where: { accountId } })).toBe(60)
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
    expect(rows.map(({ id }) => String(id)).sort()).toEqual(answers.map(({ body }) => body[0]).sort())
  })

  test('of what is due together begins with high priority', async () => {
    const { accountId, token } = await world.makeAccount()
    for (const priority of ['low', 'normal', 'high'])
      await world.node.call('POST /sms', { token, body: sms({ priority }) })
    const rows = await world.db.message.findMany({ where: { accountId }, orderBy: { id: 'asc' } })
    expect(rows.map(({ priority }) => priority)).toEqual([2, 1, 0])
  })

  test('of a message whose validity ends first is reported as expired', async () => {
    const receiver = await startReceiver()
    const { token } = await world.makeAccount()
    const slow = await world.startNode({ SANDBOX_DELIVERY_MS: '80000000' })
    const { body } = await slow.call('POST /sms', { token, body: sms({ expireIn: 360, dlrUrl: receiver.url }) })
    await slow.close()
    const row = await world.db.message.findUniqueOrThrow({ where: { id: BigInt(body[0]) } })
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
    await world.db.message.update({ where: { id: BigInt(body[0]) }, data: { sendAt: new Date() } })
    await eventually(
      async () => (await world.db.message.findUniqueOrThrow({ where: { id: BigInt(body[0]) } })).status === 'cancelled',
    )
  })
})

describe('a callback', () => {
  async function owe(url: string) {
    const { accountId } = await world.makeAccount()
    const now = new Date()
    return world.db.callback.create({ data: { accountId, url, body: { id: '1' }, createdAt: now, nextAt: now } })
  }

  /** Runs the job alone, with the clock put to each next attempt, until the callback is over. */
  async function driveToEnd(id: bigint, attemptsMax: number) {
    const job = createCallbackJob(world.db, createCallbackPost(outbound), 1_000)
    await world.node.close()
    const pausesMs: number[] = []
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      await job.run(new Date())
      const row = await world.db.callback.findUniqueOrThrow({ where: { id } })
      expect(row.attempts).toBe(attempt)
      if (row.deliveredAt || row.abandonedAt) break
      pausesMs.push(row.nextAt.getTime() - Date.now())
      vi.setSystemTime(new Date(row.nextAt.getTime() - 1))
      expect(await job.run(new Date())).toBe(0)
      vi.setSystemTime(row.nextAt)
    }
    // Nothing more is owed, however long one waits.
    vi.setSystemTime(new Date(Date.now() + 10 * CALLBACK_LIFETIME_MS))
    expect(await job.run(new Date())).toBe(0)
    vi.useRealTimers()
    world.node = await world.startNode()
    return { pausesMs, row: await world.db.callback.findUniqueOrThrow({ where: { id } }) }
  }

  test('is repeated until the answer is 200 with the body OK, and then never again', async () => {
    const answers = [
      { status: 500, body: 'OK' },
      { status: 200, body: 'thanks' },
      { status: 204, body: '' },
      { status: 302, body: 'OK' },
      { status: 200, body: `OK${'x'.repeat(5000)}` },
      { status: 200, body: ' OK\n' },
    ]
    const receiver = await startReceiver((_request, count) => answers[count - 1] ?? { status: 200, body: 'OK' })
    vi.useFakeTimers({ toFake: ['Date'] })
    const { row, pausesMs } = await driveToEnd((await owe(receiver.url)).id, 20)
    expect(row.deliveredAt).not.toBeNull()
    expect(row.abandonedAt).toBeNull()
    expect(receiver.posts).toHaveLength(answers.length)
    expect(receiver.posts.every(({ body }) => body.id === '1')).toBe(true)
    expect(pausesMs).toEqual([...pausesMs].sort((left, right) => left - right))
    await receiver.close()
  })

  test('waits longer after each attempt, an hour at most, and is given up after a day', async () => {
    expect([1, 2, 3, 40].map(pauseAfterMs)).toEqual([5_000, 10_000, 20_000, 3_600_000])
    vi.useFakeTimers({ toFake: ['Date'] })
    const { row } = await driveToEnd((await owe('http://localhost:1/closed')).id, 100)
    expect(row.deliveredAt).toBeNull()
    const lived = (row.abandonedAt?.getTime() ?? 0) - row.createdAt.getTime()
    expect(lived).toBeLessThanOrEqual(CALLBACK_LIFETIME_MS)
    expect(lived).toBeGreaterThan(CALLBACK_LIFETIME_MS - 3_600_000)
    expect(row.attempts).toBeGreaterThan(20)
  })

  test('goes nowhere but to public https addresses, also when the URL was stored before', async () => {
    const receiver = await startReceiver()
    const strict = createOutbound({ allowLocalhost: false })
    const post = createCallbackPost(strict)
    for (const url of [receiver.url, receiver.url.replace('localhost', '127.0.0.1'), 'https://10.0.0.1/']) {
      expect(await post(url, '{}')).toBe(false)
    }
    expect(receiver.posts).toHaveLength(0)
    await strict.close()
    await receiver.close()
  })

  test('of one slow customer does not hold up another', async () => {
    const { accountId } = await world.makeAccount()
    const other = await world.makeAccount()
    const now = new Date(0)
    const row = { body: {}, createdAt: new Date(), nextAt: now }
    await world.db.callback.createMany({
      data: Array.from({ length: 100 }, () => ({ ...row, accountId, url: 'slow' })),
    })
    await world.db.callback.create({ data: { ...row, accountId: other.accountId, url: 'quick', nextAt: new Date(1) } })
    const seen: string[] = []
    const job = createCallbackJob(
      world.db,
      async (url) => {
        seen.push(url)
        return true
      },
      1_000,
    )
    await world.node.close()
    while ((await job.run(new Date())) > 0 && !seen.includes('quick'));
    expect(seen.filter((url) => url === 'slow').length).toBeLessThan(100)
    await world.db.callback.deleteMany({ where: { accountId } })
    world.node = await world.startNode()
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
  await createCleanUpJob(world.db).run(now)
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
