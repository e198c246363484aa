import { createOutbound } from '@vertexsms/service/outbound'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createCallbackPost } from '../src/callback-urls.ts'
import { CALLBACK_LIFETIME_MS, createCallbackJob, pauseAfterMs } from '../src/jobs/callbacks.ts'
import { LIMITS } from '../src/service-limits.ts'
import { startReceiver } from './support/receiver.ts'
import { turn } from './support/turn.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
const outbound = createOutbound({ allowLocalhost: true })
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await outbound.close()
  await world.close()
})
afterEach(() => vi.useRealTimers())

describe('a callback', () => {
  async function owe(url: string) {
    const { accountId } = await world.makeAccount()
    const now = new Date()
    return world.db.callback.create({ data: { accountId, url, body: { id: '1' }, createdAt: now, nextAt: now } })
  }

  /** Runs the job alone, with the clock put to each next attempt, until the callback is over. */
  async function driveToEnd(id: bigint, attemptsMax: number) {
    const job = createCallbackJob(world.db, createCallbackPost(outbound), 1_000, () => {})
    await world.node.close()
    const pausesMs: number[] = []
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      await turn(job)
      await job.idle()
      const row = await world.db.callback.findUniqueOrThrow({ where: { id } })
      expect(row.attempts).toBe(attempt)
      if (row.deliveredAt || row.abandonedAt) break
      pausesMs.push(row.nextAt.getTime() - Date.now())
      vi.setSystemTime(new Date(row.nextAt.getTime() - 1))
      expect(await turn(job)).toBe(0)
      vi.setSystemTime(row.nextAt)
    }
    // Nothing more is owed, however long one waits.
    vi.setSystemTime(new Date(Date.now() + 10 * CALLBACK_LIFETIME_MS))
    expect(await turn(job)).toBe(0)
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

  test('waits longer after each attempt, four hours at most, and is given up after a day and a dozen tries', async () => {
    expect([1, 2, 3, 40].map(pauseAfterMs)).toEqual([5_000, 20_000, 80_000, 14_400_000])
    vi.useFakeTimers({ toFake: ['Date'] })
    const { row } = await driveToEnd((await owe('http://localhost:1/closed')).id, 100)
    expect(row.deliveredAt).toBeNull()
    const lived = (row.abandonedAt?.getTime() ?? 0) - row.createdAt.getTime()
    expect(lived).toBeLessThanOrEqual(CALLBACK_LIFETIME_MS)
    expect(lived).toBeGreaterThan(CALLBACK_LIFETIME_MS - 14_400_000)
    expect(row.attempts).toBe(LIMITS.tries.usual)
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
})
