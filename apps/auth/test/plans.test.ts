// How much of the tables is read for an account: as much as is its own, however much others have and however much it has.
import { randomUUID } from 'node:crypto'
import type { Database, Prisma } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportAccount } from '../src/cli/account-data.ts'
import { nearLimits } from '../src/connections/near-limits.ts'
import { createCleanUpJobs } from '../src/jobs/clean-up.ts'

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
  async function explain(statement: unknown) {
    const [row] = await database.db.$queryRaw<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>`
      EXPLAIN (ANALYZE, FORMAT JSON) ${statement as Prisma.Sql}`
    if (row) rows += rowsRead(row['QUERY PLAN'][0].Plan, table)
  }
  const db = database.db.$extends({
    query: {
      async $queryRaw({ args, query }) {
        await explain(args)
        return query(args)
      },
      // Explaining one carries it out: a second time it finds nothing.
      async $executeRaw({ args, query }) {
        await explain(args)
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

test('the answers of used refresh tokens go without a walk through those whose answer went before', async () => {
  const accountId = await accountWithTokens(1)
  await database.db.$executeRaw`
    INSERT INTO connection (id, account_id, grant_id, client_id, client_name, redirect_host, scopes, created_at, approved_at, expires_at)
    SELECT id, account_id, id::text, 'app', 'App', 'app.example', '{}', created_at, created_at, created_at + interval '1 year'
    FROM api_token WHERE account_id = ${accountId}::uuid`
  await database.db.$executeRaw`
    INSERT INTO used_refresh_token (token_hash, connection_id, client_id, used_at, sealed_response, overlap_ends_at)
    SELECT sha256(convert_to(i::text, 'UTF8')), c.id, 'app', c.created_at, CASE WHEN i <= 20 THEN '\\x01'::bytea END, c.created_at
    FROM connection c, generate_series(1, 20000) i WHERE c.account_id = ${accountId}::uuid`
  await database.db.$executeRawUnsafe('ANALYZE')
  const { db, read } = counting('used_refresh_token')
  const job = createCleanUpJobs(db).find(({ name }) => name === 'clean-up of responses')
  await job?.run(
    async () => new Date(Date.now() + 60_000),
    () => false,
  )
  expect(await database.db.usedRefreshToken.count({ where: { sealedResponse: { not: null } } })).toBe(0)
  // Each found once, and once more by its key.
  expect(read()).toBeLessThan(100)
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
