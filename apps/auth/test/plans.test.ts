// How much of the tables is read for an account: as much as is its own, however much others have and however much it has.
import { randomUUID } from 'node:crypto'
import type { Database, Prisma } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportAccount } from '../src/cli/account-data.ts'
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

/** How many rows of a table a plan that was carried out has read. */
const rowsRead = (node: PlanNode, table: string): number =>
  (node['Relation Name'] === table
    ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
    : 0) + (node.Plans ?? []).reduce((sum, part) => sum + rowsRead(part, table), 0)

/** The database, and how many rows of a table its own statements have read since. */
function counting(table: string): { readonly db: Database; readonly read: () => number } {
  let rows = 0
  const db = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        const [row] = await database.db.$queryRaw<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>`
          EXPLAIN (ANALYZE, FORMAT JSON) ${args as Prisma.Sql}`
        if (row) rows += rowsRead(row['QUERY PLAN'][0].Plan, table)
        return query(args)
      },
    },
  })
  return { db: db as unknown as Database, read: () => rows }
}

test('looking for limits that are nearly used up reads the tokens of the account once, and of no other', async () => {
  await accountWithTokens(5_000)
  const accountId = await accountWithTokens(100)
  await database.db.$executeRawUnsafe('ANALYZE')
  const { db, read } = counting('api_token')
  await nearLimits(db, { accountId, upstream: 'sandbox', take: 10 })
  expect(read()).toBe(100)
})

test('an export has every row of a table and reads each once, however many there are', async () => {
  const accountId = await accountWithTokens(1)
  await database.db.$executeRaw`
    INSERT INTO hlr_lookup (id, account_id, msisdn, price_micros, created_at, due_at)
    SELECT i, ${accountId}::uuid, '37060000001', 5000, database_now(), database_now() FROM generate_series(1, 5500) i`
  await database.db.$executeRawUnsafe('ANALYZE')
  const { db, read } = counting('hlr_lookup')
  const lines: string[] = []
  const context = { db, source: {}, issuerUrl: 'http://localhost', now: new Date(), readInput: async () => '' }
  await exportAccount.run({ ...context, print: (line) => lines.push(line) }, [`${accountId}@example.com`], {})
  const ids = JSON.parse(lines.join('\n')).sandboxLookups.map(({ id }: { id: string }) => Number(id))
  expect(ids).toEqual(Array.from({ length: 5_500 }, (_, before) => before + 1))
  expect(read()).toBe(5_500)
})
