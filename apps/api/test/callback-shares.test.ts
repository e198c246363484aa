// Who has a turn when posts are owed to many servers, first of the job alone and then through the whole API.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createJobRunner } from '@vertexsms/service/jobs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LEASE_MS } from '../src/jobs/callback-claim.ts'
import { CALLBACK_LIFETIME_MS, createCallbackJob } from '../src/jobs/callbacks.ts'
import { LIMITS } from '../src/service-limits.ts'
import { eventually } from './support/eventually.ts'
import { makeGate } from './support/gate.ts'
import { many, oweTo } from './support/owed.ts'
import { startReceiver } from './support/receiver.ts'
import { turn } from './support/turn.ts'
import { RACING, startWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({}, { poolSize: RACING })
  await world.node.close()
})
afterAll(() => world.close())
beforeEach(() => world.db.callback.deleteMany())

const now = () => new Date()
const owe = (accountId: string, urls: readonly string[], since?: number) => oweTo(world.db, accountId, urls, since)

/** A node whose posts are under way until the test ends them. */
function node() {
  const posts = new Map<string, ((delivered: boolean) => void)[]>()
  let started = 0
  const job = createCallbackJob(
    world.db,
    (url) =>
      new Promise((resolve) => {
        started++
        posts.set(url, [...(posts.get(url) ?? []), resolve])
      }),
    1_000,
    () => {},
  )
  return {
    job,
    get started() {
      return started
    },
    underWay: (part: string) => [...posts].filter(([url]) => url.includes(part)).flatMap(([, all]) => all).length,
    /** Ends everything whose URL holds `part`. */
    async end(part: string, delivered = true) {
      for (const [url, all] of posts) {
        if (!url.includes(part)) continue
        posts.delete(url)
        for (const resolve of all) resolve(delivered)
      }
      await new Promise((resolve) => setImmediate(resolve))
    },
    /** Takes turns until there is nothing more to take. */
    async run(at = now()) {
      while ((await turn(job, at)) > 0);
    },
  }
}

