import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  accountLives,
  connectionLives,
  isAccountAlive,
  isConnectionAlive,
  isTokenAlive,
  LIVE_ACCOUNT,
  liveConnection,
  liveToken,
  tokenEnds,
  tokenLives,
} from '../src/alive.ts'
import { Prisma } from '../src/client.ts'
import { databaseNow } from '../src/clock.ts'
import { type TestDatabase, testDatabase } from '../src/testing/testing.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test?.close())

const PAST = new Date(Date.now() - 60_000)
const FUTURE = new Date(Date.now() + 600_000)

async function makeAccount(status: 'active' | 'disabled' = 'active') {
  const id = randomUUID()
  return test.db.account.create({ data: { id, email: `${id}@example.com`, passwordHash: '', status, createdAt: PAST } })
}

async function makeConnection(endedAt: Date | null, expiresAt: Date) {
  const { id: accountId } = await makeAccount()
  const data = { id: randomUUID(), accountId, grantId: randomUUID(), clientId: 'c', clientName: 'C', redirectHost: 'h' }
  return test.db.connection.create({
    data: { ...data, scopes: [], createdAt: PAST, approvedAt: PAST, endedAt, expiresAt },
  })
}

async function makeToken(expiresAt: Date | null, connection?: { id: string; accountId: string }) {
  const id = randomUUID()
  const kind = connection ? ('oauth_access' as const) : ('manual' as const)
  const of = connection
    ? { accountId: connection.accountId, connectionId: connection.id }
    : { accountId: (await makeAccount()).id }
  return test.db.apiToken.create({
    data: { id, kind, name: id, tokenHash: Buffer.from(id), permissions: [], createdAt: PAST, expiresAt, ...of },
  })
}

async function inSql(table: string, id: string, condition: Prisma.Sql): Promise<boolean> {
  const [row] = await test.db.$queryRaw<[{ lives: boolean }]>`
    SELECT ${condition} AS lives FROM ${Prisma.raw(table)} x WHERE x.id = ${id}::uuid`
  return row.lives
}

describe('SQL, query and code agree', () => {
  it.each([
    ['active', true],
    ['disabled', false],
  ] as const)('whether an account that is %s is alive', async (status, lives) => {
    const row = await makeAccount(status)
    expect(await inSql('account', row.id, accountLives('x'))).toBe(lives)
    expect(await test.db.account.count({ where: { id: row.id, ...LIVE_ACCOUNT } })).toBe(lives ? 1 : 0)
    expect(isAccountAlive(row)).toBe(lives)
  })

  it.each([
    ['goes on', null, FUTURE, true],
    ['has run out', null, PAST, false],
    ['was ended', PAST, FUTURE, false],
    ['was ended and has run out', PAST, PAST, false],
  ] as const)('whether a connection that %s is alive, and a token of it', async (_how, endedAt, expiresAt, lives) => {
    const row = await makeConnection(endedAt, expiresAt)
    const token = await makeToken(FUTURE, row)
    const now = await databaseNow(test.db)
    expect(await inSql('connection', row.id, connectionLives('x'))).toBe(lives)
    expect(await test.db.connection.count({ where: { id: row.id, ...liveConnection(now) } })).toBe(lives ? 1 : 0)
    expect(isConnectionAlive(row, now)).toBe(lives)
    expect(await test.db.apiToken.count({ where: { id: token.id, ...liveToken(now) } })).toBe(lives ? 1 : 0)
  })

  it.each([
    ['never runs out', null, true],
    ['goes on', FUTURE, true],
    ['has run out', PAST, false],
  ] as const)('whether a token that %s is alive', async (_how, expiresAt, lives) => {
    const row = await makeToken(expiresAt)
    const now = await databaseNow(test.db)
    expect(await inSql('api_token', row.id, tokenLives('x'))).toBe(lives)
    expect(await test.db.apiToken.count({ where: { id: row.id, ...liveToken(now) } })).toBe(lives ? 1 : 0)
    expect(isTokenAlive(row, now)).toBe(lives)
  })

  it('that a token and a connection are over at the very moment they run out', async () => {
    const at = Prisma.sql`${FUTURE}::timestamptz`
    const connection = await makeConnection(null, FUTURE)
    const { id } = await makeToken(FUTURE, connection)
    expect(await inSql('api_token', id, tokenLives('x', at))).toBe(false)
    expect(isTokenAlive({ expiresAt: FUTURE }, FUTURE)).toBe(false)
    expect(await inSql('connection', connection.id, connectionLives('x', at))).toBe(false)
    expect(isConnectionAlive(connection, FUTURE)).toBe(false)
    expect(await test.db.apiToken.count({ where: { id, ...liveToken(FUTURE) } })).toBe(0)
  })
})

it('a token runs out with itself or its connection, whichever is earlier, and never without either', async () => {
  const connection = await makeConnection(null, FUTURE)
  const tokens = [await makeToken(PAST, connection), await makeToken(null, connection), await makeToken(null)]
  const ends = tokens.map(async ({ id }) => {
    const [row] = await test.db.$queryRaw<[{ ends: Date | null }]>`
      SELECT ${tokenEnds('t', 'c')} AS ends FROM api_token t LEFT JOIN connection c ON c.id = t.connection_id
      WHERE t.id = ${id}::uuid`
    return row.ends
  })
  expect(await Promise.all(ends)).toEqual([PAST, FUTURE, null])
})

it('an alias that is more than a name is refused', () => {
  expect(() => accountLives('a; DROP TABLE account')).toThrow('alias')
})
