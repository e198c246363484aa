import type { Database, Prisma } from '@vertexsms/db/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { claimCallbacks } from '../src/jobs/callback-claim.ts'
import { many, oweTo } from './support/owed.ts'
import { startWorld, type World } from './support/world.ts'

/** Whose posts are delivered: it comes first of all accounts, so that an order which forgets that is found out. */
const DONE = '00000000-0000-0000-0000-000000000001'

let world: World
beforeAll(async () => {
  world = await startWorld()
  await world.node.close()
  const { passwordHash, status, createdAt } = await world.db.account.findFirstOrThrow()
  await world.db.account.create({
    data: { id: DONE, email: 'done@vertexsms.test', passwordHash, status, createdAt },
  })
})
afterAll(() => world.close())

const now = () => new Date()
const owe = (accountId: string, urls: readonly string[], since?: number) => oweTo(world.db, accountId, urls, since)

interface PlanNode {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** How many rows of the table, or entries of its indexes, a plan that was carried out has read. */
const rowsRead = (node: PlanNode): number =>
  (node['Relation Name'] === 'callback'
    ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
    : 0) + (node.Plans ?? []).reduce((sum, part) => sum + rowsRead(part), 0)

/** What one look for due rows reads. It takes ten of what is due, as a look does. */
async function rowsOfLook(): Promise<number> {
  let rows = Number.POSITIVE_INFINITY
  const counting = world.db.$extends({
    query: {
      async $queryRaw({ args }) {
        const [row] = await world.db.$queryRaw<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>`
          EXPLAIN (ANALYZE, FORMAT JSON) ${args as Prisma.Sql}`
        if (row) rows = rowsRead(row['QUERY PLAN'][0].Plan)
        return []
      },
    },
  })
  await claimCallbacks(counting as unknown as Database, 10, now())
  return rows
}

describe('a look for due posts reads, beside what is done,', () => {
  const inAnHour = Date.now() + 3_600_000
  const hosts = (count: number) => many(count, (at) => `https://host-${at}.example/`)
  const ofOneHost = (count: number) => many(count, (at) => `https://one.example/${at}`)

  const statistics = () => world.db.$executeRawUnsafe('ANALYZE callback')

  beforeEach(async () => {
    await world.db.callback.deleteMany()
    await world.db.$executeRaw`
      INSERT INTO callback (account_id, url, host, body, created_at, next_at, delivered_at)
      SELECT ${DONE}::uuid, 'https://done.example/', 'done.example', '{}', ${now()}, ${now()}, ${now()}
      FROM generate_series(1, 5000)`
    await statistics()
  })

  test.each([
    ['hosts, none of which has its turn', hosts, inAnHour, 20],
    ['hosts that all have their turn', hosts, 0, 150],
    ['posts to one host that wait for a time', ofOneHost, inAnHour, 20],
    // A post to another host would be behind them: they are stepped over once.
    ['posts to one host that are due', ofOneHost, 0, 1_750],
  ])('for 1600 %s, no more than it needs', async (_name, urls, since, atMost) => {
    await owe((await world.makeAccount()).accountId, urls(1_600), since)
    expect(await rowsOfLook(), 'by statistics from before').toBeLessThan(atMost)
    await world.db.callback.updateMany({ data: { leasedUntil: null } })
    await world.db.callback.updateMany({ where: { attempts: 1 }, data: { attempts: 0, nextAt: new Date(0) } })
    await statistics()
    expect(await rowsOfLook(), 'by those of now').toBeLessThan(atMost)
  })

  test('a few rows for each account that owes something', async () => {
    for (let at = 0; at < 40; at++) await owe((await world.makeAccount()).accountId, hosts(50), inAnHour)
    expect(await rowsOfLook(), 'by statistics from before').toBeLessThan(40 * 3)
    await statistics()
    expect(await rowsOfLook()).toBeLessThan(40 * 3)
  })
})
