import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  countHit,
  deleteEndedCounters,
  forgetCounters,
  readCounters,
  takeBackHits,
  trimCounters,
} from '../src/counter.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

const WINDOW_SECONDS = 600
const WINDOW_MS = WINDOW_SECONDS * 1000

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
beforeEach(async () => {
  await test.db.rateCounter.deleteMany()
  vi.useFakeTimers({ toFake: ['Date'] })
  await setClock(0)
})
afterEach(() => void vi.useRealTimers())
afterAll(() => test?.close())

/** So far into a window, by this process and by the database. */
async function setClock(secondsIntoWindow: number): Promise<void> {
  vi.setSystemTime(Date.UTC(2030, 0, 1) + secondsIntoWindow * 1000)
  await test.followDate()
}

const hit = (key: string, max: number) => countHit(test.db, { key, windowSeconds: WINDOW_SECONDS, max })

describe('a counter', () => {
  it('gives no more numbers than its limit in one window, however many ask at once, and none to those refused', async () => {
    const counted = await Promise.all(Array.from({ length: 12 }, () => hit('a', 5)))
    expect(counted.map(({ hits }) => hits).sort()).toEqual([1, 2, 3, 4, 5, ...Array(7).fill(null)])
    expect(await hit('b', 5)).toMatchObject({ hits: 1 })
    expect((await readCounters(test.db, ['a', 'b', 'c'], WINDOW_SECONDS)).get('a')?.hits).toBe(5)
  })

  it('tells the seconds until its window ends, and begins again with the next', async () => {
    await setClock(540)
    const [first, refused] = [await hit('a', 1), await hit('a', 1)]
    expect([first.hits, refused.hits]).toEqual([1, null])
    for (const { secondsLeft } of [first, refused]) {
      expect(secondsLeft).toBeGreaterThan(30)
      expect(secondsLeft).toBeLessThanOrEqual(60)
    }
    await setClock(WINDOW_SECONDS)
    expect((await readCounters(test.db, ['a'], WINDOW_SECONDS)).size).toBe(0)
    expect(await hit('a', 1)).toMatchObject({ hits: 1 })
  })

  it('takes a hit back in the window that it was counted in, and none of those that the next one has', async () => {
    await setClock(WINDOW_SECONDS - 1)
    const { windowAt } = await hit('a', 5)
    const hitsOf = async () =>
      (await test.db.rateCounter.findMany({ orderBy: { windowAt: 'asc' } })).map((row) => row.hits)
    await hit('a', 5)
    await takeBackHits(test.db, [{ key: 'a', windowAt }])
    expect(await hitsOf()).toEqual([1])
    await setClock(WINDOW_SECONDS)
    await hit('a', 5)
    await takeBackHits(test.db, [{ key: 'a', windowAt }])
    expect(await hitsOf()).toEqual([0, 1])
    await takeBackHits(test.db, [{ key: 'a', windowAt }])
    expect(await hitsOf()).toEqual([0, 1])
  })

  it('is read and forgotten by its key alone', async () => {
    await hit('a', 5)
    await hit('b', 5)
    await hit('b', 5)
    await forgetCounters(test.db, ['a', 'other'])
    const left = await readCounters(test.db, ['a', 'b'], WINDOW_SECONDS)
    expect([...left].map(([key, { hits }]) => [key, hits])).toEqual([['b', 2]])
  })

  it('goes when its window is over, where the prefix of its key is meant', async () => {
    await hit('pin:a', 5)
    await hit('other:a', 5)
    const ends = new Date(Date.UTC(2030, 0, 1) + WINDOW_MS)
    expect(await deleteEndedCounters(test.db, new Date(ends.getTime() - 1))).toBe(0)
    expect(await deleteEndedCounters(test.db, ends, 'pin:')).toBe(1)
    expect((await test.db.rateCounter.findMany()).map(({ key }) => key)).toEqual(['other:a'])
    expect(await deleteEndedCounters(test.db, ends)).toBe(1)
  })
})

describe('a flood of counters', () => {
  const add = (many: number, prefix: string, hits: number) => test.db.$executeRaw`
    INSERT INTO rate_counter (key, window_at, hits, expires_at)
    SELECT ${prefix} || n, database_now(), ${hits}::int, database_now() + interval '1 hour'
    FROM generate_series(1, ${many}::int) n`

  it('is cut down to the room there is, in more than one go, and whoever counted most stays', async () => {
    await add(20, 'most', 9)
    await add(25_000, 'flood', 1)
    let removed = 0
    for (let more = -1; more !== 0; removed += more) {
      more = await trimCounters(test.db, 100)
      expect(more).toBeLessThanOrEqual(10_000)
    }
    expect(removed).toBe(24_920)
    expect(await test.db.rateCounter.count()).toBe(100)
    expect(await test.db.rateCounter.count({ where: { key: { startsWith: 'most' } } })).toBe(20)
  })

  it('that fits is left alone', async () => {
    await add(20, 'a', 1)
    expect(await trimCounters(test.db, 20)).toBe(0)
  })
})
