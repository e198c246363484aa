import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '@vertexsms/db/testing'
import { bundleForTests } from '@vertexsms/service/bundle'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SHORT_LIVED_FLAGS } from '../../../scripts/short-lived.ts'
import { approve, connect, exchange, post, refresh, register, start, type TestClient } from './support/client.ts'
import { Person } from './support/person.ts'
import { API_RESOURCE, MCP_RESOURCE, type Stack, signIn, startStack } from './support/stack.ts'

// Three nodes behind one public URL: one whose clock is right, one that is behind and one that is ahead of it. What
// they decide together, they decide by the database's clock.

const SERVER = 'apps/auth/src/server'
const SHIFT_DATE = new URL('../../../e2e/support/shift-date.mjs', import.meta.url).href
const APART_SECONDS = 45

const folder = mkdtempSync(join(tmpdir(), 'vertexsms-clocks-'))
const settings = { OPERATOR_KEY: randomBytes(32).toString('base64url') }
const children: ChildProcess[] = []
let test: TestDatabase
let right: Stack
let behind: string
let ahead: string

beforeAll(async () => {
  await bundleForTests([`${SERVER}.ts`], folder, process.env.TEST_PROGRAMS_DIR)
  test = await testDatabase()
  right = await startStack({ test, settings })
  behind = await startNode('behind', -APART_SECONDS)
  ahead = await startNode('ahead', APART_SECONDS)
}, 120_000)
afterAll(async () => {
  for (const child of children) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await right?.close()
  await test?.close()
  rmSync(folder, { recursive: true })
})

/** A node in a process of its own, whose `Date` is so many seconds off; its origin. */
async function startNode(name: string, offSeconds: number): Promise<string> {
  const shiftFile = join(folder, name)
  writeFileSync(shiftFile, String(offSeconds * 1000))
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const env = {
    ...process.env,
    ...settings,
    DATABASE_URL: test.url,
    ISSUER_URL: right.issuer,
    AUTH_PORT: String(port),
    RATE_LIMITS: 'off',
    MCP_RESOURCE_URL: MCP_RESOURCE,
    API_RESOURCE_URL: API_RESOURCE,
    DATE_SHIFT_FILE: shiftFile,
    NODE_OPTIONS: `--import ${SHIFT_DATE}`,
  }
  const child = spawn(process.execPath, [...SHORT_LIVED_FLAGS, join(folder, `${SERVER}.js`)], { env, stdio: 'ignore' })
  children.push(child)
  const origin = `http://localhost:${port}`
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`)
    const ready = await fetch(`${origin}/readyz`).catch(() => null)
    if (ready?.ok) return origin
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The same client, talking to another node. */
function on(origin: string, client: TestClient): TestClient {
  const moved = JSON.parse(JSON.stringify(client.server).replaceAll(right.issuer, origin))
  return { ...client, server: { ...moved, issuer: right.issuer } }
}

async function newcomer() {
  const client = await register(right)
  const { id } = await right.account()
  return { client, person: await right.person(id), accountId: id }
}

describe('nodes whose clocks are apart', () => {
  it('lose no login when refreshes reach them at once', async () => {
    for (let round = 0; round < (process.env.TEST_FULL ? 10 : 2); round += 1) {
      const { client, person, accountId } = await newcomer()
      const tokens = await connect(client, person)
      const nodes = [on(behind, client), on(ahead, client), client]
      const racers = Array.from({ length: 9 }, (_, index) => nodes[index % 3] as TestClient)
      const answers = await Promise.all(racers.map((node) => refresh(node, tokens.refresh)))
      expect(new Set(answers.map(({ refresh: value }) => value)).size).toBe(1)
      const connection = await right.db.connection.findFirstOrThrow({ where: { accountId } })
      expect(connection.endedReason).toBeNull()
    }
  })

  it('agree on the overlap, whichever refreshes first', async () => {
    for (const [first, second] of [
      [behind, ahead],
      [ahead, behind],
    ] as const) {
      const { client, person } = await newcomer()
      const tokens = await connect(client, person)
      const next = await refresh(on(first, client), tokens.refresh)
      expect((await refresh(on(second, client), tokens.refresh)).refresh).toBe(next.refresh)
      expect((await refresh(on(second, client), next.refresh)).scope).toBe(tokens.scope)
    }
  })

  it('exchange codes of each other', async () => {
    for (const [asks, redeems] of [
      [behind, ahead],
      [ahead, behind],
    ] as const) {
      const { client, accountId } = await newcomer()
      const person = new Person(asks, [right.issuer])
      await signIn(person, right.db, right.env, accountId)
      const flow = await start(on(asks, client))
      const callback = await approve(person, flow)
      expect((await exchange(on(redeems, client), flow, callback)).expiresIn).toBe(600)
    }
  })

  it('sign access tokens whose times are those of the database, as their rows are', async () => {
    const { client, person, accountId } = await newcomer()
    let latest = await connect(client, person)
    for (const origin of [behind, ahead]) {
      latest = await refresh(on(origin, client), latest.refresh)
      const { access } = latest
      const { iat = 0, exp = 0 } = decodeJwt(access)
      expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(APART_SECONDS / 3)
      const rows = await right.db.apiToken.findMany({ where: { accountId, kind: 'oauth_access' } })
      const ends = rows.map(({ expiresAt }) => Math.abs((expiresAt?.getTime() ?? 0) / 1000 - exp))
      expect(Math.min(...ends)).toBeLessThan(APART_SECONDS / 3)
    }
  })

  it('end connections at the time of the database, whatever ends them', async () => {
    for (const origin of [behind, ahead]) {
      const { client, person, accountId } = await newcomer()
      const tokens = await connect(client, person)
      const form = { token: tokens.refresh, client_id: client.client.client_id }
      expect((await post(`${origin}/oauth/revoke`, form)).status).toBe(200)
      const { endedAt } = await right.db.connection.findFirstOrThrow({ where: { accountId } })
      expect(Math.abs((endedAt?.getTime() ?? 0) - Date.now()) / 1000).toBeLessThan(APART_SECONDS / 3)
    }
  })
})
