import { randomUUID } from 'node:crypto'
import type { Database, Prisma } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nearLimits } from '../src/connections/near-limits.ts'

interface PlanNode {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())

/** An account with so many live tokens made by hand, each with a spender. */
async function accountWithTokens(count: number): Promise<string> {
  const { db } = database
  const id = randomUUID()
  await db.$executeRaw`
    INSERT INTO account (id, email, password_hash, status, created_at)
    VALUES (${id}::uuid, ${`${id}@example.com`}, '', 'active', database_now())`
  await db.$executeRaw`
    INSERT INTO api_token (id, account_id, kind, name, token_hash, permissions, ip_allow_list, created_at)
    SELECT gen_random_uuid(), ${id}::uuid, 'manual', 'Script', sha256(convert_to(${id} || i, 'UTF8')), '{}', '{}', database_now()
    FROM generate_series(1, ${count}::int) i`
  await db.$executeRaw`
    INSERT INTO spender (id, account_id, kind, created_at, max_total_micros)
    SELECT id, account_id, 'token', database_now(), 1000000 FROM api_token WHERE account_id = ${id}::uuid`
  return id
}

/** How many rows of tokens a plan that was carried out has read. */
const tokensRead = (node: PlanNode): number =>
  (node['Relation Name'] === 'api_token'
    ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
    : 0) + (node.Plans ?? []).reduce((sum, part) => sum + tokensRead(part), 0)

test('looking for limits that are nearly used up reads the tokens of the account once, and of no other', async () => {
  const { db } = database
  await accountWithTokens(5_000)
  const accountId = await accountWithTokens(100)
  await db.$executeRawUnsafe('ANALYZE')
  let plan: PlanNode | undefined
  const explaining = db.$extends({
    query: {
      async $queryRaw({ args }) {
        const [row] = await db.$queryRaw<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>`
          EXPLAIN (ANALYZE, FORMAT JSON) ${args as Prisma.Sql}`
        plan = row?.['QUERY PLAN'][0].Plan
        return []
      },
    },
  })
  await nearLimits(explaining as unknown as Database, { accountId, upstream: 'sandbox', take: 10 })
  expect(plan && tokensRead(plan)).toBe(100)
})