describe('posts to customers', () => {
  test('of an account with four hundred dead servers leave another account its turn at once', async () => {
    const [bad, good] = [await world.makeAccount(), await world.makeAccount()]
    await owe(
      bad.accountId,
      many(400, (at) => `https://dead-${at}.example/`),
    )
    await owe(good.accountId, ['https://good.example/'], 1_000)
    const one = node()
    await one.run()
    expect(one.underWay('good')).toBe(1)
    expect(one.underWay('dead')).toBe(LIMITS.posts.perAccount)
    await one.end('')
    await one.job.idle()
  })

  test('of an account to one dead server leave its other server its turn', async () => {
    const { accountId } = await world.makeAccount()
    await owe(
      accountId,
      many(400, (at) => `https://slow.example/${at}`),
    )
    await owe(accountId, ['https://quick.example/'], 1_000)
    const one = node()
    await one.run()
    expect(one.underWay('quick')).toBe(1)
    expect(one.underWay('slow')).toBe(LIMITS.posts.perAccountAndHost)
    await one.end('')
    await one.job.idle()
  })

  test('of an account with two slow servers leave its other server the turns that end', async () => {
    const { accountId } = await world.makeAccount()
    for (const slow of ['a', 'b']) {
      await owe(
        accountId,
        many(400, (at) => `https://slow-${slow}.example/${at}`),
      )
    }
    const one = node()
    await one.run()
    expect([one.underWay('slow-a'), one.underWay('slow-b')]).toEqual([4, 4])
    await owe(
      accountId,
      many(4, (at) => `https://quick.example/${at}`),
      1_000,
    )
    // The quick one has least under way each time, though what waits for the slow ones is older.
    for (const [at, slow] of ['a', 'b'].entries()) {
      await one.end(`slow-${slow}.example/${at}`)
      await eventually(
        async () => (await world.db.callback.count({ where: { deliveredAt: { not: null } } })) === at + 1,
      )
      await one.run()
      expect(one.underWay('quick')).toBe(at + 1)
    }
    await one.end('')
    await one.job.idle()
  })

  test('of many accounts to one host are as many as the host gets, and each has its turn', async () => {
    const accounts = await Promise.all(many(6, String).map(() => world.makeAccount()))
    for (const [at, { accountId }] of accounts.entries()) {
      await owe(
        accountId,
        many(20, (row) => `https://shared.example/account-${at}/${row}`),
        at,
      )
    }
    const one = node()
    await one.run()
    expect(one.underWay('shared')).toBe(LIMITS.posts.perHost)
    for (const at of accounts.keys()) expect(one.underWay(`account-${at}/`)).toBe(2)
    await one.end('')
    await one.job.idle()
  })

  test('do not wait for the slowest: what ends makes room while the others go on', async () => {
    const [slow, quick] = [await world.makeAccount(), await world.makeAccount()]
    await owe(
      slow.accountId,
      many(20, (at) => `https://slow.example/${at}`),
    )
    await owe(
      quick.accountId,
      many(20, (at) => `https://quick.example/${at}`),
      1_000,
    )
    const one = node()
    for (let done = 0; done < 20; ) {
      await one.run()
      done += one.underWay('quick')
      await one.end('quick')
      // Its end is noted in the row before the next turn.
      await eventually(async () => (await world.db.callback.count({ where: { deliveredAt: { not: null } } })) === done)
    }
    expect(one.underWay('slow')).toBe(LIMITS.posts.perAccountAndHost)
    await one.end('')
    await one.job.idle()
  })

  test('of one account stay within its share when three nodes take turns, and no row is taken twice', async () => {
    const { accountId } = await world.makeAccount()
    await owe(
      accountId,
      many(60, (at) => `https://host-${at % 10}.example/${at}`),
    )
    const nodes = [node(), node(), node()]
    for (const one of nodes) await one.run()
    expect(nodes.reduce((sum, one) => sum + one.started, 0)).toBe(LIMITS.posts.perAccount)
    expect(await world.db.callback.count({ where: { attempts: { gt: 1 } } })).toBe(0)
    for (const one of nodes) await one.end('')
    for (const one of nodes) await one.job.idle()
  })

  test('on one node are as many as a node has room for', async () => {
    for (let at = 0; at < 10; at++) {
      await owe(
        (await world.makeAccount()).accountId,
        many(10, (row) => `https://host-${at}-${row}.example/`),
      )
    }
    const one = node()
    await one.run()
    expect(one.started).toBe(LIMITS.posts.perNode)
    await one.end('')
    await one.job.idle()
  })

  test('that a killed node had taken are made by another one once their lease has ended, not before', async () => {
    const { accountId } = await world.makeAccount()
    await owe(
      accountId,
      many(4, (at) => `https://host.example/${at}`),
    )
    const killed = node()
    const at = now()
    await killed.run(at)
    expect(killed.started).toBe(4)
    const other = node()
    await other.run(new Date(at.getTime() + LEASE_MS - 1))
    expect(other.started).toBe(0)
    await other.run(new Date(at.getTime() + LEASE_MS + 1))
    expect(other.started).toBe(4)
    await other.end('')
    await other.job.idle()
    expect(await world.db.callback.count({ where: { accountId, deliveredAt: { not: null } } })).toBe(4)
    // The killed node's late word changes nothing any more.
    await killed.end('', false)
    await killed.job.idle()
    expect(await world.db.callback.count({ where: { accountId, deliveredAt: { not: null } } })).toBe(4)
  })

  test('are not made a day after they were owed', async () => {
    const { accountId } = await world.makeAccount()
    await owe(accountId, ['https://host.example/'])
    await world.db.callback.updateMany({ data: { createdAt: new Date(Date.now() - CALLBACK_LIFETIME_MS) } })
    const one = node()
    await one.run()
    await one.job.idle()
    expect(one.started).toBe(0)
    expect(await world.db.callback.count({ where: { abandonedAt: null } })).toBe(0)
  })
})

