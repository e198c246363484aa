import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Prisma } from '../src/client.ts'
import { pauseOf, spenderGoes, unpausedByRule } from '../src/paused.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test?.close())

const EARLY = new Date(Date.now() - 120_000)
const LATE = new Date(Date.now() - 60_000)

async function inSql(id: string, condition: Prisma.Sql): Promise<boolean> {
  const [row] = await test.db.$queryRaw<[{ holds: boolean }]>`
    SELECT ${condition} AS holds FROM spender x WHERE x.id = ${id}::uuid`
  return row.holds
}

it.each([
  ['nobody paused', null, null, null, null],
  ['its owner resumed', null, LATE, null, null],
  ['its owner paused', EARLY, null, null, 'owner'],
  ['its owner paused again after resuming', LATE, EARLY, null, 'owner'],
  ['a rule paused', null, null, LATE, 'automatic'],
  ['a rule paused before its owner resumed', null, LATE, EARLY, null],
  ['a rule paused as its owner resumed', null, LATE, LATE, null],
  ['a rule paused after its owner resumed', null, EARLY, LATE, 'automatic'],
  ['both paused', EARLY, null, LATE, 'owner'],
  ['both paused, the rule before its owner resumed', LATE, LATE, EARLY, 'owner'],
] as const)('SQL and code agree on a spender that %s', async (_how, pausedAt, resumedAt, autoPausedAt, by) => {
  const id = randomUUID()
  await test.db.account.create({
    data: { id, email: `${id}@example.com`, passwordHash: '', status: 'active', createdAt: EARLY },
  })
  const data = { id, accountId: id, kind: 'account', createdAt: EARLY, pausedAt, resumedAt, autoPausedAt } as const
  const row = await test.db.spender.create({ data })
  expect(pauseOf(row)).toBe(by)
  expect(await inSql(id, spenderGoes('x'))).toBe(by === null)
  expect(await inSql(id, unpausedByRule('x'))).toBe(pauseOf({ ...row, pausedAt: null }) === null)
})

it('nothing but an alias stands in the text of a condition', () => {
  expect(() => spenderGoes('x; DROP TABLE spender')).toThrow('alias')
})
