import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase } from '../src/client.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 10 })
  // A pool has ended before its connections have: one that the database takes along with it tells so here.
  pool.on('error', () => {})
  await pool.query('CREATE TABLE counter (n int NOT NULL)')
  await pool.query('INSERT INTO counter VALUES (0)')
})

afterAll(async () => {
  await pool.end()
  await database.close()
})

describe('many connections to one database', () => {
  it('gives every query its own answer while others run transactions', async () => {
    const wrong: unknown[] = []
    const transactions = Array.from({ length: 100 }, async (_, index) => {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        await client.query('UPDATE counter SET n = n + 1')
        const { rows } = await client.query('SELECT $1::int AS mine', [index])
        if (rows[0].mine !== index) wrong.push(rows)
        await client.query('COMMIT')
      } finally {
        client.release()
      }
    })
    const queries = Array.from({ length: 600 }, async (_, index) => {
      const { rows } =
        index % 2 === 0
          ? await pool.query('SELECT $1::int AS answer', [index])
          : await pool.query('SELECT $1::text AS answer, 1 AS more', [String(index)])
      if (Number(rows[0]?.answer) !== index) wrong.push(rows)
    })
    await Promise.all([...transactions, ...queries])
    expect(wrong).toEqual([])
    expect((await pool.query('SELECT n FROM counter')).rows[0].n).toBe(100)
  })

  it('keeps a failing query of one connection away from the others', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) =>
        index % 2 === 0 ? pool.query('SELECT $1::int / 0', [index]) : pool.query('SELECT $1::int AS answer', [index]),
      ),
    )
    results.forEach((result, index) => {
      expect(result.status).toBe(index % 2 === 0 ? 'rejected' : 'fulfilled')
      if (result.status === 'fulfilled') expect(result.value.rows[0].answer).toBe(index)
    })
  })

  it('keeps named statements of different connections apart', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()))
    const answers = await Promise.all(
      clients.map((client, index) => client.query({ name: 'same', text: `SELECT ${index}::int AS answer` })),
    )
    expect(answers.map(({ rows }) => rows[0].answer)).toEqual([0, 1, 2, 3])
    for (const client of clients) client.release(true)
  })

  it('serves Prisma with named statements from several clients at once', async () => {
    const others = [0, 1, 2].map(() => createDatabase({ url: database.url, poolSize: 5 }))
    const counts = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        others[index % 3]?.account.count({ where: { email: `${index}@x.test` } }),
      ),
    )
    expect(counts.every((count) => count === 0)).toBe(true)
    await Promise.all(others.map((other) => other.$disconnect()))
  })

  it('rolls back and goes on when a client dies inside a transaction', async () => {
    const before = (await pool.query('SELECT n FROM counter')).rows[0].n
    const client = new pg.Client({ connectionString: database.url })
    client.on('error', () => {})
    await client.connect()
    await client.query('BEGIN')
    await client.query('UPDATE counter SET n = n + 1000')
    ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    expect((await pool.query('SELECT n FROM counter')).rows[0].n).toBe(before)
  })

  it('lets exactly one of many interactive transactions win a row', async () => {
    await pool.query('CREATE TABLE once (id int PRIMARY KEY)')
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        database.db.$transaction(async (tx) => {
          await tx.$executeRaw`INSERT INTO once VALUES (1)`
        }),
      ),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('refuses a wrong password', async () => {
    const url = new URL(database.url)
    url.password = 'wrong'
    if (process.env.TEST_DATABASE_URL) url.username = 'nobody'
    const client = new pg.Client({ connectionString: url.href })
    client.on('error', () => {})
    await expect(client.connect()).rejects.toThrow()
  })
})
