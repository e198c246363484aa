// The connection breaks after the database has written what a token request stands for, and before it could say so.
import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, connect, exchange, refresh, register, start, type TestClient } from './support/client.ts'
import { newSignedIn } from './support/people.ts'
import type { Person } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

const WRITES_CODE = 'UPDATE oidc_artifact SET consumed_at'
const WRITES_REFRESH = 'INSERT INTO used_refresh_token'

describe.each(['cable', 'pooler'] as const)('a token request whose answer from the database was lost (%s)', (as) => {
  let test: TestDatabase
  let door: Door
  let db: Database
  let stack: Stack
  let client: TestClient
  let person: Person
  beforeAll(async () => {
    test = await testDatabase()
    door = await doorTo(test.url, as)
    db = createDatabase({ url: door.url, poolSize: 2, namedStatements: false })
    // Without an overlap nothing makes up for an answer that did not come.
    stack = await startStack({ test, db: () => db, settings: { REFRESH_OVERLAP_SECONDS: '0' } })
    client = await register(stack)
    person = (await newSignedIn(stack)).person
  })
  afterAll(async () => {
    await stack?.close()
    await db?.$disconnect()
    await door?.close()
    await test?.close()
  })

  it('gives the tokens that were written for a code, and they are good', async () => {
    const flow = await start(client)
    const callback = await approve(person, flow)
    door.loseAnswerTo(WRITES_CODE)
    const tokens = await exchange(client, flow, callback)
    expect((await refresh(client, tokens.refresh)).access).not.toBe('')
  })

  it('gives the tokens that were written for a refresh token, and they are good', async () => {
    const { refresh: first } = await connect(client, person)
    door.loseAnswerTo(WRITES_REFRESH)
    const tokens = await refresh(client, first)
    expect((await refresh(client, tokens.refresh)).access).not.toBe('')
  })

  it.each([
    ['code', WRITES_CODE],
    ['refresh token', WRITES_REFRESH],
  ])(
    'gives the tokens that were written for a %s where the database is away for a moment with its answer',
    async (what, writes) => {
      const flow = await start(client)
      const callback = await approve(person, flow)
      const first = what === 'code' ? undefined : await exchange(client, flow, callback)
      const turnedAway = door.shutAfter(writes)
      const ask = () => (first ? refresh(client, first.refresh) : exchange(client, flow, callback))
      const asking = ask()
      // Before it was asked again, there is no other answer.
      await Promise.race([turnedAway, asking])
      door.open()
      expect((await refresh(client, (await asking).refresh)).access).not.toBe('')
      // It is used up all the same.
      await expect(ask()).rejects.toMatchObject({ error: 'invalid_grant' })
    },
  )

  it('gives them once where a code comes several times at once, and takes them back (RFC 6749 §4.1.2)', async () => {
    const flow = await start(client)
    const callback = await approve(person, flow)
    door.loseAnswerTo(WRITES_CODE)
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => exchange(client, flow, callback)))
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.error] : []))
    expect(given.length).toBeLessThanOrEqual(1)
    expect(new Set(refused)).toEqual(new Set(['invalid_grant']))
    for (const { refresh: token } of given) {
      await expect(refresh(client, token)).rejects.toMatchObject({ error: 'invalid_grant' })
    }
  })
})

describe('a database that comes to a statement when nobody waits for it any more', () => {
  let test: TestDatabase
  let door: Door
  let db: Database
  let stack: Stack
  beforeAll(async () => {
    test = await testDatabase()
    door = await doorTo(test.url, 'pooler')
    const limits = { connectMs: 5_000, statementMs: 300, lockMs: 300, idleInTransactionMs: 5_000 }
    db = createDatabase({ url: door.url, poolSize: 2, namedStatements: false, limits })
    stack = await startStack({ test, db: () => db, tokensAgainMs: 500, settings: { REFRESH_OVERLAP_SECONDS: '0' } })
  })
  afterAll(async () => {
    door?.open()
    await stack?.close()
    await db?.$disconnect()
    await door?.close()
    await test?.close()
  })

  it.each([
    ['code', WRITES_CODE],
    ['refresh token', WRITES_REFRESH],
  ])(
    'writes nothing for a %s, which its client may use again',
    async (what, writes) => {
      const client = await register(stack)
      const { person } = await newSignedIn(stack)
      const flow = await start(client)
      const callback = await approve(person, flow)
      const first = what === 'code' ? undefined : await exchange(client, flow, callback)
      const ask = () => (first ? refresh(client, first.refresh) : exchange(client, flow, callback))
      const carriedOut = door.hold(writes)
      await expect(ask()).rejects.toThrow('unexpected HTTP status code')
      door.open()
      await carriedOut
      const { refresh: token } = await ask()
      expect((await refresh(client, token)).access).not.toBe('')
      await expect(ask()).rejects.toMatchObject({ error: 'invalid_grant' })
    },
    60_000,
  )
})