describe('through the whole API', () => {
  const sms = (changes: Record<string, unknown>) => ({ to: '37060000001', from: 'Tests', message: 'Hi', ...changes })

  test('a server that never answers holds up nobody else, not even while all of its posts are under way', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const dead = `http://localhost:${(silent.address() as AddressInfo).port}`
    const receiver = await startReceiver()
    const api = await world.startNode()
    const [bad, good] = [await world.makeAccount(), await world.makeAccount()]
    for (let at = 0; at < 24; at++) {
      const body = sms({ testMode: 1, dlrUrl: `${dead}/${at}` })
      expect((await api.call('POST /sms', { token: bad.token, body })).status).toBe(200)
    }
    await eventually(async () => (await world.db.callback.count({ where: { accountId: bad.accountId } })) === 24)
    const body = sms({ testMode: 1, dlrUrl: `${receiver.url}/x` })
    const [id] = (await api.call('POST /sms', { token: good.token, body })).body
    await eventually(async () => receiver.posts.find((post) => post.body.id === id))
    // It came while the other account's posts were still being waited for: the first of them, or on a slow machine a few more.
    const tried = await world.db.callback.count({ where: { accountId: bad.accountId, attempts: { gt: 0 } } })
    expect(tried).toBeGreaterThanOrEqual(LIMITS.posts.perAccountAndHost)
    expect(tried).toBeLessThan(24)
    silent.closeAllConnections()
    await api.close()
    await new Promise((resolve) => silent.close(resolve))
    await receiver.close()
  })

  test('a report is tried a dozen times when the message was paid for, three times when it was free', async () => {
    const api = await world.startNode({ SANDBOX_DELIVERY_MS: '0' })
    const { accountId, token } = await world.makeAccount()
    for (const testMode of [undefined, 1, 2]) {
      await api.call('POST /sms', { token, body: sms({ testMode, dlrUrl: 'http://localhost:1/' }) })
    }
    const rows = await eventually(async () => {
      const owed = await world.db.callback.findMany({ where: { accountId } })
      return owed.length === 3 && owed
    })
    await api.close()
    expect(rows.map(({ attemptsMax }) => attemptsMax).sort()).toEqual([12, 3, 3].sort())
    expect([LIMITS.tries.usual, LIMITS.tries.free]).toEqual([12, 3])
    // More turns than the most tries; each turn takes all that may still be tried.
    for (let time = 0; time < 15; time++) {
      await world.db.callback.updateMany({ where: { accountId }, data: { nextAt: new Date(0), leasedUntil: null } })
      const refusing = createCallbackJob(
        world.db,
        async () => false,
        1_000,
        () => {},
      )
      while ((await turn(refusing, now())) > 0);
      await refusing.idle()
    }
    const over = await world.db.callback.findMany({ where: { accountId } })
    for (const row of over) expect([row.attempts, row.abandonedAt === null]).toEqual([row.attemptsMax, false])
  })

  test('nothing is posted any more once a node stops', async () => {
    const { accountId } = await world.makeAccount()
    await owe(accountId, ['https://customer.example/'])
    const { passed: asked, open: tellTime } = makeGate()
    let posts = 0
    const job = createCallbackJob(
      world.db,
      async () => ++posts > 0,
      3_600_000,
      () => {},
    )
    const { passed: hasBegun, open: begun } = makeGate()
    const clock = async () => {
      begun()
      await asked
      return now()
    }
    const runner = createJobRunner([job], clock, world.node.app.log)
    runner.start()
    await hasBegun
    const stopping = runner.stop()
    tellTime()
    await stopping
    expect(posts).toBe(0)
    const [row] = await world.db.callback.findMany({ where: { accountId } })
    expect([row?.attempts, row?.leasedUntil]).toEqual([0, null])
  })

  test.each([
    ['one host', LIMITS.owed.perAccountAndHost, () => 'https://example.invalid/x', 200],
    ['many hosts', LIMITS.owed.perAccount, (at: number) => `https://host-${at % 50}.example.invalid/`, 429],
  ])(
    'an account that owes %s all it may gets 429 for one more, and goes on without',
    async (_name, count, url, elsewhere) => {
      const api = await world.startNode()
      const { accountId, token } = await world.makeAccount()
      const other = await world.makeAccount()
      await owe(accountId, many(count, url), Date.now() + 3_600_000)
      const send = (as: string, dlrUrl?: string) => api.call('POST /sms', { token: as, body: sms({ dlrUrl }) })
      const refused = await send(token, url(0))
      expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      for (const [called, body] of [
        ['POST /hlr', { msisdn: '37061234567', callBackUrl: url(0) }],
        [
          'POST /senderId',
          { type: 'AlphaNumeric', name: 'Shop', category: 'Brand', categoryDescription: 'x', notificationUrl: url(0) },
        ],
      ] as const) {
        expect((await api.call(called, { token, body })).status).toBe(429)
      }
      expect(await world.db.message.count({ where: { accountId } })).toBe(0)
      expect((await send(token)).status).toBe(200)
      expect((await send(token, 'https://elsewhere.example.invalid/')).status).toBe(elsewhere)
      expect((await send(other.token, url(0))).status).toBe(200)
      await api.close()
    },
  )

  test('a lane has one name, however its URL is spelled', async () => {
    const api = await world.startNode()
    const { accountId, token } = await world.makeAccount()
    for (const dlrUrl of [
      'https://EXAMPLE.invalid/a',
      'https://example.invalid:443/b',
      'https://example.invalid./c',
      'https:\\\\example.invalid\\d',
    ])
      expect((await api.call('POST /sms', { token, body: sms({ dlrUrl }) })).status).toBe(200)
    const rows = await eventually(async () => {
      const owed = await world.db.callback.findMany({ where: { accountId } })
      return owed.length === 4 && owed
    })
    expect(new Set(rows.map(({ host }) => host))).toEqual(new Set(['example.invalid']))
    await api.close()
  })
})
