import { createDatabase, type Database } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { type Door, doorTo } from '@vertexsms/db/testing/door'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, register } from './support/client.ts'
import { newSignedIn } from './support/people.ts'
import { type Stack, startStack } from './support/stack.ts'

// Short limits, and an upper bound with room for a busy machine: without limits the same calls hang for minutes.
const limits = { connectMs: 1_500, statementMs: 1_500, lockMs: 1_000, idleInTransactionMs: 5_000 }
const WITHIN_MS = 30_000

let test: TestDatabase
let door: Door
let db: Database
let stack: Stack
beforeAll(async () => {
  test = await testDatabase()
  door = await doorTo(test.url)
  db = createDatabase({ url: door.url, poolSize: 4, limits })
  stack = await startStack({ test, db: () => db })
})
afterAll(async () => {
  door?.open()
  await stack?.close()
  await db?.$disconnect()
  await door?.close()
  await test?.close()
})

it('a database that goes silent without closing costs nobody a login: 503 with Retry-After in seconds, then the same refresh works', async () => {
  const client = await register(stack)
  const { person } = await newSignedIn(stack)
  const { refresh } = await connect(client, person)
  const stranger = await stack.person()
  const call = (path: string, form?: Record<string, string>) =>
    fetch(new URL(path, stack.issuer), {
      redirect: 'manual',
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    })
  const refreshing = () =>
    call('/oauth/token', {
      grant_type: 'refresh_token',
      client_id: client.client.client_id,
      refresh_token: refresh,
    })
  expect((await call('/readyz')).status).toBe(200)

  door.silence()
  const from = performance.now()
  const answers = await Promise.all([
    ...Array.from({ length: 12 }, refreshing),
    stranger.get('/sign-in').then(() => null),
  ])
  expect(performance.now() - from).toBeLessThan(WITHIN_MS)
  for (const answer of answers) {
    if (answer === null) continue
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
  }
  expect((await call('/readyz')).status).toBe(503)
  expect((await call('/healthz')).status).toBe(200)

  door.open()
  for (let tries = 0; (await call('/readyz')).status !== 200; tries++) expect(tries).toBeLessThan(100)
  const refreshed = await refreshing()
  expect([refreshed.status, Object.keys((await refreshed.json()) as object)]).toEqual([
    200,
    expect.arrayContaining(['access_token', 'refresh_token']),
  ])
})
