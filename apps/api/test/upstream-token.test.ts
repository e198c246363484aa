import { randomUUID } from 'node:crypto'
import { upstreamTokenContext } from '@vertexsms/contract/upstream-account'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { seal } from '@vertexsms/secrets/seal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readUpstreamToken, UpstreamTokenBroken } from '../src/upstream/vertexsms/token.ts'

const KEY = Buffer.alloc(32, 9)
const TOKEN = 'canary-token-of-the-operator-0123'
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

async function account(): Promise<string> {
  const id = randomUUID()
  await database.db.account.create({
    data: { id, email: `${id}@example.test`, passwordHash: '-', status: 'active', createdAt: new Date() },
  })
  return id
}

async function withToken(token = TOKEN, generation = 3): Promise<{ id: string; accountId: string }> {
  const row = { id: randomUUID(), accountId: await account(), generation }
  await database.db.upstreamAccount.create({
    data: {
      ...row,
      sealedToken: seal(KEY, token, upstreamTokenContext(row)),
      lastFour: token.slice(-4),
      hlrPriceMicros: 12_345n,
      changedAt: new Date(),
    },
  })
  return row
}

const read = (accountId: string, key: Uint8Array = KEY) => readUpstreamToken(database.db, key, accountId)

async function thrownBy(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('nothing was thrown'),
    (error) => error as Error,
  )
}

describe('the token of an account at the operator', () => {
  test('is what was sealed for it, with its generation and the price of a lookup', async () => {
    const { accountId } = await withToken()
    expect(await read(accountId)).toEqual({ token: TOKEN, generation: 3, hlrPriceMicros: 12_345n })
  })

  test('is none for an account that set none, and for one that removed it', async () => {
    expect(await read(await account())).toBeNull()
    const { accountId } = await withToken()
    await database.db.upstreamAccount.update({ where: { accountId }, data: { sealedToken: null } })
    expect(await read(accountId)).toBeNull()
  })

  test('does not open under another key, and the error tells of neither key nor token', async () => {
    const { accountId } = await withToken()
    const error = await thrownBy(read(accountId, Buffer.alloc(32, 10)))
    expect(error).toBeInstanceOf(UpstreamTokenBroken)
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(TOKEN)
    expect(error.cause).toBeUndefined()
  })

  test('does not open as another account, in another row or in another generation', async () => {
    const mine = await withToken('token-of-mine-0001')
    const theirs = await withToken('token-of-theirs-0002')
    const { sealedToken } = await database.db.upstreamAccount.findUniqueOrThrow({ where: { id: theirs.id } })
    await database.db.upstreamAccount.update({ where: { id: mine.id }, data: { sealedToken } })
    expect(await thrownBy(read(mine.accountId))).toBeInstanceOf(UpstreamTokenBroken)
    await database.db.upstreamAccount.update({ where: { id: theirs.id }, data: { generation: 4 } })
    expect(await thrownBy(read(theirs.accountId))).toBeInstanceOf(UpstreamTokenBroken)
    await database.db.upstreamAccount.update({ where: { id: theirs.id }, data: { generation: 3, id: randomUUID() } })
    expect(await thrownBy(read(theirs.accountId))).toBeInstanceOf(UpstreamTokenBroken)
  })
})
