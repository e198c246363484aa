import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, type Database, Prisma } from '../src/client.ts'
import { directQuery } from '../src/direct-query.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'
import { isUnreachable } from '../src/unreachable.ts'

let test: TestDatabase
let db: Database
beforeAll(async () => {
  test = await testDatabase()
  db = createDatabase({ url: test.url })
})
afterAll(async () => {
  await db?.$disconnect()
  await test?.close()
})

const values = (bytes: Uint8Array) => Prisma.sql`
  SELECT ${'text'}::text AS text, ${7}::int AS number, ${9_007_199_254_740_993n}::bigint AS big, NULL::bigint AS no_big, ${bytes}::bytea AS bytes, ${['a', 'b']}::text[] AS list,
         ${'{"a":[1]}'}::jsonb AS json, timestamptz '2026-01-02T03:04:05.678Z' AS moment, NULL::text AS nothing`

describe('a statement sent straight to the driver', () => {
  it('gives the values that the client gives, also when it is sent a second time', async () => {
    const [expected] = await db.$queryRaw<Record<string, unknown>[]>(values(Buffer.from([0, 255])))
    for (let n = 0; n < 2; n++) {
      const [row] = await directQuery<Record<string, unknown>>(db, values(Buffer.from([0, 255])))
      expect({ ...row, bytes: [...((row?.bytes ?? []) as Uint8Array)] }).toEqual({ ...expected, bytes: [0, 255] })
    }
  })

  it('is prepared under a name on its connection', async () => {
    const one = createDatabase({ url: test.url, poolSize: 1 })
    try {
      await directQuery(one, Prisma.sql`SELECT ${1}::int AS prepared_once`)
      const statements = () =>
        directQuery<{ count: number }>(
          one,
          Prisma.sql`SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%prepared_once%' AND name <> ''`,
        )
      expect((await statements())[0]?.count).toBeGreaterThanOrEqual(1)
    } finally {
      await one.$disconnect()
    }
  })

  it('rejects with the code of the server where the statement is refused, which is no outage', async () => {
    const refused = await directQuery(db, Prisma.sql`SELECT 1 / ${0}::int`).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: '22012' })
    expect(isUnreachable(refused)).toBe(false)
  })

  it('rejects with an outage where the server cannot be reached', async () => {
    const away = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/nothing' })
    const failed = await directQuery(away, Prisma.sql`SELECT 1`).catch((error: unknown) => error)
    expect(isUnreachable(failed)).toBe(true)
    await away.$disconnect()
  })

  it('asks a database that stands for another through that one', async () => {
    const standIn = { $queryRaw: async () => [{ from: 'the stand-in' }] } as unknown as Database
    expect(await directQuery(standIn, Prisma.sql`SELECT 1`)).toEqual([{ from: 'the stand-in' }])
  })
})
