import type { Database } from '@vertexsms/db/client'
import { databaseNow } from '@vertexsms/db/clock'
import { testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLastUsed } from '../src/guard/last-used.ts'
import { seed } from './support/world.ts'

const MINUTE_MS = 60_000
const NOW_MS = Date.now()
const at = (ms: number) => new Date(NOW_MS + ms)

let db: Database
let close: () => Promise<void>
let accountId: string
let id: string
beforeAll(async () => {
  ;({ db, close } = await testDatabase())
  ;({ accountId } = await seed(db).makeAccount())
})
afterAll(() => close())
beforeEach(async () => {
  ;({ id } = await seed(db).makeToken({ accountId }))
})

const lastUsedOf = async (tokenId = id) =>
  (await db.apiToken.findUniqueOrThrow({ where: { id: tokenId } })).lastUsedAt?.getTime()

/** The database, with a count of the statements that are run; the first `broken` of them fail. */
function counted(broken = 0) {
  const seen = { statements: 0 }
  const $executeRaw: Database['$executeRaw'] = (...statement) => {
    seen.statements += 1
    if (seen.statements > broken) return db.$executeRaw(...statement)
    return Promise.reject(new Error('the database is down')) as ReturnType<Database['$executeRaw']>
  }
  return { seen, uses: createLastUsed({ $executeRaw } as Database) }
}

describe('the last use of a token', () => {
  test('is written by the clock of the database, of the tokens that were used and no other', async () => {
    const other = await seed(db).makeToken({ accountId })
    const { uses } = counted()
    const beforeMs = (await databaseNow(db)).getTime()
    uses.note(id, null, at(-MINUTE_MS))
    await uses.flush()
    expect(await lastUsedOf()).toBeGreaterThanOrEqual(beforeMs)
    expect(await lastUsedOf()).toBeLessThanOrEqual((await databaseNow(db)).getTime())
    expect(await lastUsedOf(other.id)).toBeUndefined()
  })

  test('is written by itself, and so is the next', async () => {
    const { uses } = counted()
    const next = await seed(db).makeToken({ accountId })
    for (const tokenId of [id, next.id]) {
      uses.note(tokenId, null, at(0))
      await expect.poll(() => lastUsedOf(tokenId)).toBeDefined()
    }
  })

  test('costs one statement a minute however often it is used, and none before the minute that its row tells of is over', async () => {
    const { seen, uses } = counted()
    for (const [ms, statements] of [
      [0, 1],
      [1, 1],
      [MINUTE_MS - 1, 1],
      [MINUTE_MS, 2],
    ] as const) {
      uses.note(id, null, at(ms))
      await uses.flush()
      expect([ms, seen.statements]).toEqual([ms, statements])
    }
    const another = counted()
    another.uses.note(id, at(1 - MINUTE_MS), at(0))
    await another.uses.flush()
    expect(another.seen.statements).toBe(0)
    another.uses.note(id, at(-MINUTE_MS), at(0))
    await another.uses.flush()
    expect(another.seen.statements).toBe(1)
  })

  test('stays what another node wrote within the minute, and is written where that is longer ago', async () => {
    const nowMs = (await databaseNow(db)).getTime()
    for (const [agoMs, isWritten] of [
      [MINUTE_MS / 2, false],
      [2 * MINUTE_MS, true],
    ] as const) {
      const lastUsedAt = new Date(nowMs - agoMs)
      await db.apiToken.update({ where: { id }, data: { lastUsedAt } })
      const { uses } = counted()
      uses.note(id, null, at(0))
      await uses.flush()
      expect([agoMs, (await lastUsedOf()) !== lastUsedAt.getTime()]).toEqual([agoMs, isWritten])
    }
  })

  test('that could not be written fails nobody, and is written with the next use', async () => {
    const { uses } = counted(1)
    uses.note(id, null, at(0))
    await uses.flush()
    expect(await lastUsedOf()).toBeUndefined()
    uses.note(id, null, at(1))
    await uses.flush()
    expect(await lastUsedOf()).toBeDefined()
  })
})
