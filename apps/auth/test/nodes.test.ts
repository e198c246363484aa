import { randomBytes } from 'node:crypto'
import { Prisma } from '@vertexsms/db/client'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { rotateSigningKey } from '../src/authorization/keys.ts'
import { answer, connect, exchange, refresh, register, start, type TestClient } from './support/client.ts'
import { CAN_MEET, meetBehind } from './support/meeting.ts'
import { checkboxes, hiddenField, refreshTarget } from './support/person.ts'
import { type Stack, startStack } from './support/stack.ts'

// Two nodes behind one public URL: what begins on one must finish on the other, as a load balancer has it.

let test: TestDatabase
let one: Stack
let two: Stack
const settings = { OPERATOR_KEY: randomBytes(32).toString('base64url') }
beforeAll(async () => {
  test = await testDatabase()
  one = await startStack({ test, settings, keyPollMs: 20 })
  two = await startStack({ test, settings: { ...settings, ISSUER_URL: one.issuer }, keyPollMs: 20 })
})
afterAll(async () => {
  await one?.close()
  await two?.close()
  await test?.close()
})
afterEach(() => void vi.useRealTimers())

/** The same client, talking to the second node's port. */
function onSecondNode(client: TestClient): TestClient {
  const moved = JSON.parse(JSON.stringify(client.server).replaceAll(one.issuer, two.issuer))
  return { ...client, server: { ...moved, issuer: one.issuer } }
}

describe('two nodes on one database', () => {
  it('take over from each other at every step of a connection', async () => {
    const client = await register(one)
    const { id } = await one.account()
    const person = await two.person(id)
    const flow = await start(onSecondNode(client))
    const page = await person.open(flow.url)
    const { url } = await answer(person, page)
    const tokens = await exchange(client, flow, url)
    const second = await refresh(onSecondNode(client), tokens.refresh)
    const third = await refresh(client, second.refresh)
    expect(third.scope).toBe(tokens.scope)
    await expect(exchange(onSecondNode(client), flow, url)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(refresh(client, third.refresh)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it.skipIf(!CAN_MEET)('issue one code for one approval, though its way back is followed on both at once', async () => {
    const { id } = await one.account()
    const person = await two.person(id)
    const page = await person.open((await start(onSecondNode(await register(one)))).url)
    const scopes = checkboxes(page.html, 'scope').map((scope) => ['scope', scope] as const)
    const csrf = hiddenField(page.html, 'csrf')
    const approved = await person.post(page.url, [['csrf', csrf], ['decision', 'allow'], ...scopes])
    const { pathname } = new URL(String(refreshTarget(approved.html)), page.url)
    const requests = Prisma.sql`SELECT id FROM oidc_artifact WHERE kind = 'Interaction' FOR UPDATE`
    const follow = [one, two].map(
      ({ issuer }) =>
        () =>
          person.get(`${issuer}${pathname}`),
    )
    const ways = await meetBehind(test.db, requests, follow)
    expect(ways.map((way) => (way.status === 'fulfilled' ? way.value.status : way.reason)).sort()).toEqual([303, 400])
    expect(await test.db.oidcArtifact.count({ where: { kind: 'AuthorizationCode', accountId: id } })).toBe(1)
  })

  it('give one answer to refreshes that reach both at once', async () => {
    const client = await register(one)
    const { id } = await one.account()
    const tokens = await connect(client, await one.person(id))
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => refresh(index % 2 ? client : onSecondNode(client), tokens.refresh)),
    )
    expect(new Set(answers.map(({ refresh: value }) => value)).size).toBe(1)
  })

  it('publish one key set, and rotate it under load without a failed request', async () => {
    const client = await register(one)
    const { id } = await one.account()
    let tokens = await connect(client, await one.person(id))
    const keySet = async (node: Stack) => (await (await fetch(`${node.issuer}/oauth/jwks`)).json()) as JSONWebKeySet
    const published = async (node: Stack, count: number) => {
      while ((await keySet(node)).keys.length !== count) await new Promise(setImmediate)
    }
    const seen = new Set<string>()
    const load = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const node = round % 2 ? onSecondNode(client) : client
        tokens = await refresh(node, tokens.refresh)
        seen.add(String(decodeProtectedHeader(tokens.access).kid))
        // A verifier that asks either node must know the key.
        for (const stack of [one, two])
          await jwtVerify(tokens.access, createLocalJWKSet(await keySet(stack)), { currentDate: new Date() })
      }
    }
    await load(3)
    const before = await keySet(one)
    expect(await keySet(two)).toEqual(before)
    const now = new Date()
    const operatorKey = new Uint8Array(Buffer.from(settings.OPERATOR_KEY, 'base64url'))
    await rotateSigningKey({ db: test.db, operatorKey }, { now, accessTokenSeconds: 600 })
    vi.useFakeTimers({ toFake: ['Date'], now })
    await test.followDate()
    await Promise.all([published(one, 2), published(two, 2), load(3)])
    expect(await keySet(two)).toEqual(await keySet(one))
    vi.setSystemTime(now.getTime() + 640_000)
    await test.followDate()
    await load(3)
    vi.setSystemTime(now.getTime() + 640_000 + 1_300_000)
    await test.followDate()
    await Promise.all([published(one, 1), published(two, 1), load(3)])
    expect(seen.size).toBe(2)
  })
})
